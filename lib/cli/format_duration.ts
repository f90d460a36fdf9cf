/**
 * Writes a time as people say it: `40 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`.
 *
 * @param seconds not negative
 * @returns two units at most
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatDuration } from "./mod.ts";
 * assert.equal(formatDuration(200), "3 min 20 s");
 * assert.equal(formatDuration(7500), "2 h 5 min");
 * ```
 */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3570) return both(Math.round(seconds), 60, "min", "s");
  return both(Math.round(seconds / 60), 60, "h", "min");
}

function both(count: number, size: number, large: string, small: string): string {
  const rest = count % size;
  return `${Math.floor(count / size)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}
