import { METRICS } from "../training/run/_json_file.ts";
import { countAt, memberAt, numberAt } from "./_json.ts";

/** Where the metrics of a run end. */
export interface LastMetrics {
  readonly steps: number | null;
  readonly epochs: number | null;
  readonly validationLoss: number | null;
  /** A whole line that is no record; null if there is none in what was read. */
  readonly problem: string | null;
}

/** First read, then how much more, at most. */
const FIRST_BYTES = 1 << 16, GROWTH = 16, MOST_BYTES = 1 << 26;

/** Reads the end of a metrics file, as much as it takes to find the last epoch. */
export function lastMetrics(path: string): LastMetrics {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  for (let length = FIRST_BYTES;; length *= GROWTH) {
    const start = Math.max(0, size - Math.min(length, MOST_BYTES));
    const found = summarise(linesFrom(file, start, size));
    if (found.epochs !== null || start === 0 || length >= MOST_BYTES) return found;
  }
}

/** Whole lines from a place on; the first is left out unless the file begins with it. */
function linesFrom(file: Deno.FsFile, start: number, end: number): string[] {
  const bytes = new Uint8Array(end - start);
  file.seekSync(start, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < bytes.length) {
    const read = file.readSync(bytes.subarray(filled));
    if (read === null) break; // it has become shorter
    filled += read;
  }
  const lines = new TextDecoder().decode(bytes.subarray(0, filled)).split("\n");
  return lines.slice(start === 0 ? 0 : 1, -1);
}

function summarise(lines: readonly string[]): LastMetrics {
  let steps: number | null = null, problem: string | null = null;
  for (const line of lines.toReversed()) {
    const record = parse(line);
    const step = countAt(record, "global_step");
    if (step === null) {
      problem ??= `${METRICS} has a line that is no record: ${line.slice(0, 60)}`;
      continue;
    }
    steps ??= step;
    if (memberAt(record, "train/loss_epoch") === undefined) continue;
    const validationLoss = numberAt(record, "val/loss_epoch");
    return { steps, epochs: countAt(record, "epoch"), validationLoss, problem };
  }
  return { steps, epochs: null, validationLoss: null, problem };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
