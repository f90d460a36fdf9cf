import { dirname } from "node:path";
import { Kernel } from "./kernel.ts";
import { cellText, isCode, type Notebook, type NotebookCell } from "./notebook.ts";
import { OutputLog } from "./_outputs.ts";

/** Options of {@linkcode runNotebook}. */
export interface RunOptions {
  /** How long a cell may take, in seconds; default 120. */
  readonly cellSeconds?: number;
  /** Ends the run. */
  readonly signal?: AbortSignal;
  /** Further environment variables of the cells. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told before each cell: its number among the cells with code, from 1, and how many there are. */
  readonly onCell?: (number: number, count: number) => void;
}

/** What a run of a notebook gave. */
export interface NotebookRun {
  /** The notebook with its outputs; if a cell failed, up to that cell. */
  readonly notebook: Notebook;
  /** Cells with code. */
  readonly cells: number;
  /** What went wrong and in which cell; null if nothing did. */
  readonly error: string | null;
}

const CELL_SECONDS = 120;
/** After the last cell, rejections are waited for so long. */
const SETTLE_MS = 200;
const KERNEL = { display_name: "Deno", language: "typescript", name: "deno" };
const LANGUAGE = {
  codemirror_mode: "typescript",
  file_extension: ".ts",
  mimetype: "text/x.typescript",
  name: "typescript",
  nbconvert_exporter: "script",
  pygments_lexer: "typescript",
};

/**
 * Runs the cells of a notebook in Deno's real kernel, in its folder, up to the first that fails. All
 * outputs are under the cell that made them, and nothing in them depends on when or where it ran,
 * unless the cells themselves do.
 *
 * @param path of the `.ipynb` file; the file is not changed
 * @param notebook its contents
 * @param options limits
 * @returns the outputs; a cell that throws, a promise rejected that nobody awaits, a kernel that dies
 * or takes too long are its `error`
 * @throws the signal's reason when it is aborted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { runNotebook } from "./mod.ts";
 *
 * const cells = [{ cell_type: "code", metadata: {}, source: "[1, 2].map((x) => 2 * x)" }];
 * const notebook = { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
 * const run = await runNotebook(`${Deno.makeTempDirSync()}/a.ipynb`, notebook);
 * assert.equal(run.error, null);
 * assert.deepEqual(run.notebook.cells[0]!.outputs![0]!.data, { "text/plain": ["[ 2, 4 ]"] });
 * ```
 */
export async function runNotebook(
  path: string,
  notebook: Notebook,
  options: RunOptions = {},
): Promise<NotebookRun> {
  const { cellSeconds = CELL_SECONDS, signal, env, onCell } = options;
  const places = notebook.cells.flatMap((cell, i) => isCode(cell) ? [i] : []);
  const log = new OutputLog();
  let error: string | null = null;
  try {
    await using kernel = await Kernel.start({
      cwd: dirname(path),
      ...(signal === undefined ? {} : { signal }),
      ...(env === undefined ? {} : { env }),
    });
    for (const [k, place] of places.entries()) {
      onCell?.(k + 1, places.length);
      log.begin();
      const isLast = k + 1 === places.length;
      const end = await executed(
        kernel,
        cellText(notebook.cells[place]!),
        cellSeconds,
        isLast ? SETTLE_MS : 0,
      );
      for (const message of end.messages) log.add(message, k + 1);
      const failure = end.error ?? log.limit();
      if (failure === null) continue;
      error = describe(notebook.cells[place]!, place, failure);
      break;
    }
  } catch (reason) {
    signal?.throwIfAborted();
    error = `Cannot run ${path}: ${(reason as Error).message}`;
  }
  signal?.throwIfAborted();
  return { notebook: withOutputs(notebook, places, log), cells: places.length, error };
}

/** As `Kernel.execute`; a kernel that died or hangs is the error of its cell. */
async function executed(kernel: Kernel, code: string, seconds: number, settleMs: number) {
  try {
    return await kernel.execute(code, seconds, settleMs);
  } catch (reason) {
    return { error: (reason as Error).message, messages: [] };
  }
}

function describe(cell: NotebookCell, place: number, error: string): string {
  const first = cellText(cell).split("\n").find((line) => line.trim() !== "")!.trim();
  return `cell ${place + 1} (${first.length > 60 ? `${first.slice(0, 59)}…` : first}): ${error}`;
}

function withOutputs(notebook: Notebook, places: readonly number[], log: OutputLog): Notebook {
  const outputs = log.cells;
  const cells = notebook.cells.map((cell, i): NotebookCell => {
    if (cell.cell_type !== "code") return cell;
    const k = places.indexOf(i), ran = k >= 0 && k < outputs.length;
    return { ...cell, execution_count: ran ? k + 1 : null, outputs: ran ? outputs[k]! : [] };
  });
  const metadata = { kernelspec: KERNEL, language_info: LANGUAGE };
  return { ...notebook, cells, metadata: { ...notebook.metadata, ...metadata } };
}
