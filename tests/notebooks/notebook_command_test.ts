import assert from "node:assert/strict";
import { join } from "node:path";
import { readNotebook } from "../../lib/notebooks/mod.ts";
import { end, run, start } from "../programs/_command.ts";
import { folderOf, isAlive, isGone, notebookOf, said } from "./_notebook.ts";
import { temporaryPath } from "../_temporary.ts";

const FIGURE = `const figure = { data: [{ y: [1, 2] }], layout: {} };
await Deno.jupyter.display({ "application/vnd.plotly.v1+json": figure }, { raw: true });`;

Deno.test("planted faults fail the command and leave their files, the others run", async () => {
  const folder = folderOf({
    a_good: notebookOf("# *Title*", "const a = 1;\na", FIGURE),
    b_error: notebookOf(`throw new Error("planted");`),
    c_type: notebookOf(`const n: number = "one";`),
    d_rejection: notebookOf(`Promise.reject(new Error("planted"));`),
  });
  const before = Deno.readTextFileSync(join(folder, "b_error.ipynb"));
  const pages = join(folder, "pages");
  const { code, stdout, stderr } = await run("notebook.ts", [folder, "--json", "--html", pages]);
  assert.equal(code, 1, stderr);
  const { notebooks } = JSON.parse(stdout) as {
    notebooks: {
      file: string;
      cells: number;
      ok: boolean;
      seconds: number;
      error: string | null;
    }[];
  };
  assert.deepEqual(notebooks.map(({ ok, cells }) => [ok, cells]), [
    [true, 2],
    [false, 1],
    [false, 0],
    [false, 1],
  ]);
  assert.match(notebooks[1]!.error!, /cell 1 .*planted/s);
  assert.match(notebooks[2]!.error!, /TS2322.*cell 1, line 1/s);
  assert.match(notebooks[3]!.error!, /promise was rejected.*planted/s);
  assert.equal(Deno.readTextFileSync(join(folder, "b_error.ipynb")), before);
  const good = readNotebook(join(folder, "a_good.ipynb"));
  assert.equal(said(good.cells[1]!.outputs![0]!), "1");
  const page = Deno.readTextFileSync(join(pages, "a_good.html"));
  assert.match(page, /<em>Title<\/em>/);
  assert.equal(page.match(/plotly\.js v\d/g)?.length, 1, "the library once");
  assert(!/<(script|link|img)[^>]*(src|href)="http/.test(page), "nothing from the network");
  assert.deepEqual([...Deno.readDirSync(pages)].map(({ name }) => name), ["a_good.html"]);
});

Deno.test("--check says whether the outputs in the file are those of a run, and writes nothing", async () => {
  const folder = folderOf({ a: notebookOf("1 + 1") });
  const path = join(folder, "a.ipynb");
  const empty = Deno.readTextFileSync(path);
  const differs = await run("notebook.ts", [path, "--check"]);
  assert.deepEqual([differs.code, Deno.readTextFileSync(path)], [1, empty]);
  assert.match(differs.stderr, /outputs differ/);
  assert.equal((await run("notebook.ts", [path])).code, 0);
  const saved = Deno.statSync(path);
  assert.equal((await run("notebook.ts", [path, "--check"])).code, 0);
  assert.equal((await run("notebook.ts", [path])).code, 0);
  assert.deepEqual(
    Deno.statSync(path).mtime,
    saved.mtime,
    "the same outputs are not written again",
  );
});

for (const more of [[], ["--check"]]) {
  Deno.test(`a file that is edited while it runs stays as edited ${more}`, async () => {
    const path = temporaryPath("edited.ipynb");
    const edited = JSON.stringify(notebookOf("'edited'"));
    const code = [path, edited].map((text) => JSON.stringify(text)).join(", ");
    const notebook = JSON.stringify(notebookOf(`Deno.writeTextFileSync(${code});`));
    Deno.writeTextFileSync(path, notebook);
    const pages = temporaryPath("pages");
    const { code: exit, stderr } = await run("notebook.ts", [path, "--html", pages, ...more]);
    assert.equal(exit, 1, stderr);
    assert.match(stderr, /changed while it ran/);
    assert.equal(Deno.readTextFileSync(path), edited);
  });
}

Deno.test("a file that is removed while it runs is not made again, and the next one runs", async () => {
  const folder = folderOf({ b: notebookOf("1 + 1") }), path = join(folder, "a.ipynb");
  const removal = notebookOf(`Deno.removeSync(${JSON.stringify(path)});`);
  Deno.writeTextFileSync(path, JSON.stringify(removal));
  const { code, stdout, stderr } = await run("notebook.ts", [folder]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /changed while it ran/);
  assert.match(stdout, /1 of 2 notebooks ran/);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["b.ipynb"]);
});

Deno.test("wrong usage ends with 2, a path that is not there with 1", async () => {
  const folder = folderOf({ a: notebookOf("1") });
  assert.equal((await run("notebook.ts", [folder, "--htlm", "x"])).code, 2);
  assert.equal((await run("notebook.ts", [join(folder, "a.txt")])).code, 1);
});

/** Starts a notebook that never ends, and waits until its kernel runs. */
async function endless() {
  const pid = temporaryPath("pid");
  const code = `Deno.writeTextFileSync(${JSON.stringify(pid)}, String(Deno.pid)); for (;;);`;
  const folder = folderOf({ endless: notebookOf(code) });
  const child = start("notebook.ts", [folder]);
  for (;;) {
    try {
      const kernel = Number(Deno.readTextFileSync(pid));
      if (kernel > 0) return { child, kernel };
    } catch {
      // not yet
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test("Ctrl-C ends the kernel, and the command with 130", async () => {
  const { child, kernel } = await endless();
  child.kill("SIGINT");
  const { code } = await end(child);
  assert.equal(code, 130);
  assert(!isAlive(kernel), "the kernel is gone");
});

Deno.test("the kernel ends when the command is killed, even in an endless loop", async () => {
  const { child, kernel } = await endless();
  child.kill("SIGKILL");
  await end(child);
  assert(await isGone(kernel), "the kernel is gone");
});
