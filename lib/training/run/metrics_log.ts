import { writeAll } from "../../formats/_partial_file.ts";

/** One line of a metrics file: names such as `train/loss_step`, numbers, null where there is none. */
export type MetricsRecord = Readonly<Record<string, number | string | null>>;

/**
 * The metrics of a run, one JSON object per line, each with its `global_step`. A line counts once its
 * line end is written: opening the file drops a line that a killed process left half-written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MetricsLog, readMetrics } from "./metrics_log.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/metrics.jsonl`;
 * {
 *   using log = MetricsLog.open(path);
 *   log.append({ global_step: 1, "train/loss_step": 0.5 });
 *   log.append({ global_step: 2, "train/loss_step": 0.25 });
 * }
 * using again = MetricsLog.open(path, { upToStep: 1 }); // the run goes on from step 1
 * assert.deepEqual(readMetrics(path), [{ global_step: 1, "train/loss_step": 0.5 }]);
 * ```
 */
export class MetricsLog implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Opens a metrics file to append to it.
   *
   * @param path the file; made if it is not there
   * @param options `upToStep`: lines of later steps are removed, for a run that goes on from there;
   * default all lines stay
   * @returns the open file
   * @throws {SyntaxError} when a whole line is not a record
   */
  static open(path: string, options: { readonly upToStep?: number } = {}): MetricsLog {
    const { upToStep = Infinity } = options;
    const file = Deno.openSync(path, { read: true, write: true, create: true });
    try {
      const bytes = Deno.readFileSync(path);
      file.truncateSync(keptBytes(bytes, upToStep, path));
      file.seekSync(0, Deno.SeekMode.End);
      return new MetricsLog(file);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Appends one line. Numbers that are not finite are written as text, `NaN` or `Infinity`.
   *
   * @param record names and values
   */
  append(record: MetricsRecord): void {
    const line = JSON.stringify(
      record,
      (_, value) => typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
    );
    writeAll(this.#file, new TextEncoder().encode(`${line}\n`));
  }

  /** Writes what was appended through to the disk. */
  sync(): void {
    this.#file.syncDataSync();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Reads the whole lines of a metrics file.
 *
 * @param path the file
 * @returns its records, in order; a last line without line end is left out
 * @throws {SyntaxError} when a whole line is not a record
 */
export function readMetrics(path: string): MetricsRecord[] {
  return [...wholeLines(Deno.readFileSync(path), path)].map(({ record }) => record);
}

/** Bytes up to the first line of a later step, or up to the last line end. */
function keptBytes(bytes: Uint8Array, upToStep: number, path: string): number {
  let kept = 0;
  for (const { end, record } of wholeLines(bytes, path)) {
    if (Number(record.global_step) > upToStep) break;
    kept = end;
  }
  return kept;
}

function* wholeLines(bytes: Uint8Array, path: string) {
  const decoder = new TextDecoder();
  for (let start = 0, line = 1;; line++) {
    const end = bytes.indexOf(10, start) + 1;
    if (end === 0) return;
    yield { end, record: parseRecord(decoder.decode(bytes.subarray(start, end - 1)), path, line) };
    start = end;
  }
}

function parseRecord(text: string, path: string, line: number): MetricsRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (
    typeof value === "object" && value !== null &&
    Number.isFinite((value as MetricsRecord).global_step)
  ) {
    return value as MetricsRecord;
  }
  throw new SyntaxError(
    `Cannot read metrics: line ${line} of ${path} must be a JSON object with a global_step, ` +
      `current value is ${JSON.stringify(text.slice(0, 80))}. Remove the line, or the file.`,
  );
}
