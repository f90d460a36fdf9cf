import type { KernelMessage } from "./_messages.ts";
import type { NotebookOutput } from "./notebook.ts";

type Fields = Record<string, unknown>;

/** An output, and the name under which a later cell may replace it. */
interface Kept {
  output: NotebookOutput;
  readonly displayId: string | undefined;
  /** Pieces of a stream, put together at the end. */
  readonly texts?: string[];
}

/** Of one cell; more is nothing that people read, and too large for a file. */
const MOST_CHARACTERS = 10_000_000;

/** The outputs of the cells of one run; what differs from run to run is left out. */
export class OutputLog {
  readonly #cells: Kept[][] = [];

  /** Begins the next cell. */
  begin(): void {
    this.#cells.push([]);
  }

  /** Takes a message of the kernel; others than outputs are ignored. */
  add({ type, content }: KernelMessage, count: number): void {
    const cell = this.#cells.at(-1)!;
    const fields = content as Fields;
    const displayId = (fields.transient as Fields | null | undefined)?.display_id;
    const keep = (output: NotebookOutput) =>
      cell.push({ output, displayId: displayId === undefined ? undefined : String(displayId) });
    switch (type) {
      case "stream": {
        const last = cell.at(-1), text = String(fields.text);
        if (last?.texts !== undefined && last.output.name === fields.name) last.texts.push(text);
        else {
          const output = { name: fields.name, output_type: type };
          cell.push({ output, displayId: undefined, texts: [text] });
        }
        break;
      }
      case "display_data":
        keep({ data: bundle(fields.data), metadata: fields.metadata ?? {}, output_type: type });
        break;
      case "execute_result":
        keep({
          data: bundle(fields.data),
          execution_count: count,
          metadata: fields.metadata ?? {},
          output_type: type,
        });
        break;
      case "error":
        keep({
          ename: fields.ename,
          evalue: fields.evalue,
          output_type: type,
          traceback: fields.traceback ?? [],
        });
        break;
      case "update_display_data":
        for (const kept of this.#cells.flat()) {
          if (kept.displayId !== undefined && kept.displayId === displayId) {
            kept.output = { ...kept.output, data: bundle(fields.data) };
          }
        }
        break;
      case "clear_output":
        cell.length = 0;
        break;
    }
  }

  /** The outputs of each cell so far. */
  get cells(): readonly (readonly NotebookOutput[])[] {
    return this.#cells.map((cell) =>
      cell.map(({ output, texts }) =>
        texts === undefined ? output : { ...output, text: lines(texts.join("")) }
      )
    );
  }

  /** Forgets what the latest cell said if that is too much, and says so; null if it is not. */
  limit(): string | null {
    const cell = this.#cells.at(-1)!;
    const size = cell.reduce(
      (sum, { output, texts }) =>
        (texts ?? [JSON.stringify(output)])
          .reduce((sum, text) => sum + text.length, sum),
      0,
    );
    if (size <= MOST_CHARACTERS) return null;
    cell.length = 0;
    return `Cannot keep its outputs: at most ${MOST_CHARACTERS} characters are kept, current value is ` +
      `${size}. Print or display less.`;
  }
}

/** Texts by lines, as Jupyter saves them; JSON and base64 stay. */
function bundle(data: unknown): Fields {
  const entries = Object.entries(data as Fields).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([mime, value]) => [
    mime,
    typeof value === "string" && (mime.startsWith("text/") || mime === "image/svg+xml")
      ? lines(value)
      : value,
  ]));
}

function lines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
