import { writeFileAtomic } from "../formats/atomic_write.ts";
import { isRecord } from "../formats/_is_record.ts";

/** Text as notebooks hold it: one string, or its lines with their line breaks. */
export type MultilineText = string | readonly string[];

/** An output of a cell. */
export interface NotebookOutput {
  /** `stream`, `display_data`, `execute_result` or `error`. */
  readonly output_type: string;
  /** Its other fields, by type. */
  readonly [field: string]: unknown;
}

/** A cell of a notebook. */
export interface NotebookCell {
  /** `code`, `markdown` or `raw`. */
  readonly cell_type: string;
  /** What is written in it. */
  readonly source: MultilineText;
  /** Of code: what it said. */
  readonly outputs?: readonly NotebookOutput[];
  /** Of code: its number in the order of execution. */
  readonly execution_count?: number | null;
  /** Everything else. */
  readonly [field: string]: unknown;
}

/** A notebook, format 4 (nbformat.readthedocs.io). */
export interface Notebook {
  /** Its cells. */
  readonly cells: readonly NotebookCell[];
  /** Kernel and language. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** 4. */
  readonly nbformat: number;
  /** Minor version of the format. */
  readonly nbformat_minor: number;
}

/**
 * Reads a notebook for Deno's kernel.
 *
 * @param path of the `.ipynb` file
 * @returns its contents, as they are
 * @throws {SyntaxError} if the file is no notebook of format 4, or one for another kernel
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cellText, readNotebook } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/a.ipynb`;
 * const cells = [{ cell_type: "code", metadata: {}, source: ["1 +\n", "1"], outputs: [] }];
 * Deno.writeTextFileSync(
 *   path,
 *   JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
 * );
 * assert.equal(cellText(readNotebook(path).cells[0]!), "1 +\n1");
 * ```
 */
export function readNotebook(path: string): Notebook {
  const fail = (expected: string, found: unknown): never => {
    const value = JSON.stringify(found)?.slice(0, 80) ?? "nothing";
    throw new SyntaxError(
      `Cannot read the notebook ${path}: ${expected}, current value is ${value}. ` +
        "Save it again from Jupyter or VS Code.",
    );
  };
  const text = Deno.readTextFileSync(path);
  let value: Partial<Notebook> | null;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail(`it must be JSON (${(error as Error).message})`, text.slice(0, 40));
  }
  if (typeof value !== "object" || value === null) return fail("it must be an object", value);
  const { cells, metadata, nbformat, nbformat_minor } = value;
  if (nbformat !== 4) return fail("nbformat must be 4", nbformat);
  if (typeof nbformat_minor !== "number") {
    return fail("nbformat_minor must be a number", nbformat_minor);
  }
  if (!isRecord(metadata)) return fail("metadata must be an object", metadata);
  if (!Array.isArray(cells)) return fail("cells must be a list", cells);
  cells.forEach((cell, i) => {
    if (!isRecord(cell) || typeof cell.cell_type !== "string" || !isText(cell.source)) {
      fail(`cell ${i + 1} must have cell_type and source`, cell);
    }
  });
  const kernel = isRecord(metadata.kernelspec) ? metadata.kernelspec.name : undefined;
  if (kernel !== undefined && kernel !== "deno") {
    return fail("its kernel must be deno", kernel);
  }
  return value as Notebook;
}

/**
 * Writes a notebook as Jupyter does: indented by one, with a line break at its end. The file is the
 * old one or the new one, whatever happens.
 *
 * @param path of the `.ipynb` file
 * @param notebook what to write
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readNotebook, writeNotebook } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/empty.ipynb`;
 * writeNotebook(path, { cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 });
 * assert.deepEqual(readNotebook(path).cells, []);
 * ```
 */
export function writeNotebook(path: string, notebook: Notebook): void {
  writeFileAtomic(path, formatNotebook(notebook));
}

/** Lists of numbers over many lines, which no text in JSON can look like. */
const NUMBERS = /\[\n\s*(?:[-+.\de]+|null)(?:,\n\s*(?:[-+.\de]+|null))*\n\s*\]/g;

/**
 * The text of a notebook's file.
 *
 * @param notebook what to write
 * @returns JSON, indented by one; numbers of figures stand on one line, which makes files five times
 * smaller
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatNotebook } from "./mod.ts";
 *
 * const text = formatNotebook({ cells: [], metadata: { a: [1, 2] }, nbformat: 4, nbformat_minor: 5 });
 * assert.match(text, /"a": \[1,2\]/);
 * ```
 */
export function formatNotebook(notebook: Notebook): string {
  const text = JSON.stringify(notebook, null, 1) + "\n";
  return text.replace(NUMBERS, (list) => list.replace(/\s+/g, ""));
}

/**
 * What is written in a cell.
 *
 * @param cell of a notebook
 * @returns its text
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cellText } from "./mod.ts";
 *
 * assert.equal(cellText({ cell_type: "markdown", source: ["# A\n", "b"] }), "# A\nb");
 * ```
 */
export function cellText(cell: NotebookCell): string {
  return typeof cell.source === "string" ? cell.source : cell.source.join("");
}

/** Whether a cell is code that does something. */
export function isCode(cell: NotebookCell): boolean {
  return cell.cell_type === "code" && cellText(cell).trim() !== "";
}

function isText(value: unknown): value is MultilineText {
  return typeof value === "string" ||
    Array.isArray(value) && value.every((line) => typeof line === "string");
}
