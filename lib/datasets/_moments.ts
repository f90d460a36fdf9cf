/** Count, mean and sum of squared deviations, of values that arrive in blocks. */
export interface Moments {
  count: number;
  mean: number;
  /** Σ (x − mean)². */
  squares: number;
  min: number;
  max: number;
}

export function noMoments(): Moments {
  return { count: 0, mean: 0, squares: 0, min: Infinity, max: -Infinity };
}

/**
 * Adds a block: two passes over the block in float64, then the pairwise update of Chan, Golub and
 * LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
 *
 * @param values read from `first` up to, without, `end`
 */
export function addBlock(
  moments: Moments,
  values: Float32Array,
  first = 0,
  end = values.length,
): void {
  const count = end - first;
  if (count <= 0) return;
  let sum = 0, { min, max } = moments;
  for (let i = first; i < end; i++) {
    const value = values[i]!;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const mean = sum / count;
  let squares = 0, rest = 0;
  for (let i = first; i < end; i++) {
    const deviation = values[i]! - mean;
    squares += deviation * deviation;
    rest += deviation; // would be 0 if the mean were exact
  }
  squares -= rest * rest / count;
  const total = moments.count + count;
  const shift = mean + rest / count - moments.mean;
  moments.mean += shift * count / total;
  moments.squares += squares + shift * shift * moments.count * count / total;
  moments.count = total;
  moments.min = min;
  moments.max = max;
}

/**
 * Mean and population standard deviation. Of equal float32 values the mean is their own and the
 * deviation 0: float64 sums them exactly, up to 2²⁹ of them.
 */
export function meanAndStd({ count, mean, squares }: Moments) {
  return { mean, std: Math.sqrt(Math.max(0, squares) / count) };
}
