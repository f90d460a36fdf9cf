import { breathe } from "../../episodes/_breathe.ts";
import { Catalogue, type Location } from "../../features/cache/_catalogue.ts";
import { readPlanIndices } from "../../features/cache/_plan_index.ts";
import {
  decodeFeature,
  decodeHeader,
  HEADER,
  isIntact,
  type RecordHeader,
} from "../../features/cache/_record.ts";
import { cacheStats } from "../../features/cache/stats.ts";
import { FeatureStore } from "../../features/cache/store.ts";
import { join } from "node:path";
import { FloatAccumulator } from "../_accumulate.ts";
import { folderBytes } from "../../formats/_folder_files.ts";
import type { InspectOptions, Kind, TensorEntry } from "../inspection.ts";

/** Name of features that no plan in the cache mentions. */
const UNPLANNED = "of no plan";

/** A cache of visual features; nothing in it is changed, not even what is damaged. */
export const cache: Kind = {
  name: "cache",
  summary: "a folder with cache.json: a cache of visual features, by extractor",
  claims: ({ isFolder, entries }) => isFolder && entries.includes("cache.json"),
  inspect: async ({ path }, options) => {
    using store = FeatureStore.open(path);
    const { folder: _, ...stats } = cacheStats(store);
    const { tensors, damaged } = await describeFeatures(path, options);
    return {
      tensors,
      keys: [...store.keys()],
      bytes: folderBytes(path),
      details: { ...stats, ...(options.stats ? { damaged } : {}) },
    };
  },
};

/** Features of one extractor that have one shape. */
interface Group {
  readonly name: string;
  readonly header: RecordHeader;
  readonly figures: FloatAccumulator;
  count: number;
}

async function describeFeatures(folder: string, { stats, signal, onProgress }: InspectOptions) {
  const catalogue = new Catalogue(join(folder, "shards"), join(folder, "quarantine"));
  const extractors = extractorNames(folder);
  const groups = new Map<string, Group>();
  let damaged = 0, done = 0;
  try {
    catalogue.refresh();
    const { locations } = catalogue;
    for (const [key, location] of locations) {
      await breathe(signal);
      onProgress?.("features", done++, locations.size);
      const found = readRecord(location, stats ?? false);
      if (found?.header.key !== key || !found.isIntact) {
        damaged++;
        continue;
      }
      const { header, values } = found;
      const name = extractors.get(key) ?? UNPLANNED;
      const id = [name, header.dtype, header.tokens, header.width].join("/");
      const group = groups.get(id) ??
        { name, header, figures: new FloatAccumulator(), count: 0 };
      groups.set(id, group);
      group.count++;
      if (values !== undefined) group.figures.add(values);
    }
  } finally {
    catalogue.forget();
  }
  return { tensors: [...groups.values()].map((group) => entryOf(group, stats)), damaged };
}

/** The header of a record, and its values where they are asked for. */
function readRecord({ shard, offset, bytes }: Location, withValues: boolean) {
  const record = shard.file.read(offset, HEADER + (withValues ? bytes : 0));
  const header = decodeHeader(record);
  if (header === undefined || !withValues) return header && { header, isIntact: true };
  const payload = record.subarray(HEADER);
  if (!isIntact(header, payload)) return { header, isIntact: false };
  return { header, isIntact: true, values: decodeFeature(header, payload).values };
}

function entryOf({ name, header, figures, count }: Group, stats = false): TensorEntry {
  const { dtype, tokens, width, bytes } = header;
  const entry = { name, dtype, shape: [count, tokens, width], bytes: count * bytes };
  return stats ? { ...entry, statistics: figures.result() } : entry;
}

/** Name and digest of the extractor by feature; two plans of one extractor share features. */
function extractorNames(folder: string): Map<string, string> {
  return new Map(
    readPlanIndices(folder).flatMap(({ header: { extractor }, keys }) => {
      const name = `${extractor.name} ${extractor.digest.slice(0, 12)}`;
      return keys.map((key) => [key, name] as const);
    }),
  );
}
