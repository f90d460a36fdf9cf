import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { installKernelSpec, Kernel, serveKernel } from "../../lib/notebooks/mod.ts";
import { connectKernel } from "../../lib/notebooks/_connect_kernel.ts";
import { type KernelMessage, MessageCodec } from "../../lib/notebooks/_messages.ts";
import { freePorts } from "../../lib/notebooks/_ports.ts";
import { spawnKernel } from "../../lib/notebooks/_spawn_kernel.ts";
import { run } from "../programs/_command.ts";
import { isAlive, isGone } from "./_notebook.ts";

/** A folder that is there as long as the test. */
function temporary() {
  const path = Deno.makeTempDirSync({ prefix: "trocar-jupyter-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A front end that sends all cells at once, as "Run All" does. */
class FrontEnd implements AsyncDisposable {
  readonly messages: KernelMessage[] = [];
  readonly replies: KernelMessage[] = [];
  readonly #end: (() => unknown | Promise<unknown>)[] = [];
  #send: (type: string, content: unknown) => Promise<string> = () => Promise.resolve("");

  static async start(argv: readonly string[], cwd: string): Promise<FrontEnd> {
    const frontEnd = new FrontEnd(), key = randomUUID(), ports = freePorts();
    const { child } = spawnKernel(join(cwd, "connection.json"), ports, key, { cwd, env: {}, argv });
    frontEnd.#end.push(async () => {
      child.kill("SIGKILL");
      await child.stdin.close().catch(() => {});
      await child.status;
    });
    const codec = new MessageCodec(key), deadline = performance.now() + 60_000;
    const shell = await connectKernel(ports.shell, "DEALER", deadline, () => {});
    const iopub = await connectKernel(ports.iopub, "SUB", deadline, () => {});
    frontEnd.#end.push(() => shell.close(), () => iopub.close());
    for (const [socket, list] of [[shell, frontEnd.replies], [iopub, frontEnd.messages]] as const) {
      (async () => {
        for (;;) list.push(codec.decode(await socket.receive())!);
      })().catch(() => {});
    }
    frontEnd.#send = async (type, content) => {
      const { id, frames } = codec.encode(type, content);
      await shell.send(frames);
      return id;
    };
    await frontEnd.run(["0"]);
    return frontEnd;
  }

  /** What was said between the beginning and the end of each cell. */
  async run(cells: readonly string[]): Promise<string[][]> {
    const from = this.messages.length;
    const ids = await Promise.all(
      cells.map((code) =>
        this.#send("execute_request", { code, silent: false, store_history: true })
      ),
    );
    const isEnded = (id: string) =>
      this.messages.some(({ parent, content }) =>
        parent === id && content.execution_state === "idle"
      ) && this.replies.some(({ parent }) => parent === id);
    while (!ids.every(isEnded)) await new Promise((resolve) => setTimeout(resolve, 5));
    return ids.map((id) => {
      const own = this.messages.slice(from).filter(({ parent }) => parent === id);
      const end = own.findIndex(({ content }) => content.execution_state === "idle");
      return own.slice(0, end).flatMap(({ content }) => {
        const data = content.data as Record<string, unknown> | undefined;
        const said = data?.["text/plain"] ?? content.text ?? content.evalue;
        return said === undefined ? [] : [String(said).trim()];
      });
    });
  }

  /** How the latest cells ended. */
  statuses(count: number): unknown[] {
    return this.replies.slice(-count).map(({ content }) => content.status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#end.toReversed()) await end();
  }
}

Deno.test("cells that are sent at once have all their outputs, and each its own", async () => {
  using folder = temporary();
  await using frontEnd = await FrontEnd.start(installKernelSpec(folder.path).argv, folder.path);
  const shown = (i: number) =>
    `({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "shown ${i}", ` +
    `"text/html": "x".repeat(${i % 8 === 1 ? 300_000 : 20_000}) }) })`;
  const cells = Array.from(
    { length: 40 },
    (_, i) => i % 2 === 0 ? `console.log("log ${i}"); ({ cell: ${i} })` : shown(i),
  );
  const wanted = cells.map((_, i) => i % 2 === 0 ? [`log ${i}`, `{ cell: ${i} }`] : [`shown ${i}`]);
  for (let round = 0; round < 3; round++) {
    const said = (await frontEnd.run(cells)).map((texts) => texts.sort());
    assert.deepEqual(said, wanted.map((texts) => texts.sort()));
  }
});

Deno.test("an error stops the cells that wait, also a rejection that nobody awaits", async () => {
  using folder = temporary();
  await using frontEnd = await FrontEnd.start(installKernelSpec(folder.path).argv, folder.path);
  assert.deepEqual(await frontEnd.run(["throw new Error('planted')", "1"]), [["planted"], []]);
  assert.deepEqual(frontEnd.statuses(2), ["error", "aborted"]);
  const [said] = await frontEnd.run(["Promise.reject(new Error('lost')); 1", "2"]);
  assert.deepEqual(said!.sort(), ["1", "a promise was rejected that nobody awaits: Error: lost"]);
  assert.deepEqual(frontEnd.statuses(2), ["error", "aborted"]);
  assert.deepEqual(await frontEnd.run(["3"]), [["3"]]);
});

Deno.test("Deno's kernel ends when the program before it is killed", async () => {
  using folder = temporary();
  const { argv } = installKernelSpec(folder.path);
  const kernel = await Kernel.start({ argv, cwd: folder.path });
  const { messages } = await kernel.execute("console.log(Deno.pid)", 30);
  const pid = Number(messages.find(({ type }) => type === "stream")!.content.text);
  assert(isAlive(pid) && pid !== kernel.pid, "two processes");
  Deno.kill(kernel.pid, "SIGKILL");
  assert(await isGone(pid), "the kernel is gone");
  await kernel[Symbol.asyncDispose]();
});

Deno.test("what is no connection file is refused", async () => {
  using folder = temporary();
  const path = join(folder.path, "connection.json");
  const good = { transport: "tcp", signature_scheme: "hmac-sha256", key: "k", shell_port: 5000 };
  for (
    const [text, words] of [
      ["{", /must be JSON/],
      [JSON.stringify({ ...good, transport: "ipc" }), /transport must be tcp/],
      [JSON.stringify({ ...good, signature_scheme: "none" }), /signature_scheme/],
      [JSON.stringify({ ...good, key: 1 }), /key must be text/],
      [JSON.stringify({ ...good, iopub_port: 70_000 }), /iopub_port must be a port/],
    ] as const
  ) {
    Deno.writeTextFileSync(path, text);
    await assert.rejects(serveKernel(path), words);
  }
});

Deno.test("deno task jupyter describes the kernel once, checks it, and prints what finds it", async () => {
  using folder = temporary();
  const output = join(folder.path, "it's here");
  const said = await Promise.all([1, 2].map(() => run("jupyter.ts", ["--output", output])));
  assert.deepEqual(said.map(({ code }) => code), [0, 0], said[0]!.stderr);
  assert.match(
    said[0]!.stdout,
    /^ {2}JUPYTER_PATH='[^\n]*it'\\''s here' jupyter lab \S+notebooks$/m,
  );
  const file = join(output, "kernels", "deno", "kernel.json");
  const { mtime } = Deno.statSync(file);
  const { stdout } = await run("jupyter.ts", ["--output", output, "--json"]);
  const document = JSON.parse(stdout);
  assert.deepEqual([document.changed, document.environment], [false, { JUPYTER_PATH: output }]);
  assert.deepEqual(Deno.statSync(file).mtime, mtime, "nothing was written");
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(file)).argv, document.argv);
  assert.deepEqual([...Deno.readDirSync(join(output, "kernels", "deno"))].length, 1);
  Deno.writeTextFileSync(join(folder.path, "file"), "");
  const failed = await run("jupyter.ts", ["--output", join(folder.path, "file")]);
  assert.deepEqual([failed.code, failed.stdout], [1, ""]);
  assert.match(failed.stderr, /file.*is no folder/);
});
