/**
 * `deno task cache:stats`: what is in the cache.
 *
 * @module
 */
import { formatTable, runCommand } from "../lib/cli/mod.ts";
import { type CacheReport, cacheStats, FeatureStore } from "../lib/features/mod.ts";
import { CACHE_FLAGS, finish, folderOf, makePlan } from "./_cache.ts";

if (import.meta.main) {
  await runCommand({
    name: "cache:stats",
    summary: "Says what is in the cache; with --data, how much of what the data need.",
    flags: CACHE_FLAGS,
    run: async (flags, context) => {
      const start = performance.now();
      const plan = flags.data.length === 0 ? undefined : await makePlan(flags, context);
      using store = FeatureStore.open(folderOf(flags));
      const stats = cacheStats(store);
      const items = plan?.items ?? [];
      const rows = stats.extractors.map((each) => [
        each.name,
        each.digest.slice(0, 12),
        each.episodes,
        each.observations,
        each.features,
        each.present,
      ]);
      context.print(`${stats.folder}: ${stats.entries} features in ${stats.shards} shards`);
      context.print(formatTable([
        ["features", "digest", "episodes", "steps", "needed", "present"],
        ...rows,
      ]));
      const failures = plan?.failures ?? [];
      const report: CacheReport = {
        planned: items.length + failures.length,
        hit: items.filter(({ key }) => store.has(key)).length,
        built: 0,
        failed: failures.length,
        quarantined: stats.quarantined,
        bytes: stats.bytes,
        seconds: (performance.now() - start) / 1000,
        failures,
      };
      return finish(report, { ...stats, cache: stats.folder }, context, true);
    },
  });
}
