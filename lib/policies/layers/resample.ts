import { tf } from "../../engine/mod.ts";

/** How a window of another length is brought to the expected one. */
export type Interpolation = "linear" | "nearest";

/**
 * Resamples over time, as PyTorch's `interpolate` with `align_corners=False`.
 *
 * @param x `(B, T, C)`.
 * @param length New number of rows.
 * @param interpolation `linear`: between the two rows around (i + 0.5)·T/length − 0.5; `nearest`: row
 * ⌊i·T/length⌋.
 * @returns `(B, length, C)`.
 */
export function resample(x: tf.Tensor, length: number, interpolation: Interpolation): tf.Tensor {
  const rows = x.shape[1]!;
  if (rows === length) return x;
  const scale = Math.fround(rows / length); // PyTorch computes places in float32
  const places = Array.from(
    { length },
    (_, i) =>
      interpolation === "nearest"
        ? Math.min(Math.fround(i * scale), rows - 1)
        : Math.max(0, (i + 0.5) * scale - 0.5),
  );
  const floor = places.map(Math.floor);
  const take = (indices: number[]) => tf.gather(x, tf.tensor1d(indices, "int32"), 1);
  if (interpolation === "nearest") return take(floor);
  const weight = tf.tensor(places.map((place, i) => place - floor[i]!), [length, 1]);
  const next = floor.map((row) => Math.min(row + 1, rows - 1));
  return take(floor).mul(tf.sub(1, weight)).add(take(next).mul(weight));
}
