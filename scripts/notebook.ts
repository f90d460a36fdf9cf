/**
 * `deno task notebook [FILE…]`: runs notebooks on Deno's kernel and saves their outputs.
 *
 * @module
 */
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  formatDuration,
  numberFlag,
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { plural } from "../lib/episodes/_plural.ts";
import { writeFileAtomic } from "../lib/formats/atomic_write.ts";
import {
  checkTypes,
  formatNotebook,
  type NotebookFile,
  notebookPage,
  readNotebook,
  runNotebook,
  type RunOptions,
  writeNotebook,
} from "../lib/notebooks/mod.ts";

if (import.meta.main) {
  await runCommand({
    name: "notebook",
    summary: "Runs notebooks on Deno's kernel, as Jupyter would, and saves their outputs.",
    arguments: "[FILE...]",
    details: `Without FILE all notebooks of the project. A FILE may be a folder of notebooks.
First the types of all cells are checked, which the kernel never does: names at the top level of
a notebook must differ. Then each notebook runs in its folder. A cell that throws, an error that
nobody catches and a rejected promise that nobody awaits end it; the file then stays as it was.
Outputs hold no times of their own: cells that say the same give the same file, which is then
not written again; a file that is edited while it runs is never overwritten. With --check nothing is written at all: the file must be, byte by byte, what
this run would have saved, so that outputs in it are neither missing nor old.
Exit code 1 if a notebook failed; the others are run all the same.`,
    flags: {
      html: textFlag("write each notebook as a page into this folder too", { placeholder: "DIR" }),
      check: switchFlag("save nothing; a file that the run would change is a failure"),
      cellSeconds: numberFlag("how long a cell may take", { default: 120, min: 0.1 }),
    },
    run: async ({ html, check, cellSeconds }, context) => {
      const { print, note, warn, progress, signal } = context;
      const paths = findNotebooks(context.arguments);
      if (html !== undefined) assertDifferentNames(paths);
      note(`checking the types of ${plural(paths.length, "notebook")}`);
      const read = paths.map((path) =>
        attempt(() => ({ path, text: Deno.readTextFileSync(path), notebook: readNotebook(path) }))
      );
      const readable = read.flatMap((each) => each instanceof Error ? [] : [each]);
      const findings = await checkTypes(readable, { signal });
      const notebooks = [];
      for (const [i, path] of paths.entries()) {
        const start = performance.now(), file = relative(Deno.cwd(), path), each = read[i]!;
        const { cells, error } = each instanceof Error
          ? { cells: 0, error: each.message }
          : findings.has(path)
          ? { cells: 0, error: findings.get(path)! }
          : await runOne(each, { html, check }, {
            cellSeconds,
            signal,
            onCell: (cell, count) => progress.update(`${file}: cell ${cell} of ${count}`),
          });
        const seconds = (performance.now() - start) / 1000;
        progress.clear();
        if (error === null) print(`${file}: ${cells} cells in ${formatDuration(seconds)}`);
        else warn(`${file} failed: ${error}`);
        notebooks.push({ file, cells, ok: error === null, seconds, error });
      }
      const failed = notebooks.filter(({ ok }) => !ok).length;
      print(`${notebooks.length - failed} of ${plural(notebooks.length, "notebook")} ran`);
      return { document: { notebooks }, exitCode: failed > 0 ? 1 : 0 };
    },
  });
}

/** Runs a notebook, and saves or compares its outputs. */
async function runOne(
  { path, text, notebook }: NotebookFile & { readonly text: string },
  { html, check }: { readonly html: string | undefined; readonly check: boolean },
  options: RunOptions,
): Promise<{ cells: number; error: string | null }> {
  const run = await runNotebook(path, notebook, options);
  const { cells, error } = run;
  if (error !== null) return { cells, error };
  if (attempt(() => Deno.readTextFileSync(path)) !== text) {
    const advice = "Nothing was saved. Run deno task notebook again.";
    return { cells, error: `the file changed while it ran. ${advice}` };
  }
  const isSame = formatNotebook(run.notebook) === text;
  if (check && !isSame) {
    const advice = "Run deno task notebook, and look at what changed.";
    return { cells, error: `its outputs differ from those in the file. ${advice}` };
  }
  if (!isSame) writeNotebook(path, run.notebook);
  if (html !== undefined) {
    const name = basename(path, ".ipynb");
    Deno.mkdirSync(html, { recursive: true });
    writeFileAtomic(join(html, `${name}.html`), notebookPage(run.notebook, name));
  }
  return { cells, error };
}

/** The notebooks that were named, or all. */
function findNotebooks(names: readonly string[]): string[] {
  const project = fileURLToPath(new URL("../notebooks", import.meta.url));
  const paths = (names.length > 0 ? names : [project]).flatMap((name) => {
    const path = resolve(name);
    if (!Deno.statSync(path).isDirectory) {
      if (!path.endsWith(".ipynb")) {
        throw new UsageError(`Cannot run ${name}: it must be a notebook, *.ipynb, or a folder.`);
      }
      return [path];
    }
    const found = [...Deno.readDirSync(path)].filter(({ name, isFile }) =>
      isFile && name.endsWith(".ipynb")
    );
    if (found.length === 0) throw new Error(`Cannot run ${name}: no notebook (*.ipynb) is in it.`);
    return found.map(({ name }) => join(path, name)).sort();
  });
  return [...new Set(paths)];
}

function assertDifferentNames(paths: readonly string[]): void {
  const names = paths.map((path) => basename(path));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new UsageError(
      `Cannot write pages: two notebooks are named ${twice}. Run them one after the other, with ` +
        "folders of their own.",
    );
  }
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
