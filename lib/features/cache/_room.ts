import { readCacheSettings } from "./settings.ts";
import type { FeatureStore } from "./store.ts";

/** Nothing is ever evicted to make room: what does not fit is not begun. */
export function assertRoom(folder: string, store: FeatureStore, bytes: number): void {
  const { limitBytes } = readCacheSettings(folder), { bytes: used } = store.size;
  if (used + bytes <= limitBytes || bytes === 0) return;
  const size = (value: number) =>
    value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(1)} GB`;
  throw new RangeError(
    `Cannot build features in ${folder}: they need ${size(bytes)}, ${size(used)} are used, and ` +
      `the limit is ${size(limitBytes)}. Free room with: deno task cache:gc; or raise the limit ` +
      "with --limit-gb N.",
  );
}
