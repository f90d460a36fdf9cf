/**
 * Writes how far a transfer is: `download x 42 % (115 of 274 MB, 12.3 MB/s)`.
 *
 * @param label what is transferred
 * @param progress bytes done, bytes in all, bytes per second (0 unknown)
 * @returns one line; megabytes are 10^6 bytes
 *
 * @example
 * ```ts
 * import { formatProgress } from "./mod.ts";
 * console.log(formatProgress("download", { done: 5e7, total: 2e8, rate: 1e7 }));
 * // download 25 % (50 of 200 MB, 10.0 MB/s)
 * ```
 */
export function formatProgress(
  label: string,
  { done, total, rate }: { done: number; total: number; rate: number },
): string {
  const percent = total > 0 ? Math.floor(100 * done / total) : 0;
  const speed = rate > 0 ? `, ${(rate / 1e6).toFixed(1)} MB/s` : "";
  const digits = total < 1e7 ? 1 : 0;
  return `${label} ${percent} % ` +
    `(${(done / 1e6).toFixed(digits)} of ${(total / 1e6).toFixed(digits)} MB${speed})`;
}
