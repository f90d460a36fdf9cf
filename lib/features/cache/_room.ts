import { formatBytes } from "../../formats/format_bytes.ts";
import { readCacheSettings } from "./settings.ts";
import type { FeatureStore } from "./store.ts";

/** Nothing is ever evicted to make room: what does not fit is not begun. */
export function assertRoom(folder: string, store: FeatureStore, bytes: number): void {
  const { limitBytes } = readCacheSettings(folder), { bytes: used } = store.size;
  if (used + bytes <= limitBytes || bytes === 0) return;
  throw new RangeError(
    `Cannot build features in ${folder}: they need ${formatBytes(bytes)}, ${
      formatBytes(used)
    } are used, and ` +
      `the limit is ${
        formatBytes(limitBytes)
      }. Free room with: deno task cache:gc; or raise the limit ` +
      "with --limit-gb N.",
  );
}
