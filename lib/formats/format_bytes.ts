/**
 * Writes a size as people say it, in powers of 1000.
 *
 * @param bytes not negative
 * @returns three digits and a unit, e.g. `1.32 kB`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatBytes } from "./format_bytes.ts";
 *
 * assert.equal(formatBytes(1320), "1.32 kB");
 * assert.equal(formatBytes(20_634_000), "20.6 MB");
 * ```
 */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0, value = bytes;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}
