/** One report of a running set-up. */
export interface InstallProgress {
  /** What is being done. */
  readonly stage: "wait" | "download" | "verify" | "unpack";
  /** What it is done to, e.g. `tensorflow-cpu 2.21.0`; for `wait`, who is waited for. */
  readonly item: string;
  /** Bytes done in this stage. */
  readonly done: number;
  /** Bytes of the whole stage, 0 for `wait`. */
  readonly total: number;
  /** Bytes per second over the last seconds, 0 when unknown. */
  readonly rate: number;
}

const WINDOW_MS = 3000;

/** Counts bytes and reports at most five times a second, with the rate of the last seconds. */
export class ProgressMeter {
  readonly #report: (progress: InstallProgress) => void;
  readonly #stage: InstallProgress["stage"];
  readonly #item: string;
  readonly #total: number;
  readonly #marks: { at: number; done: number }[];
  #last = -Infinity;

  constructor(
    stage: InstallProgress["stage"],
    item: string,
    total: number,
    report: ((progress: InstallProgress) => void) | undefined,
  ) {
    this.#stage = stage;
    this.#item = item;
    this.#total = total;
    this.#report = report ?? (() => {});
    this.#marks = [{ at: performance.now(), done: 0 }];
  }

  /** @param done bytes so far */
  update(done: number): void {
    const now = performance.now();
    if (now - this.#last < 200 && done < this.#total) return;
    this.#last = now;
    this.#marks.push({ at: now, done });
    while (this.#marks.length > 2 && now - this.#marks[0]!.at > WINDOW_MS) this.#marks.shift();
    const first = this.#marks[0]!;
    const rate = now > first.at ? (done - first.done) / (now - first.at) * 1000 : 0;
    this.#report({
      stage: this.#stage,
      item: this.#item,
      done: Math.min(done, this.#total),
      total: this.#total,
      rate: Math.max(0, rate),
    });
  }
}
