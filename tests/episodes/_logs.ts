import { STATE_WIDTH } from "../../lib/episodes/actions.ts";

/** A robot log from times and a pose per row; joints are 0. */
export function log(
  time: readonly number[],
  pose: (row: number, time: number) => readonly number[] = (row) => [row],
): { time: Float64Array; state: Float32Array } {
  const state = new Float32Array(time.length * STATE_WIDTH);
  time.forEach((t, row) => state.set(pose(row, t), row * STATE_WIDTH + 6));
  return { time: Float64Array.from(time), state };
}

/** n numbers made from their index. */
export function range(n: number, value: (k: number) => number = (k) => k): number[] {
  return Array.from({ length: n }, (_, k) => value(k));
}

/** Rows of a matrix. */
export function rowsOf(data: ArrayLike<number>, width: number): number[][] {
  return range(data.length / width).map((row) => range(width, (k) => data[row * width + k]!));
}
