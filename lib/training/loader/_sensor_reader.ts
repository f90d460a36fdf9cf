import type { ReadReply, ReadRequest } from "./_sensor_worker.ts";

/** One read of sensor rows into the buffer of a batch. */
export interface SensorRead {
  /** Path of the rows. */
  readonly file: string;
  /** First row. */
  readonly start: number;
  /** Where they go, in values from the start of the buffer. */
  readonly offset: number;
  /** Number of values. */
  readonly length: number;
  /** Row of the batch, for messages. */
  readonly row: number;
}

/** A read failed; `cause` is why. */
export class SensorReadError extends Error {
  /** Row of the batch. */
  readonly row: number;

  /** @param row of the batch */
  constructor(row: number, cause: Error) {
    super(cause.message, { cause });
    this.row = row;
  }
}

interface Waiting {
  readonly resolve: (buffer: ArrayBuffer) => void;
  readonly reject: (error: Error) => void;
}

/** Reads sensor rows in a thread of its own, while this one computes. */
export class SensorReader implements Disposable {
  readonly #worker: Worker;
  readonly #files = new Map<string, number>();
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;

  /** Starts the thread. */
  constructor() {
    this.#worker = new Worker(import.meta.resolve("./_sensor_worker.ts"), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<ReadReply>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`Cannot read sensor rows: their thread ended: ${event.message}`));
    };
  }

  /**
   * Fills a buffer, which is gone from this thread until then.
   *
   * @returns the buffer
   * @throws {SensorReadError} naming the row of the batch; the buffer is lost then
   */
  read(buffer: ArrayBuffer, reads: readonly SensorRead[]): Promise<ArrayBuffer> {
    const id = this.#requests++;
    const newFiles: string[] = [];
    const columns = new Float64Array(reads.length * 5);
    reads.forEach(({ file, start, offset, length, row }, i) => {
      let number = this.#files.get(file);
      if (number === undefined) {
        this.#files.set(file, number = this.#files.size);
        newFiles.push(file);
      }
      columns.set([number, start, offset, length, row], 5 * i);
    });
    const { promise, resolve, reject } = Promise.withResolvers<ArrayBuffer>();
    this.#waiting.set(id, { resolve, reject });
    const request: ReadRequest = { id, newFiles, columns, buffer };
    this.#worker.postMessage(request, [buffer, columns.buffer]);
    return promise;
  }

  /** Ends the thread; what is being read is given up. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#fail(new Error("Cannot read sensor rows: the loader was closed."));
  }

  #receive({ id, buffer, failure }: ReadReply): void {
    const { resolve, reject } = this.#waiting.get(id)!;
    this.#waiting.delete(id);
    if (failure === undefined) resolve(buffer);
    else reject(new SensorReadError(failure.row, revive(failure.name, failure.message)));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Errors lose their class between threads. */
function revive(name: string, message: string): Error {
  const classes: Record<string, new (message: string) => Error> = {
    RangeError,
    SyntaxError,
    TypeError,
    NotFound: Deno.errors.NotFound,
    PermissionDenied: Deno.errors.PermissionDenied,
  };
  return new (Object.hasOwn(classes, name) ? classes[name]! : Error)(message);
}
