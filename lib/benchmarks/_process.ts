/** A child process that answers one line of JSON with one line of JSON. */

import type { Block } from "./interleave.ts";

/** What is measured in the child: its kind, and whatever that kind needs to know. */
export interface SubjectConfig {
  readonly subject: string;
  readonly [key: string]: unknown;
}

/** What a child answers to `prepare`: its number for later requests, and what it found. */
export interface Prepared {
  readonly id: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How a child is started. */
export interface ChildOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** What errors call it. */
  readonly name: string;
  /** What to do when it ends unasked, a sentence. */
  readonly remedy: string;
}

/** A child that is alive; disposing of it ends it and waits until it is gone. */
export class BenchProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #remedy: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  #complaints = "";
  readonly #heard: Promise<void>;

  /** @throws {Deno.errors.NotFound} if there is no such program */
  constructor({ command: [program, ...args], name, remedy }: ChildOptions) {
    this.#name = name;
    this.#remedy = remedy;
    this.#child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = lines(this.#child.stdout);
    this.#heard = this.#listen();
    globalThis.addEventListener("unload", this.#kill); // Deno.exit() in the middle of a block
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws {Error} with the child's own words if it cannot do it or has ended
   */
  async ask<T>(request: Readonly<Record<string, unknown>>): Promise<T> {
    const text = new TextEncoder().encode(JSON.stringify(request) + "\n");
    await this.#writer.write(text).catch(() => {}); // it has ended: the missing answer tells
    return await this.receive<T>();
  }

  /**
   * Waits for a line that the child writes unasked.
   *
   * @throws {Error} with the child's own words if it reports an error or has ended
   */
  async receive<T>(): Promise<T> {
    const { value: line } = await this.#lines.next();
    if (line === undefined) {
      const { code, signal } = await this.#child.status;
      await this.#heard;
      const end = signal === null ? `exit code ${code}` : signal;
      throw new Error(
        `Cannot measure with ${this.#name}: its process must stay alive, current value is ${end}. ` +
          this.#remedy + this.#complaints.trim().replace(/^(?=.)/, "\nIt said:\n"),
      );
    }
    const answer = JSON.parse(line) as T & { readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${this.#name}: ${answer.error}`);
    return answer;
  }

  /** Readies something for measuring. */
  async prepare(config: SubjectConfig): Promise<Prepared> {
    return await this.ask<Prepared>({ do: "prepare", config });
  }

  /** Measures a block of something prepared; milliseconds of each run. */
  async measure(
    id: number,
    block: Block,
  ): Promise<readonly number[]> {
    const { times } = await this.ask<{ times: number[] }>({ do: "measure", id, ...block });
    return times;
  }

  /** Frees something prepared. */
  async release(id: number): Promise<void> {
    await this.ask({ do: "release", id });
  }

  /** Peak resident memory since the child started, bytes. */
  async peakRss(): Promise<number> {
    return (await this.ask<{ bytes: number }>({ do: "peakRss" })).bytes;
  }

  /** Ends the child. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    const timer = setTimeout(this.#kill, 5000);
    for await (const _rest of this.#lines);
    await this.#child.status;
    clearTimeout(timer);
    await this.#heard;
    globalThis.removeEventListener("unload", this.#kill);
  }

  readonly #kill = () => {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it is gone already
    }
  };

  async #listen(): Promise<void> {
    const KEPT = 4000;
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#complaints = (this.#complaints + text).slice(-KEPT);
    }
  }
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const pieces = (rest + text).split("\n");
    rest = pieces.pop()!;
    yield* pieces;
  }
}
