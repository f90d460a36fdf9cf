import type { NpyReader } from "../../formats/npy_reader.ts";

/** Rate of the rows where windows do not tell it, in hertz. */
const NOMINAL_HZ = 650;

/** Rows rebuilt from overlapping windows. */
export interface RebuiltRows {
  /** (M) times, in seconds. */
  readonly time: Float64Array<ArrayBuffer>;
  /** Rows that were lost between windows' ends, at places that the file does not tell. */
  readonly lostInWindows: number;
  /** Reads rows of the rebuilt stream. */
  readRowsInto(start: number, target: Float32Array): void;
}

/** A stretch of rebuilt rows that lies in one window. */
interface Piece {
  /** First row in the rebuilt stream. */
  readonly start: number;
  readonly rows: number;
  readonly window: number;
  /** First row in that window. */
  readonly from: number;
}

/**
 * The rows behind windows that were cut from one stream every 0.2 s or so and overlap: each window's
 * rows after the last row of the window before are new. Windows are dated by their last row; new rows
 * are spread evenly since the last row of the window before. Where fewer rows are new than time has
 * passed, rows were lost in between, and the new ones are dated backwards from the window's end at
 * the stream's rate: never earlier than they were measured, so that none is seen before its time.
 *
 * @param windows (W, size, width)
 * @param ends (W) time of each window's last row, in seconds
 * @param size rows of a window
 */
export function rebuildRows(windows: NpyReader, ends: Float64Array, size: number): RebuiltRows {
  const width = windows.rowLength / size;
  const pieces = findPieces(windows, ends, size, width);
  const { time, lost } = dateRows(pieces, ends);
  const held = { window: -1, values: new Float32Array(windows.rowLength) };
  return {
    time,
    lostInWindows: lost,
    readRowsInto(start, target) {
      const count = target.length / width;
      let p = pieces.findLastIndex((piece) => piece.start <= start);
      for (let done = 0; done < count;) {
        const piece = pieces[p++]!;
        const skip = start + done - piece.start;
        const rows = Math.min(piece.rows - skip, count - done);
        if (held.window !== piece.window) windows.readRowsInto(piece.window, held.values);
        held.window = piece.window;
        const at = (piece.from + skip) * width;
        target.set(held.values.subarray(at, at + rows * width), done * width);
        done += rows;
      }
    },
  };
}

/** The new rows of each window; windows without any are left out. */
function findPieces(
  windows: NpyReader,
  ends: Float64Array,
  size: number,
  width: number,
): Piece[] {
  const pieces: Piece[] = [];
  const values = new Float32Array(windows.rowLength);
  const bits = new Uint32Array(values.buffer); // compared as bits: a NaN equals itself
  let last: Uint32Array | undefined;
  let start = 0;
  for (let window = 0; window < windows.rows; window++) {
    windows.readRowsInto(window, values);
    const expected = window === 0 ? 0 : size - NOMINAL_HZ * (ends[window]! - ends[window - 1]!);
    const from = last === undefined ? 0 : rowsSeen(bits, last, width, Math.round(expected));
    const rows = size - from;
    if (rows > 0) pieces.push({ start, rows, window, from });
    start += rows;
    last = bits.slice((size - 1) * width, size * width);
  }
  return pieces;
}

function dateRows(pieces: readonly Piece[], ends: Float64Array) {
  const sinceLast = (p: number) => ends[pieces[p]!.window]! - ends[pieces[p - 1]!.window]!;
  const rates = pieces.map((piece, p) => p > 0 && piece.from > 0 ? piece.rows / sinceLast(p) : NaN)
    .filter((rate) => rate > 0 && Number.isFinite(rate)).sort((a, b) => a - b);
  // Windows that lost rows look slower, so the fast ones tell the rate; and never below the nominal
  // one, because a rate too high dates rows too late, one too low would date them before their time.
  const fast = rates.filter((each) => each > 0.985 * rates[Math.floor(rates.length * 0.9)]!);
  const rate = Math.max(NOMINAL_HZ, fast[fast.length >> 1] ?? 0);
  const count = pieces.length === 0 ? 0 : pieces.at(-1)!.start + pieces.at(-1)!.rows;
  const time = new Float64Array(count);
  let lost = 0;
  pieces.forEach(({ start, rows, window, from }, p) => {
    const passed = p > 0 ? sinceLast(p) : 0;
    const missing = p > 0 && passed > 0 ? Math.round(passed * rate) - rows : 0;
    lost += Math.max(0, missing);
    const isWhole = from > 0 && passed > 0 && missing <= 0;
    const step = isWhole ? passed / rows : 1 / rate;
    for (let k = 0; k < rows; k++) time[start + k] = ends[window]! - (rows - 1 - k) * step;
  });
  return { time, lost };
}

/**
 * How many rows of the window were in the one before: up to and with that one's last row. Where several
 * rows look like it, as a sensor that is stuck makes them, the one where time says it should be counts.
 */
function rowsSeen(
  window: Uint32Array,
  last: Uint32Array,
  width: number,
  expected: number,
): number {
  let best = 0;
  for (let row = window.length / width - 1; row >= 0; row--) {
    let k = 0;
    while (k < width && window[row * width + k] === last[k]) k++;
    const isNearer = best === 0 || Math.abs(row + 1 - expected) < Math.abs(best - expected);
    if (k === width && isNearer) best = row + 1;
  }
  return best;
}
