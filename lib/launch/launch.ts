/** Starts the processes of a cluster on this machine and stays until all have ended. */
import { PROJECT } from "./task_command.ts";
import { LastLines } from "./_last_lines.ts";

/** One process to start. */
export interface WorkerSpec {
  /** Its number in the cluster. */
  readonly rank: number;
  /** Arguments of Deno. */
  readonly args: readonly string[];
  /** Variables beside the inherited ones. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How workers are started and ended. */
export interface LaunchOptions {
  /** Takes the lines that other ranks than 0 write to standard error. */
  readonly onLine: (rank: number, line: string) => void;
  /** Told when a worker that failed is why the others are ended. */
  readonly onFailure?: (end: WorkerEnd) => void;
  /** When it fires, all workers are asked to end in order; they get all the time they need. */
  readonly signal?: AbortSignal;
  /** Seconds in which the others may notice a death themselves, before they are asked to end. @default {15} */
  readonly noticeSeconds?: number;
  /** Seconds between asking to end and killing, once a worker has failed. @default {10} */
  readonly graceSeconds?: number;
}

/** How a worker ended. */
export interface WorkerEnd {
  /** Its number in the cluster. */
  readonly rank: number;
  /** Exit code; 128 + the signal's number if one ended it. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: Deno.Signal | null;
  /** What it wrote last to standard error; nothing for rank 0, which writes to the launcher's. */
  readonly lastLines: readonly string[];
}

/** How much later than one that fails the others may end and still count as not ended by it. */
const SETTLING_MS = 300;

/**
 * Runs workers. Rank 0 has the launcher's standard output and error; of the other ranks only lines on
 * standard error are heard. When one fails, the others are ended; when the launcher ends, even by
 * SIGKILL, all of them do.
 *
 * @param workers What to start.
 * @param options Output, signals, times.
 * @returns How each ended, the first that failed first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { launch } from "./launch.ts";
 *
 * const ends = await launch(
 *   [0, 1].map((rank) => ({ rank, args: ["eval", `Deno.exit(${rank})`], environment: {} })),
 *   { onLine: () => {} },
 * );
 * assert.deepEqual(ends.map(({ rank, code }) => [rank, code]), [[1, 1], [0, 0]]);
 * ```
 */
export async function launch(
  workers: readonly WorkerSpec[],
  options: LaunchOptions,
): Promise<WorkerEnd[]> {
  const { signal, onFailure, noticeSeconds = 15, graceSeconds = 10 } = options;
  const children: Worker[] = [];
  const tell = (name: Deno.Signal) => children.forEach((child) => child.kill(name));
  const killAll = () => tell("SIGKILL");
  const interrupt = () => tell("SIGINT");
  globalThis.addEventListener("unload", killAll);
  const timers: ReturnType<typeof setTimeout>[] = [];
  let failed: WorkerEnd | undefined;
  let isReported = false;
  // Where all others are done, the failure is that of the work, which its process has told itself.
  const report = () => {
    if (failed === undefined || isReported || signal?.aborted) return;
    const isAlone = children.filter((child) => !child.isDone).length < 2;
    if (isAlone && failed.signal === null) return;
    isReported = true;
    onFailure?.(failed);
  };
  try {
    for (const spec of workers) children.push(new Worker(spec, options.onLine));
    signal?.addEventListener("abort", interrupt);
    if (signal?.aborted) interrupt();
    const ends = await Promise.all(children.map(async (child) => {
      const end = await child.ended;
      if (end.code === 0 || failed !== undefined) return end;
      failed = end;
      if (signal?.aborted) return end;
      timers.push(
        setTimeout(report, SETTLING_MS),
        setTimeout(() => tell("SIGTERM"), noticeSeconds * 1000),
        setTimeout(killAll, (noticeSeconds + graceSeconds) * 1000),
      );
      return end;
    }));
    report();
    return failed === undefined ? ends : [failed, ...ends.filter((end) => end !== failed)];
  } finally {
    timers.forEach((timer) => clearTimeout(timer));
    signal?.removeEventListener("abort", interrupt);
    killAll();
    globalThis.removeEventListener("unload", killAll);
  }
}

class Worker {
  readonly ended: Promise<WorkerEnd>;
  readonly #child: Deno.ChildProcess;
  #isAlive = true;
  #isDone = false;

  constructor(
    { rank, args, environment }: WorkerSpec,
    onLine: (rank: number, line: string) => void,
  ) {
    const isFirst = rank === 0;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: PROJECT,
      env: { ...environment, INIT_CWD: Deno.cwd() },
      stdin: "piped", // never written to: its end tells the worker that the launcher is gone
      stdout: isFirst ? "inherit" : "null",
      stderr: isFirst ? "inherit" : "piped",
    }).spawn();
    const last = new LastLines();
    const heard = isFirst ? Promise.resolve() : last.listen(this.#child.stderr, (line) => {
      onLine(rank, line);
    });
    this.ended = this.#child.status.then(async ({ code, signal }) => {
      this.#isAlive = false;
      this.#isDone = code === 0;
      await heard;
      return { rank, code, signal, lastLines: last.lines };
    });
  }

  /** Whether it has ended well. */
  get isDone(): boolean {
    return this.#isDone;
  }

  kill(signal: Deno.Signal): void {
    if (!this.#isAlive) return;
    try {
      this.#child.kill(signal);
    } catch {
      // it has ended a moment ago
    }
  }
}
