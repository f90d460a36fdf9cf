import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { basename, join } from "node:path";
import {
  checkTypes,
  formatNotebook,
  type Notebook,
  type NotebookRun,
  readNotebook,
  runNotebook,
} from "../../lib/notebooks/mod.ts";
import { testCache } from "./_notebook.ts";

const folder = fileURLToPath(new URL("../../notebooks", import.meta.url));
const files = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".ipynb"))
  .map(({ name }) => join(folder, name)).sort()
  .map((path) => ({ path, notebook: readNotebook(path) }));

Deno.test("the types of all notebooks are right", async () => {
  assert.deepEqual(await checkTypes(files), new Map());
});

Deno.test("all notebooks run, twice with the same results, and their files hold outputs", async (t) => {
  const results = await runTwice(await testCache());
  for (const [i, { path, notebook }] of files.entries()) {
    await t.step(basename(path), () => {
      const [first, second] = results[i]!;
      assert.equal(first.error, null);
      assert.equal(second.error, null);
      assert.deepEqual(second.notebook, first.notebook, "another result the second time");
      // Numbers may differ in their last digits from processor to processor.
      assert.deepEqual(kinds(notebook), kinds(first.notebook), "run deno task notebook");
      assert(formatNotebook(notebook).length < 800_000, "a large file");
    });
  }
});

/** Each notebook's two runs; two notebooks at a time, after the first has made the recording. */
async function runTwice(env: Readonly<Record<string, string>>) {
  const results: (readonly [NotebookRun, NotebookRun])[] = [];
  const twice = async (i: number) => {
    const { path, notebook } = files[i]!;
    const first = await runNotebook(path, notebook, { env });
    results[i] = [first, await runNotebook(path, first.notebook, { env })];
  };
  await twice(0);
  const waiting = files.keys().drop(1); // both take the next one from it
  await Promise.all([1, 2].map(async () => {
    for (const i of waiting) await twice(i);
  }));
  return results;
}

function kinds({ cells }: Notebook): string[][] {
  return cells.map(({ outputs = [] }) => outputs.map(({ output_type }) => output_type));
}
