/** Uniform numbers in (0, 1). */
export interface Uniform {
  unit(): number;
}

/**
 * Places `count` events of `length` between `from` and `to`, at random but in equal shares of the
 * range, so that they never meet: two are at least `length` + `apart` from start to start.
 *
 * @returns `(count,)` starts, increasing
 * @throws {RangeError} when they do not fit
 */
export function spread(
  random: Uniform,
  count: number,
  { from, to, length, apart, what }: {
    readonly from: number;
    readonly to: number;
    readonly length: number;
    readonly apart: number;
    readonly what: string;
  },
): number[] {
  const share = (to - from) / Math.max(1, count);
  const room = share - length - apart;
  if (count > 0 && !(room >= 0)) {
    const most = Math.max(0, Math.floor((to - from) / (length + apart)));
    throw new RangeError(
      `Cannot inject ${what}: the recording has room for ${most}, current value is ${count}. ` +
        "Ask for fewer or shorter ones, or record a longer episode.",
    );
  }
  return Array.from({ length: count }, (_, i) => from + i * share + random.unit() * room);
}
