/** `deno task bench cache`: the cache of visual features. */
import type { CacheConfig, CacheFacts } from "./_cache_subject.ts";
import { digits, type FileBenchContext, type FileBenchmark, megabytes } from "./benchmark.ts";
import { measureFiles } from "./_file_case.ts";
import { makeScratch } from "./_scratch.ts";
import type { BenchRecord } from "./record.ts";

/** Features in the cache. */
const ENTRIES = { tiny: 1000, compact: 10_000, reference: 100_000 } as const;
/** Of one feature in a shard, with its header. */
const ENTRY_BYTES = 1024;
const PARTS: readonly CacheConfig["part"][] = ["open", "lookup", "read", "extract"];

/**
 * Opening a cache, looking for a key, reading a feature with its checks, and making pixel-2048 from the
 * five images of a moment. There is no peer.
 */
export const cache: FileBenchmark = {
  needsEngine: false,
  summary: "100,000 cached features: open, look up, read; and pixel-2048 of five images",
  run: runCache,
  table: (records) => [
    ["cache", "entries", "µs", "p90 µs", "peak MB"],
    ...records.map(({ config, median, p90, peakRss }) => [
      ...[String(config.part), Number(config.entries)],
      ...[digits(median * 1000), digits(p90 * 1000), megabytes(peakRss)],
    ]),
  ],
};

async function runCache(context: FileBenchContext): Promise<BenchRecord[]> {
  const entries = ENTRIES[context.options.preset];
  using scratch = makeScratch(entries * ENTRY_BYTES + 1e6, "cache");
  const records: BenchRecord[] = [];
  for (const part of PARTS) {
    const count = part === "extract" ? 0 : entries;
    const { record } = await measureFiles<CacheFacts>(context, {
      title: `cache ${part}`,
      name: "cache",
      config: { part, entries: count },
      ours: { subject: "cache", part, entries: count, folder: scratch.path },
      peers: [],
    }, context.options.steps);
    records.push(record);
  }
  return records;
}
