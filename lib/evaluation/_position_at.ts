const BEYOND = new Float64Array(3).fill(NaN);
/** Times are this exact, s. */
const ROUNDING = 1e-6;

/**
 * Where the tool is at a time, interpolated linearly.
 *
 * @param robot `(n,)` ascending times, `(n·6)` poses
 * @returns `(3)` mm; NaN outside of the log
 */
export function positionAt(
  { time, pose }: { readonly time: Float64Array; readonly pose: Float64Array },
  at: number,
): Float64Array {
  const last = time.length - 1;
  if (last < 0 || at < time[0]! - ROUNDING || at > time[last]! + ROUNDING) return BEYOND;
  let low = 0, high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (time[middle]! <= at) low = middle;
    else high = middle;
  }
  const span = time[high]! - time[low]!;
  const share = span > 0 ? Math.min(1, Math.max(0, (at - time[low]!) / span)) : 0;
  return Float64Array.from({ length: 3 }, (_, d) => {
    const from = pose[6 * low + d]!;
    return from + share * (pose[6 * high + d]! - from);
  });
}
