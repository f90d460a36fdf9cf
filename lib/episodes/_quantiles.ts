/** Ranges longer than this are first narrowed by a sample, as Floyd and Rivest do. */
const SAMPLED_RANGE = 600;

/**
 * Quantiles by linear interpolation, as NumPy's default, without sorting all values.
 *
 * @param values in any order, not changed, no NaN, at least one
 * @param shares in ascending order, from 0 to 1
 */
export function quantiles(values: ArrayLike<number>, shares: readonly number[]): number[] {
  const copy = Float64Array.from(values);
  let left = 0;
  return shares.map((share) => {
    const at = share * (copy.length - 1);
    const low = Math.floor(at), rest = at - low;
    select(copy, low, left, copy.length - 1);
    left = low; // what is below stays below
    if (rest === 0) return copy[low]!;
    let above = Infinity;
    for (let i = low + 1; i < copy.length; i++) if (copy[i]! < above) above = copy[i]!;
    return copy[low]! + rest * (above - copy[low]!);
  });
}

/**
 * Puts the element that sorting would put at `k` there, smaller ones before it and larger ones after.
 * R. W. Floyd, R. L. Rivest: Algorithm 489, SELECT. Communications of the ACM 18 (1975), 173.
 */
function select(values: Float64Array, k: number, left: number, right: number): void {
  while (right > left) {
    if (right - left > SAMPLED_RANGE) {
      const n = right - left + 1, i = k - left + 1;
      const z = Math.log(n), s = 0.5 * Math.exp(2 * z / 3);
      const sd = 0.5 * Math.sqrt(z * s * (n - s) / n) * (i - n / 2 < 0 ? -1 : 1);
      const from = Math.max(left, Math.floor(k - i * s / n + sd));
      const to = Math.min(right, Math.floor(k + (n - i) * s / n + sd));
      select(values, k, from, to);
    }
    const pivot = values[k]!;
    let i = left, j = right;
    swap(values, left, k);
    if (values[right]! > pivot) swap(values, left, right);
    while (i < j) {
      swap(values, i, j);
      i++;
      j--;
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
    }
    if (values[left] === pivot) swap(values, left, j);
    else swap(values, ++j, right);
    if (j <= k) left = j + 1;
    if (k <= j) right = j - 1;
  }
}

function swap(values: Float64Array, i: number, j: number): void {
  const held = values[i]!;
  values[i] = values[j]!;
  values[j] = held;
}
