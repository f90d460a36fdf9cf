/**
 * The sensor rows that the reference's first preprocessing step put beside N actions: the whole
 * recording stretched over them by counting, `trunc(linspace(0, rows − 1, N))`, whatever the times
 * say. Only for comparison with old `data.pkl` files.
 *
 * @param rows of the sensor recording
 * @param actions N
 * @returns `(N,)` row numbers
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { stretchedRows } from "./stretched_rows.ts";
 *
 * assert.deepEqual([...stretchedRows(5, 8)], [0, 0, 1, 1, 2, 2, 3, 4]);
 * ```
 */
export function stretchedRows(rows: number, actions: number): Int32Array {
  const step = (rows - 1) / (actions - 1); // NumPy: k · step, and the last value is set
  return Int32Array.from(
    { length: actions },
    (_, k) => k === 0 ? 0 : k === actions - 1 ? rows - 1 : Math.trunc(k * step),
  );
}
