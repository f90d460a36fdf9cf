import type { WriteReply } from "./_checkpoint_worker.ts";
import { arraysOf, type RunCheckpoint } from "./_write_run_checkpoint.ts";

/** Writes checkpoints in a thread of its own, one at a time; the arrays are handed over, not copied. */
export class CheckpointWriter implements AsyncDisposable {
  readonly #worker = this.#start(); // takes a while, so it begins before there is anything to write
  #writing: Promise<void> | undefined;
  #done: (failure: string | null) => void = () => {};
  #failure: Error | undefined;

  /** Whether it is writing. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /** @throws {Error} that a write ended with */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Waits until nothing is being written.
   *
   * @throws {Error} that a write ended with
   */
  async drain(): Promise<void> {
    await this.#writing;
    this.check();
  }

  /** Begins to write, when nothing else is being written; the arrays are gone from this thread. */
  begin(checkpoint: RunCheckpoint): void {
    const arrays = arraysOf(checkpoint.input);
    this.#worker.postMessage(checkpoint, [...new Set(arrays.map(({ data }) => data.buffer))]);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writing = promise;
    this.#done = (failure) => {
      if (failure !== null) this.#failure = new Error(failure);
      this.#writing = undefined;
      resolve();
    };
  }

  /** Ends what is being written, then the thread. A failure that nobody heard of yet is lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(import.meta.resolve("./_checkpoint_worker.ts"), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<WriteReply>) => this.#done(data.failure);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#done(`Cannot write checkpoint: its thread ended: ${event.message}`);
    };
    return worker;
  }
}
