import { randomUUID } from "node:crypto";
import { uncaughtError } from "./_cell_error.ts";
import { connectKernel } from "./_connect_kernel.ts";
import { type KernelConnection, readConnection } from "./_connection_file.ts";
import { Envelope } from "./_envelope.ts";
import { barrier, PREPARE, UNCAUGHT } from "./_hidden_cells.ts";
import { MessageCodec } from "./_messages.ts";
import { freePorts } from "./_ports.ts";
import { killKernel, spawnKernel } from "./_spawn_kernel.ts";
import type { ZmtpSocket } from "./_zmtp.ts";
import { ZmtpServer } from "./_zmtp_server.ts";

const START_MS = 60_000;
/** Both sockets through which the kernel may ask for input must be called the same. */
const IDENTITY = "trocar";
const OUTPUTS = new Set([
  ...["stream", "display_data", "execute_result", "error"],
  ...["update_display_data", "clear_output"],
]);

/** A request that waits for its turn. */
interface Waiting {
  readonly request: Envelope;
  readonly from: ZmtpSocket;
}

/** The cell that runs. */
interface Running extends Waiting {
  /** Called with what nobody caught once all outputs are there. */
  readonly done: (uncaught: unknown) => void;
  readonly token: string;
}

/**
 * Serves a Jupyter front end with Deno's kernel, in an order that front ends understand. The kernel of
 * Deno 2.9 says that a cell has ended before it has sent all outputs, and what comes late it says to be
 * of the next cell. Here cells reach it one after the other, and a cell has ended when its last output
 * has been sent. Rejections that nobody awaits are errors of their cell, and an error stops the cells
 * that wait.
 *
 * @param connectionFile where the front end wrote how it wants to be reached
 * @param options `cwd`: folder of the cells, default that of this process
 * @returns when the front end or the kernel has ended it
 * @throws {SyntaxError} if the file is not a connection file
 * @throws {Error} if the kernel does not start
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { serveKernel } from "./mod.ts";
 *
 * const file = `${Deno.makeTempDirSync()}/connection.json`;
 * Deno.writeTextFileSync(file, `{"transport": "ipc"}`);
 * await assert.rejects(serveKernel(file), /transport must be tcp/);
 * ```
 */
export async function serveKernel(
  connectionFile: string,
  options: { readonly cwd?: string } = {},
): Promise<void> {
  const connection = readConnection(connectionFile);
  await using kernel = await OrderedKernel.start(connection, options.cwd ?? Deno.cwd());
  await kernel.ended;
}

class OrderedKernel implements AsyncDisposable {
  readonly #key: string;
  readonly #codec: MessageCodec;
  readonly #child: Deno.ChildProcess;
  readonly #servers: ZmtpServer[] = [];
  readonly #waiting: Waiting[] = [];
  /** Who asked, by the number of the request. */
  readonly #askers = new Map<string, ZmtpSocket>();
  /** What waits for a reply to a request of our own, or to the cell that runs. */
  readonly #replies = new Map<string, (reply: Envelope) => void>();
  readonly #sockets: {
    shell: ZmtpSocket;
    control: ZmtpSocket;
    stdin: ZmtpSocket;
    iopub: ZmtpSocket;
  };
  #hidden = "";
  #running: Running | null = null;
  /** Header of the latest cell. */
  #latest = "{}";
  #isBusy = false;

  private constructor(
    key: string,
    child: Deno.ChildProcess,
    sockets: { shell: ZmtpSocket; control: ZmtpSocket; stdin: ZmtpSocket; iopub: ZmtpSocket },
  ) {
    this.#key = key;
    this.#codec = new MessageCodec(key);
    this.#child = child;
    this.#sockets = sockets;
  }

  static async start(connection: KernelConnection, cwd: string): Promise<OrderedKernel> {
    const ports = freePorts(), { key } = connection;
    const file = Deno.makeTempFileSync({ prefix: "trocar-kernel-", suffix: ".json" });
    const { child, lastWords } = spawnKernel(file, ports, key, { cwd, env: {} });
    try {
      let isOver = false;
      child.status.then(() => isOver = true);
      const check = () => {
        if (isOver) throw new Error(`Cannot start Deno's kernel: it ended. ${lastWords()}`.trim());
      };
      const deadline = performance.now() + START_MS;
      const connect = (port: number, type: "DEALER" | "SUB") =>
        connectKernel(port, type, deadline, check, IDENTITY);
      const kernel = new OrderedKernel(key, child, {
        shell: await connect(ports.shell, "DEALER"),
        control: await connect(ports.control, "DEALER"),
        stdin: await connect(ports.stdin, "DEALER"),
        iopub: await connect(ports.iopub, "SUB"),
      });
      kernel.#listen();
      await kernel.#hiddenCell(PREPARE);
      kernel.#serve(connection);
      return kernel;
    } catch (error) {
      killKernel(child);
      throw error;
    } finally {
      Deno.removeSync(file);
    }
  }

  /** When the kernel's process has ended. */
  get ended(): Promise<unknown> {
    return this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server[Symbol.dispose]();
    for (const socket of Object.values(this.#sockets)) socket.close();
    killKernel(this.#child);
    await this.#child.stdin.close().catch(() => {});
  }

  #serve({ ports }: KernelConnection): void {
    const { control, stdin } = this.#sockets;
    const relay = (to: ZmtpSocket) => (frames: Uint8Array[], from: ZmtpSocket) => {
      const request = Envelope.open(frames, this.#key);
      if (request === null) return;
      this.#askers.set(request.id, from);
      to.send(request.frames(this.#key)).catch(() => {});
    };
    this.#servers.push(
      new ZmtpServer(ports.iopub, "PUB", () => {}),
      new ZmtpServer(ports.stdin, "ROUTER", relay(stdin)),
      new ZmtpServer(ports.control, "ROUTER", relay(control)),
      new ZmtpServer(ports.heartbeat, "REP", (frames, from) => void from.send(frames)),
      new ZmtpServer(ports.shell, "ROUTER", (frames, from) => {
        const request = Envelope.open(frames, this.#key);
        if (request === null) return;
        this.#waiting.push({ request, from });
        void this.#work();
      }),
    );
  }

  /** Cells and questions, one after the other. */
  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.request.type === "execute_request") await this.#execute(next);
      else {
        this.#askers.set(next.request.id, next.from);
        await this.#sockets.shell.send(next.request.frames(this.#key));
      }
    }
    this.#isBusy = false;
  }

  async #execute({ request, from }: Waiting): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#running = { request, from, done: resolve, token: randomUUID() };
    this.#latest = request.parts[0];
    const reply = await this.#ask(request.id, request.frames(this.#key));
    await this.#hiddenCell(barrier(this.#running.token, 0));
    const uncaught = uncaughtError(await promise);
    this.#running = null;
    const isOk = reply.content.status === "ok" && uncaught === null;
    const error = { ename: "Uncaught", evalue: uncaught ?? "", traceback: [uncaught ?? ""] };
    if (uncaught !== null) this.#publish("error", error);
    this.#publish("status", { execution_state: "idle" });
    const end = isOk || uncaught === null
      ? reply
      : reply.withContent({ ...reply.content, status: "error", ...error });
    await from.send(end.frames(this.#key)).catch(() => {});
    if (!isOk && request.content.stop_on_error !== false) this.#abort();
  }

  /** Cells that wait are not run after an error, as front ends expect. */
  #abort(): void {
    const aborted = this.#waiting.filter(({ request }) => request.type === "execute_request");
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter((each) => !aborted.includes(each)));
    for (const { request, from } of aborted) {
      const header = request.parts[0];
      this.#publish("status", { execution_state: "busy" }, header);
      this.#publish("status", { execution_state: "idle" }, header);
      from.send(this.#codec.encode("execute_reply", { status: "aborted" }, header).frames)
        .catch(() => {});
    }
  }

  /** Runs a cell of which the front end knows nothing. */
  async #hiddenCell(code: string): Promise<void> {
    const { id, frames } = this.#codec.encode("execute_request", {
      code,
      ...{ silent: false, store_history: false, user_expressions: {} },
      ...{ allow_stdin: false, stop_on_error: false },
    });
    this.#hidden = id;
    await this.#ask(id, frames);
  }

  async #ask(id: string, frames: readonly (Uint8Array | string)[]): Promise<Envelope> {
    const { promise, resolve } = Promise.withResolvers<Envelope>();
    this.#replies.set(id, resolve);
    await this.#sockets.shell.send(frames).catch(() => {}); // its end ends everything
    return await promise;
  }

  #listen(): void {
    const loop = async (socket: ZmtpSocket, take: (message: Envelope) => void) => {
      try {
        for (;;) {
          const message = Envelope.open(await socket.receive(), this.#key);
          if (message === null) break; // torn: the front end is told that the kernel has died
          take(message);
        }
      } catch {
        // the kernel has ended, or what it says is torn
      }
      killKernel(this.#child);
    };
    const { shell, control, stdin, iopub } = this.#sockets;
    loop(shell, (reply) => this.#replied(reply));
    loop(control, (reply) => this.#replied(reply));
    loop(iopub, (message) => this.#published(message));
    loop(stdin, (question) => {
      const asker = this.#running?.from.identity;
      if (asker !== undefined) this.#servers[1]!.find(asker)?.send(question.frames(this.#key));
    });
  }

  #replied(reply: Envelope): void {
    const { parentId } = reply, waiting = this.#replies.get(parentId);
    if (waiting !== undefined) {
      this.#replies.delete(parentId);
      return waiting(reply);
    }
    this.#askers.get(parentId)?.send(reply.frames(this.#key)).catch(() => {});
    this.#askers.delete(parentId);
  }

  #published(message: Envelope): void {
    const { type, parentId } = message;
    const isHidden = parentId === this.#hidden;
    if (!OUTPUTS.has(type)) {
      const isOwnEnd = parentId === this.#running?.request.id && type === "status" &&
        message.content.execution_state === "idle";
      if (!isHidden && !isOwnEnd) this.#relay(message);
      return;
    }
    if (this.#running !== null && type === "display_data") {
      const data = message.content.data as Record<string, unknown>;
      if (data["text/plain"] === this.#running.token) return this.#running.done(data[UNCAUGHT]);
    }
    this.#relay(message.withParent(this.#latest));
  }

  #publish(type: string, content: unknown, parent = this.#latest): void {
    this.#servers[0]?.publish([type, ...this.#codec.encode(type, content, parent).frames]);
  }

  #relay(message: Envelope): void {
    this.#servers[0]?.publish(message.frames(this.#key));
  }
}
