import assert from "node:assert/strict";
import { join } from "node:path";
import { checkTypes, Kernel, readNotebook, runNotebook } from "../../lib/notebooks/mod.ts";
import { ZmtpSocket } from "../../lib/notebooks/_zmtp.ts";
import { folderOf, isAlive, isGone, notebookOf, said } from "./_notebook.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();
const path = join(folder, "a.ipynb");
/** Runs of the stress test; 40 before a release. */
const RUNS = Number(Deno.env.get("TROCAR_NOTEBOOK_RUNS") ?? "2");

/** A cell whose outputs the kernel is slow to send, or quick. */
function cell(i: number): string {
  const big = `"x".repeat(${i % 8 === 3 ? 400_000 : 10})`;
  return [
    `console.log("log ${i}"); ({ cell: ${i} })`,
    `"result ${i}"`,
    `await Deno.jupyter.display({ "text/plain": "shown ${i}", "text/html": ${big} }, { raw: true });`,
    `Deno.jupyter.display({ "text/plain": "shown ${i}" }, { raw: true }); console.error("log ${i}");`,
  ][i % 4]!;
}

function expected(i: number): string[] {
  return [
    [`log ${i}\n`, `{ cell: ${i} }`],
    [`"result ${i}"`],
    [`shown ${i}`],
    [`Promise { undefined }`, `log ${i}\n`, `shown ${i}`],
  ][i % 4]!;
}

Deno.test(`${RUNS} runs of forty cells lose no output and misplace none`, async () => {
  const notebook = notebookOf(...Array.from({ length: 40 }, (_, i) => cell(i)));
  for (let run = 0; run < RUNS; run++) {
    const { notebook: { cells }, error } = await runNotebook(path, notebook);
    assert.equal(error, null);
    cells.forEach((each, i) => {
      const outputs = each.outputs!.map(said).filter((text) => !text.startsWith("Promise"));
      const wanted = expected(i).filter((text) => !text.startsWith("Promise"));
      assert.deepEqual(outputs.sort(), wanted.sort(), `cell ${i} of run ${run}`);
      assert.equal(each.execution_count, i + 1);
    });
  }
});

Deno.test("two runs give the same notebook", async () => {
  const notebook = notebookOf(
    "# Text",
    "console.log(1); console.log(2); await new Promise((r) => setTimeout(r, 20)); console.log(3);",
    "const shown = { a: [1, 2] };\nshown",
    "",
  );
  const first = await runNotebook(path, notebook), second = await runNotebook(path, notebook);
  assert.deepEqual(first.notebook, second.notebook);
  const [, logged, , empty] = first.notebook.cells;
  assert.deepEqual(logged!.outputs, [
    { name: "stdout", output_type: "stream", text: ["1\n", "2\n", "3\n"] },
  ]);
  assert.deepEqual([empty!.execution_count, empty!.outputs], [null, []]);
  const again = await runNotebook(path, first.notebook);
  assert.deepEqual(again.notebook, first.notebook, "outputs of an earlier run change nothing");
});

Deno.test("a cell that throws ends the run, and its place and words are told", async () => {
  const cells = ["const a = 1;", "# Text", "\nthrow new RangeError(`planted ${a}`);", "a"];
  const { error, notebook } = await runNotebook(path, notebookOf(...cells));
  assert.match(error!, /^cell 3 \(throw new RangeError.*RangeError: planted 1/s);
  assert.equal(notebook.cells[2]!.outputs![0]!.output_type, "error");
  assert.equal(notebook.cells[3]!.execution_count, null);
});

for (const thrown of ["undefined", "null"]) {
  Deno.test(`a cell that throws ${thrown} is no unknown error`, async () => {
    const { error } = await runNotebook(path, notebookOf(`throw ${thrown};`));
    assert.match(error!, /^cell 1 .*: undefined was thrown \(or null/);
  });
}

Deno.test("a cell whose error says null is told by its words", async () => {
  const { error } = await runNotebook(path, notebookOf(`throw new Error("null");`));
  assert.match(error!, /Error: null/);
});

Deno.test("code that cannot be parsed fails, though the kernel says nothing of it", async () => {
  const { error } = await runNotebook(path, notebookOf("let y = = 3;"));
  assert.match(error!, /^cell 1 /);
});

for (
  const [what, code, words] of [
    ["a rejected promise", `Promise.reject(new Error("planted")); 1`, "Error: planted"],
    ["a late rejection in the last cell", `setTimeout(() => Promise.reject("late"), 50);`, "late"],
    ["an error in a timer", `setTimeout(() => { throw new TypeError("timer") }, 0);`, "timer"],
  ] as const
) {
  Deno.test(`${what} that nobody awaits fails the notebook`, async () => {
    const { error } = await runNotebook(path, notebookOf(code));
    assert(error?.startsWith("cell 1") && error.includes(words), `error: ${error}`);
  });
}

Deno.test("a rejection that is handled is none", async () => {
  const { error } = await runNotebook(
    path,
    notebookOf(`await Promise.reject(1).catch(() => {}); try { await Promise.reject(2) } catch {}`),
  );
  assert.equal(error, null);
});

Deno.test("a kernel that dies is the error of its cell", async () => {
  const { error } = await runNotebook(path, notebookOf("1", `Deno.exit(4);`));
  assert.match(error!, /^cell 2 .*ended by itself \(exit code 4\)/);
});

Deno.test("a kernel that hangs is ended, and the cell is named", async () => {
  const { error, notebook } = await runNotebook(path, notebookOf("Deno.pid", "for (;;);"), {
    cellSeconds: 4, // the first cell takes milliseconds, but machines may be slow
  });
  assert.match(error!, /^cell 2 .*took longer than 4 s/);
  assert(!isAlive(Number(said(notebook.cells[0]!.outputs![0]!))), "the kernel is gone");
});

Deno.test("an aborted signal ends the kernel and the run", async () => {
  const controller = new AbortController();
  const started = join(folder, "started");
  const code = `Deno.writeTextFileSync(${JSON.stringify(started)}, String(Deno.pid)); for (;;);`;
  const run = runNotebook(path, notebookOf(code), { signal: controller.signal });
  const isStarted = () => {
    try {
      return Deno.readTextFileSync(started) !== "";
    } catch {
      return false;
    }
  };
  while (!isStarted()) await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort(new Error("enough"));
  await assert.rejects(run, /enough/);
  assert(!isAlive(Number(Deno.readTextFileSync(started))), "the kernel is gone");
});

Deno.test("a display that is updated changes where it stands, a cleared cell begins anew", async () => {
  const display = (text: string, more: string) =>
    `await Deno.jupyter.display({ "text/plain": "${text}" }, { raw: true${more} });`;
  const { notebook } = await runNotebook(
    path,
    notebookOf(
      display("old", `, display_id: "one"`),
      display("new", `, display_id: "one", update: true`),
    ),
  );
  assert.deepEqual(notebook.cells.map(({ outputs }) => outputs!.map(said)), [["new"], []]);
});

Deno.test("the kernel needs no port and no process once it has ended", async () => {
  const kernel = await Kernel.start({ cwd: folder });
  assert(isAlive(kernel.pid), "it runs");
  await kernel[Symbol.asyncDispose]();
  assert(!isAlive(kernel.pid), "it is gone");
  await assert.rejects(kernel.execute("1", 5));
});

Deno.test("another protocol at the port is told, and does not hang", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = (async () => {
    const connection = await listener.accept();
    await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n".padEnd(80)));
    connection.close();
  })();
  await assert.rejects(ZmtpSocket.connect(listener.addr.port, "SUB"), /another protocol/);
  await answer;
  listener.close();
});

Deno.test("types are checked by cell and line, also beside a notebook that cannot be parsed", async () => {
  const notebooks = {
    fine: notebookOf("const a: number = 1;", "await Promise.resolve(a)"),
    type: notebookOf("# Text", "const b = 1;\n\nconst c: string = b;"),
    syntax: notebookOf("const d = = 1;"),
  };
  const folder = folderOf(notebooks);
  const files = Object.entries(notebooks).map(([name, notebook]) => ({
    path: join(folder, `${name}.ipynb`),
    notebook,
  }));
  const findings = await checkTypes(files);
  assert.deepEqual([...findings.keys()].sort(), [files[2]!.path, files[1]!.path].sort());
  assert.match(findings.get(files[1]!.path)!, /TS2322.*at cell 2, line 3$/s);
  assert.match(findings.get(files[2]!.path)!, /at cell 1, line 1/);
  assert.deepEqual([...Deno.readDirSync(folder)].length, 3, "nothing is left behind");
});

Deno.test("types are checked whatever the notebook and its folder are called", async () => {
  const folder = join(temporaryFolder(), "gl*b [a]{b} ü?");
  Deno.mkdirSync(folder);
  const names = ["star*[x]", "a{b,c}", "what?", "50 % ü", "plain"];
  const files = names.map((name, i) => ({
    path: join(folder, `${name}.ipynb`),
    notebook: notebookOf(i === 4 ? "const a = 1;" : "\nconst n: number = 'x';"),
  }));
  const findings = await checkTypes(files);
  assert.deepEqual([...findings.keys()].sort(), files.slice(0, 4).map(({ path }) => path).sort());
  for (const said of findings.values()) assert.match(said, /TS2322.*\n\s+at cell 1, line 2$/s);
  assert.deepEqual([...Deno.readDirSync(folder)], [], "nothing is left behind");
});

Deno.test("what killed checks left behind goes with the next, nothing else does", async () => {
  const gone = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  await gone.status;
  const notebook = notebookOf("1");
  const folder = folderOf({ a: notebook });
  const kept = [
    `.a.check-${Deno.pid}.ts`,
    `.notebook.check-${Deno.pid}-900000.ts`,
    `a.check-${gone.pid}.ts`,
    `.a.check-.ts`,
    `.a.check-${gone.pid}.txt`,
  ];
  const left = [`.a.check-${gone.pid}.ts`, `.notebook.check-${gone.pid}-0.ts`];
  for (const name of [...kept, ...left]) Deno.writeTextFileSync(join(folder, name), "");
  await checkTypes([{ path: join(folder, "a.ipynb"), notebook }]);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(names.sort(), [...kept, "a.ipynb"].sort());
});

for (
  const [text, words] of [
    ["{", /must be JSON/],
    ["[]", /nbformat must be 4, current value is nothing/],
    [`{"cells":[],"metadata":{},"nbformat":3,"nbformat_minor":0}`, /nbformat must be 4.* is 3/],
    [`{"cells":[{"cell_type":"code"}],"metadata":{},"nbformat":4,"nbformat_minor":5}`, /cell 1/],
    [
      `{"cells":[],"metadata":{"kernelspec":{"name":"python3"}},"nbformat":4,"nbformat_minor":5}`,
      /kernel must be deno.*python3/,
    ],
  ] as const
) {
  Deno.test(`a file that is no notebook for Deno is told: ${words.source}`, () => {
    const folder = folderOf({ bad: text });
    assert.throws(() => readNotebook(join(folder, "bad.ipynb")), words);
  });
}

for (
  const [what, code, words] of [
    ["more text than anybody reads", `for (let i = 0; i < 12; i++) console.log("x".repeat(1e6));`],
    ["one message that the kernel tears", `console.log("x".repeat(15e6)); 1`],
    [
      "a display of 12 MB",
      `await Deno.jupyter.display({ "text/plain": "x".repeat(12e6) }, { raw: true });`,
    ],
  ].map(([what, code]) => [what!, code!, /display less/] as const)
) {
  Deno.test(`${what} is refused, and not half kept`, async () => {
    const { error, notebook } = await runNotebook(path, notebookOf(code));
    assert.match(error!, words);
    assert(JSON.stringify(notebook).length < 10_000, "nothing of it is kept");
  });
}

Deno.test("a cell that prints many lines keeps them all, in order", async () => {
  const code = `for (let i = 0; i < 300; i++) console.log(i);`;
  const { error, notebook } = await runNotebook(path, notebookOf(code));
  assert.equal(error, null);
  const text = Array.from({ length: 300 }, (_, i) => `${i}\n`);
  assert.deepEqual(notebook.cells[0]!.outputs, [{ name: "stdout", output_type: "stream", text }]);
});

Deno.test({
  name: "programs that cells started end with the kernel",
  ignore: Deno.build.os === "windows", // it has no groups of processes
  fn: async () => {
    const code = `const child = new Deno.Command("sleep", { args: ["600"], stdin: "null" }).spawn();
child.unref();
child.pid`;
    const { error, notebook } = await runNotebook(path, notebookOf(code));
    assert.equal(error, null);
    const pid = Number(said(notebook.cells[0]!.outputs![0]!));
    assert(await isGone(pid), "the program is gone");
  },
});
