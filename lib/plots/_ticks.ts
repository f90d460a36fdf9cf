import { largestOf } from "./_compact.ts";

/** Places of about `count` round numbers (1, 2 or 5 times a power of ten) from low to high. */
export function linearTicks(low: number, high: number, count: number): number[] {
  const step = roundStep((high - low) / Math.max(1, count));
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => clean((first + i) * step));
}

/**
 * Powers of ten from 10^low to 10^high, with 2 and 5 times where there are few; of less than a
 * decade, round numbers.
 */
export function logTicks(low: number, high: number): number[] {
  if (high - low < 0.9) return linearTicks(10 ** low, 10 ** high, 4);
  const factors = high - low > 2.5 ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const factor of factors) {
      const value = clean(factor * 10 ** power), at = Math.log10(value);
      if (at >= low - 1e-9 && at <= high + 1e-9) ticks.push(value);
    }
  }
  const every = Math.ceil(ticks.length / 9);
  return ticks.filter((_, i) => i % every === 0);
}

/** Ends of a linear axis around some values, at round numbers. */
export function roundRange(low: number, high: number, count: number): [number, number] {
  if (!(high > low)) return low === 0 ? [0, 1] : [low - Math.abs(low) / 2, low + Math.abs(low) / 2];
  const step = roundStep((high - low) / count);
  return [
    clean(Math.floor(low / step + 1e-9) * step),
    clean(Math.ceil(high / step - 1e-9) * step),
  ];
}

/** Texts of ticks, all with as many decimals as the finest needs. */
export function tickTexts(ticks: readonly number[], format?: ".0%"): string[] {
  if (format === ".0%") return ticks.map((tick) => `${clean(tick * 100)} %`);
  const largest = largestOf(ticks.map(Math.abs), -Infinity);
  if (largest >= 1e5 || largest < 1e-3) {
    return ticks.map((tick) => tick === 0 ? "0" : tick.toExponential().replace("e+", "e"));
  }
  const decimals = largestOf(
    ticks.map((tick) => String(tick).split(".")[1]?.length ?? 0),
    0,
  );
  return ticks.map((tick) => tick.toFixed(decimals).replace("-", "−"));
}

/** Texts of ticks on a logarithmic axis, each by itself. */
export function logTickTexts(ticks: readonly number[]): string[] {
  return ticks.map((tick) =>
    tick >= 1e-3 && tick < 1e5 ? String(tick) : tick.toExponential().replace("e+", "e")
  );
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5, 10].find((choice) => choice * power >= step * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Without the noise of binary fractions: 0.30000000000000004 is 0.3. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}
