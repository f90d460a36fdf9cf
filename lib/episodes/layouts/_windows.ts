import type { NpyReader } from "../../formats/npz.ts";

/** Rate at which rows that no other window dates are spread, in hertz. */
const NOMINAL_HZ = 650;

/** Rows rebuilt from overlapping windows. */
export interface RebuiltRows {
  /** (M) times, in seconds. */
  readonly time: Float64Array<ArrayBuffer>;
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
 * are spread evenly between two such times, or at 650 Hz where a window does not overlap the one
 * before.
 *
 * @param windows (W, size, width)
 * @param ends (W) time of each window's last row, in seconds
 * @param size rows of a window
 */
export function rebuildRows(windows: NpyReader, ends: Float64Array, size: number): RebuiltRows {
  const width = windows.rowLength / size;
  const pieces: Piece[] = [];
  const times: number[] = [];
  const window = new Float32Array(windows.rowLength);
  const bits = new Uint32Array(window.buffer); // compared as bits: a NaN equals itself
  let last: Uint32Array | undefined;
  for (let w = 0; w < windows.rows; w++) {
    windows.readRowsInto(w, window);
    const from = last === undefined ? 0 : rowsSeen(bits, last, size, width);
    const fresh = size - from;
    const end = ends[w]!;
    const isChained = last !== undefined && from > 0 && end > ends[w - 1]!;
    const step = isChained ? (end - ends[w - 1]!) / fresh : 1 / NOMINAL_HZ;
    for (let k = 0; k < fresh; k++) times.push(end - (fresh - 1 - k) * step);
    if (fresh > 0) {
      pieces.push({ start: times.length - fresh, rows: fresh, window: w, from });
    }
    last = bits.slice((size - 1) * width, size * width);
  }
  const held = { window: -1, values: window };
  return {
    time: Float64Array.from(times),
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

/** How many rows of the window were in the one before: up to and with that one's last row. */
function rowsSeen(window: Uint32Array, last: Uint32Array, size: number, width: number): number {
  for (let row = size - 1; row >= 0; row--) {
    let k = 0;
    while (k < width && window[row * width + k] === last[k]) k++;
    if (k === width) return row + 1;
  }
  return 0;
}
