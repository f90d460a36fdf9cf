/**
 * `deno task cache:stats`: what is in the cache.
 *
 * @module
 */
import { formatTable, runCommand } from "../lib/cli/mod.ts";
import { plural } from "../lib/episodes/_plural.ts";
import { formatBytes } from "../lib/formats/format_bytes.ts";
import {
  type CacheReport,
  type CacheStats,
  cacheStats,
  extractorDigest,
  type FeaturePlan,
  FeatureStore,
} from "../lib/features/mod.ts";
import {
  CACHE_ARGUMENTS,
  CACHE_FLAGS,
  existingFolderOf,
  finish,
  makePlan,
  rootsOf,
} from "./_cache.ts";

/** Digits that tell extractors apart. */
const DIGEST = 12;

/** A table by extractor. */
function describeCache(
  { folder, entries, shards, bytes, limitBytes, quarantined, extractors }: CacheStats,
): string {
  const rows = extractors.map((each) => [
    each.name,
    each.digest.slice(0, DIGEST),
    each.views.join(" "),
    each.episodes,
    each.observations,
    each.features,
    each.present,
  ]);
  const damaged = quarantined === 0
    ? ""
    : `, ${plural(quarantined, "damaged record")} (deno task cache:gc removes them)`;
  const size = `${formatBytes(bytes)} of at most ${formatBytes(limitBytes)}`;
  return [
    `${folder}: ${plural(entries, "feature")} in ${plural(shards, "shard")}, ${size}${damaged}`,
    formatTable([
      ["features", "digest", "views", "episodes", "steps", "needed", "present"],
      ...rows,
    ]),
  ].join("\n");
}

/** How much there is of what the data need, and if nothing is, what there is instead. */
function describeNeed(
  { items, extractor }: FeaturePlan,
  present: number,
  { extractors }: CacheStats,
): string {
  const digest = extractorDigest(extractor), { views, model, revision } = extractor.identity;
  const need = `The data need ${plural(items.length, "feature")} of ${extractor.name} ` +
    `${digest.slice(0, DIGEST)}, views ${views.join(" ")}: ${present} there`;
  if (present === items.length) return `${need}.`;
  if (extractors.some((each) => each.digest === digest)) {
    return `${need}; deno task cache:build with the same flags makes the others.`;
  }
  const others = extractors.map((each) => {
    const difference = each.views.join() !== views.join()
      ? `other views (--views ${each.views.join(" ")})`
      : each.model !== `${model} ${revision}`
      ? `another model (${each.model})`
      : "other settings of the extractor";
    return `${each.name} ${each.digest.slice(0, DIGEST)} has ${difference}`;
  });
  return `${need}. Features are made for one extractor and one order of views: ` +
    `${others.join("; ") || "the cache holds none"}.`;
}

if (import.meta.main) {
  await runCommand({
    name: "cache:stats",
    summary: "Says what is in the cache; with --data, how much of what the data need.",
    arguments: CACHE_ARGUMENTS,
    flags: CACHE_FLAGS,
    run: async (flags, context) => {
      const start = performance.now();
      const folder = existingFolderOf(flags);
      const plan = rootsOf(flags, context).length === 0
        ? undefined
        : await makePlan(flags, context);
      using store = FeatureStore.open(folder);
      const stats = cacheStats(store);
      const items = plan?.items ?? [], failures = plan?.failures ?? [];
      const hit = items.filter(({ key }) => store.has(key)).length;
      context.print(describeCache(stats));
      if (plan) context.print(describeNeed(plan, hit, stats));
      const report: CacheReport = {
        planned: items.length + failures.length,
        hit,
        built: 0,
        failed: failures.length,
        quarantined: stats.quarantined,
        bytes: stats.bytes,
        seconds: (performance.now() - start) / 1000,
        failures,
      };
      return finish(report, { ...stats, cache: stats.folder }, [], context);
    },
  });
}
