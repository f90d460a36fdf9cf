import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { cellError, uncaughtError } from "./_cell_error.ts";
import { connectKernel } from "./_connect_kernel.ts";
import { barrier, PREPARE, UNCAUGHT } from "./_hidden_cells.ts";
import { type KernelMessage, MessageCodec } from "./_messages.ts";
import { freePorts } from "./_ports.ts";
import { killKernel, spawnKernel } from "./_spawn_kernel.ts";
import type { ZmtpSocket } from "./_zmtp.ts";

/** Options of {@linkcode Kernel.start}. */
export interface KernelOptions {
  /** Folder in which the cells run. */
  readonly cwd: string;
  /** Ends the kernel and everything that waits for it. */
  readonly signal?: AbortSignal;
  /** Further environment variables; `NO_COLOR` is set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Program and arguments, with `{connection_file}` as in a kernel spec; default Deno's own kernel. */
  readonly argv?: readonly string[];
}

/** How a cell ended. */
export interface CellEnd {
  /** What went wrong; null if nothing did. */
  readonly error: string | null;
  /** Everything that the kernel published for the cell, in order. */
  readonly messages: readonly KernelMessage[];
}

/** The kernel drops a part of what is too much for it, and goes on in the middle of another message. */
const TORN = "its outputs arrived torn: they are too many at once. Print or display less.";
const START_SECONDS = 60, END_MS = 2000, TRIES = 3, LAST_WORDS_MS = 20;

/**
 * Deno's Jupyter kernel as a child process, which runs cells one after the other. The child ends with
 * the object, and with this process.
 */
export class Kernel implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #codec: MessageCodec;
  readonly #sockets: readonly ZmtpSocket[];
  readonly #published: KernelMessage[] = [];
  readonly #replies = new Map<string, KernelMessage>();
  readonly #lastWords: () => string;
  readonly #signal: AbortSignal | undefined;
  #ended: Error | null = null;
  #wake: () => void = () => {};

  private constructor(
    child: Deno.ChildProcess,
    codec: MessageCodec,
    sockets: readonly ZmtpSocket[],
    lastWords: () => string,
    signal: AbortSignal | undefined,
  ) {
    this.#child = child;
    this.#codec = codec;
    this.#sockets = sockets;
    this.#lastWords = lastWords;
    this.#signal = signal;
    signal?.addEventListener("abort", () => this.#wake(), { once: true });
  }

  /**
   * Starts a kernel and waits until it answers.
   *
   * @param options where it runs
   * @returns the kernel
   * @throws {Error} if it does not answer within a minute
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { Kernel } from "./mod.ts";
   *
   * await using kernel = await Kernel.start({ cwd: Deno.makeTempDirSync() });
   * const { error, messages } = await kernel.execute("console.log(6 * 7)", 30);
   * assert.equal(error, null);
   * assert.equal(messages.find(({ type }) => type === "stream")!.content.text, "42\n");
   * ```
   */
  static async start(options: KernelOptions): Promise<Kernel> {
    for (let attempt = 1;; attempt++) {
      options.signal?.throwIfAborted();
      try {
        return await Kernel.#startOnce(options);
      } catch (error) {
        // Between choosing a port and listening at it, another process may have taken it.
        const isTaken = error instanceof Error &&
          /AddrInUse|address already in use/i.test(error.message);
        if (!isTaken || attempt === TRIES) throw error;
      }
    }
  }

  static async #startOnce({ cwd, signal, env = {}, argv }: KernelOptions): Promise<Kernel> {
    const key = randomUUID();
    const ports = freePorts();
    const file = Deno.makeTempFileSync({ prefix: "trocar-kernel-", suffix: ".json" });
    let kernel: Kernel | undefined;
    try {
      const { child, lastWords } = spawnKernel(file, ports, key, {
        cwd,
        env,
        ...(argv === undefined ? {} : { argv }),
      });
      const sockets: ZmtpSocket[] = [];
      kernel = new Kernel(child, new MessageCodec(key), sockets, lastWords, signal);
      kernel.#watchEnd();
      const deadline = performance.now() + START_SECONDS * 1000;
      for (
        const [port, type] of [[ports.shell, "DEALER"], [ports.iopub, "SUB"], [
          ports.control,
          "DEALER",
        ]] as const
      ) {
        sockets.push(await connectKernel(port, type, deadline, () => kernel!.#check()));
      }
      kernel.#listen();
      await kernel.#prepare(deadline);
      return kernel;
    } catch (error) {
      if (kernel !== undefined) await kernel[Symbol.asyncDispose]();
      throw error;
    } finally {
      try {
        Deno.removeSync(file);
      } catch {
        // somebody tidied up already
      }
    }
  }

  /** Process id of the kernel. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Runs a cell and gathers everything that it publishes.
   *
   * @param code TypeScript
   * @param seconds how long it may take
   * @param settleMs how long after its end rejections are still its own; default 0, the rest of the turn
   * @returns how it ended; a cell that throws is no error of this method
   * @throws {Error} if the cell takes longer or the kernel ends; the kernel is of no use then
   */
  async execute(code: string, seconds: number, settleMs = 0): Promise<CellEnd> {
    const deadline = performance.now() + seconds * 1000;
    this.#published.length = 0;
    const late = `the cell took longer than ${seconds} s`;
    const { content } = await this.#request(code, true, deadline, late);
    const token = randomUUID();
    const isToken = ({ content }: KernelMessage) =>
      (content.data as Record<string, unknown> | undefined)?.["text/plain"] === token;
    const hidden = performance.now() + Math.max(seconds * 1000, settleMs + 10_000);
    await this.#request(barrier(token, settleMs), false, hidden, late);
    let end = 0; // each message is looked at once: there may be many
    const isThere = () => {
      while (end < this.#published.length && !isToken(this.#published[end]!)) end++;
      return end < this.#published.length;
    };
    await this.#until(isThere, hidden, "its outputs did not arrive");
    const messages = this.#published.slice(0, end);
    const data = this.#published[end]!.content.data as Record<string, unknown>;
    return { error: cellError(content, messages) ?? uncaughtError(data[UNCAUGHT]), messages };
  }

  /** Ends the kernel: in order if it can, by its process id if not. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended === null && this.#sockets.length === 3 && !this.#signal?.aborted) {
      try {
        await this.#sockets[2]!.send(
          this.#codec.encode("shutdown_request", { restart: false }).frames,
        );
        await Promise.race([this.#child.status, sleep(END_MS)]);
      } catch {
        // it is gone already
      }
    }
    for (const socket of this.#sockets) socket.close();
    killKernel(this.#child);
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }

  async #prepare(deadline: number): Promise<void> {
    const late = `it did not answer within ${START_SECONDS} s`;
    const { id, frames } = this.#codec.encode("kernel_info_request", {});
    await this.#sockets[0]!.send(frames);
    await this.#until(() => this.#replies.has(id), deadline, late);
    const { content } = await this.#request(PREPARE, false, deadline, late);
    if (content.status !== "ok") {
      throw new Error(`Cannot start Deno's kernel: ${content.ename}: ${content.evalue}`);
    }
  }

  async #request(
    code: string,
    stored: boolean,
    deadline: number,
    late: string,
  ): Promise<KernelMessage> {
    const { id, frames } = this.#codec.encode("execute_request", {
      code,
      ...{ silent: false, store_history: stored, user_expressions: {} },
      ...{ allow_stdin: false, stop_on_error: false },
    });
    this.#check();
    await this.#sockets[0]!.send(frames).catch(() => {}); // its end is told by `#until`
    await this.#until(() => this.#replies.has(id), deadline, late);
    const reply = this.#replies.get(id)!;
    this.#replies.delete(id);
    return reply;
  }

  /** Waits for a condition that messages bring about. */
  async #until(condition: () => boolean, deadline: number, late: string): Promise<void> {
    while (!condition()) {
      this.#check();
      const rest = deadline - performance.now();
      if (rest <= 0) throw new Error(late);
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(rest + 1, 1 << 30));
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
    }
  }

  #check(): void {
    this.#signal?.throwIfAborted();
    if (this.#ended !== null) throw this.#ended;
  }

  #watchEnd(): void {
    this.#child.status.then(async ({ code, signal }) => {
      await sleep(LAST_WORDS_MS); // its last words are still on their way
      const words = this.#lastWords().trim();
      const how = signal === null ? `exit code ${code}` : signal;
      this.#ended = new Error(
        `the kernel ended by itself (${how})${words === "" ? "" : `: ${words}`}`,
      );
      this.#wake();
    });
  }

  #listen(): void {
    const loop = async (socket: ZmtpSocket, take: (message: KernelMessage) => void) => {
      try {
        for (;;) {
          const message = this.#codec.decode(await socket.receive());
          if (message === null) throw new RangeError(TORN);
          take(message);
          this.#wake();
        }
      } catch (error) {
        if (error instanceof RangeError) this.#ended ??= error;
        this.#wake();
      }
    };
    loop(this.#sockets[0]!, (message) => this.#replies.set(message.parent, message));
    loop(this.#sockets[1]!, (message) => this.#published.push(message));
  }
}
