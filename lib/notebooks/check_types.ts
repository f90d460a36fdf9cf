import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isRunning, removeIfThere } from "../formats/_partial_file.ts";
import { cellText, isCode, type Notebook } from "./notebook.ts";

/** A notebook to check, and where it lies. */
export interface NotebookFile {
  /** Path of the `.ipynb` file. */
  readonly path: string;
  /** Its contents. */
  readonly notebook: Notebook;
}

/** The code of a notebook as a module. */
interface Module {
  readonly notebook: string;
  readonly path: string;
  /** Of its file, as no other file is named. */
  readonly name: string;
  readonly text: string;
  /** By line of the module: number of the cell among all cells, from 1, and line in it. */
  readonly places: readonly (readonly [cell: number, line: number])[];
}

/** A module that a check left behind when it was killed, by process. */
const LEFTOVER = /^\..*\.check-(\d+)(?:-\d+)?\.ts$/;
let modulesMade = 0;

/** What the compiler says beside its findings. */
const NO_FINDING = /^(error: Type checking failed|Found \d+ errors|Stack backtrace)/;

/**
 * Checks the types of notebooks, which Deno's kernel never does: the code of each becomes a module,
 * beside the notebook as long as the check lasts. So the names at the top level of a notebook must
 * differ.
 *
 * @param files the notebooks
 * @param options `signal` ends the check
 * @returns by path, what the compiler says, with cells and lines; only notebooks with findings
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkTypes } from "./mod.ts";
 *
 * const cells = [{ cell_type: "code", source: 'const n: number = "one";' }];
 * const notebook = { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
 * const path = `${Deno.makeTempDirSync()}/a.ipynb`;
 * assert.match((await checkTypes([{ path, notebook }])).get(path)!, /cell 1, line 1/);
 * ```
 */
export async function checkTypes(
  files: readonly NotebookFile[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Map<string, string>> {
  const modules = files.map(moduleOf);
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) removeLeftovers(folder);
  try {
    for (const { path, text } of modules) Deno.writeTextFileSync(path, text);
    return await findingsOf(modules, options);
  } finally {
    for (const { path } of modules) {
      try {
        Deno.removeSync(path);
      } catch {
        // it was never written
      }
    }
  }
}

/** By notebook, what the compiler says. */
async function findingsOf(
  modules: readonly Module[],
  options: { readonly signal?: AbortSignal },
): Promise<Map<string, string>> {
  const findings = new Map<string, string>();
  for (let left = modules; left.length > 0;) {
    const said = await denoCheck(left, options);
    if (said === null) break;
    const blocks = said.split(/\n\n+(?!\s)/).filter((block) => !NO_FINDING.test(block));
    const found = Map.groupBy(blocks, (block) => left.find(({ name }) => block.includes(name)));
    for (const [module, said] of found) {
      for (const { notebook } of module === undefined ? left : [module]) {
        findings.set(notebook, said.map((block) => placed(block, left)).join("\n\n"));
      }
    }
    // A module that cannot be parsed hides the findings in all others.
    const isParsed = blocks.some((block) => /^TS\d+ /m.test(block));
    left = isParsed ? [] : left.filter(({ notebook }) => !findings.has(notebook));
  }
  return findings;
}

function moduleOf({ path, notebook }: NotebookFile): Module {
  const lines: string[] = [], places: [number, number][] = [];
  notebook.cells.forEach((cell, i) => {
    if (!isCode(cell)) return;
    cellText(cell).split("\n").forEach((line, k) => {
      lines.push(line);
      places.push([i + 1, k + 1]);
    });
    lines.push(";");
    places.push([i + 1, 1]);
  });
  const name = `.notebook.check-${Deno.pid}-${modulesMade++}.ts`;
  return {
    notebook: path,
    path: join(dirname(path), name),
    name,
    text: lines.join("\n") + "\nexport {};\n",
    places,
  };
}

/** Removes the modules of checks that no longer run. */
function removeLeftovers(folder: string): void {
  for (const { name, isFile } of Deno.readDirSync(folder)) {
    const pid = isFile ? LEFTOVER.exec(name)?.[1] : undefined;
    if (pid !== undefined && !isRunning(Number(pid))) removeIfThere(join(folder, name));
  }
}

/** What `deno check` says against modules; null if nothing. */
async function denoCheck(
  modules: readonly Module[],
  { signal }: { readonly signal?: AbortSignal },
): Promise<string | null> {
  signal?.throwIfAborted();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    // A path with * or [ would be a pattern; an address is none.
    args: ["check", "--quiet", ...modules.map(({ path }) => pathToFileURL(path).href)],
    cwd: dirname(modules[0]!.path),
    env: { NO_COLOR: "1" },
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
    ...(signal === undefined ? {} : { signal }),
  }).output();
  signal?.throwIfAborted();
  return success ? null : new TextDecoder().decode(stderr).trim();
}

function placed(text: string, modules: readonly Module[]): string {
  return modules.reduce((text, { name, places }) => {
    const address = `(?:at )?file://\\S*?/${RegExp.escape(name)}(?::(\\d+):\\d+)?`;
    return text.replace(new RegExp(address, "g"), (_, line) => {
      const place = line === undefined ? undefined : places[Number(line) - 1];
      return place === undefined ? "the notebook" : `at cell ${place[0]}, line ${place[1]}`;
    });
  }, text);
}
