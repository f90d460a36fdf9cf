/**
 * `deno task cache:plan`: which features the data need, and which are not in the cache.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";
import { type CacheReport, FeatureStore, missingFeatures } from "../lib/features/mod.ts";
import { CACHE_FLAGS, finish, makePlan, shardFlag, shareOf, steps } from "./_cache.ts";

if (import.meta.main) {
  await runCommand({
    name: "cache:plan",
    summary: "Lists which features the data need and which of them are not in the cache.",
    details: "Makes nothing. `bytes` is what cache:build would write.",
    flags: { ...CACHE_FLAGS, shard: shardFlag },
    run: async (flags, context) => {
      const start = performance.now();
      const plan = await makePlan(flags, context);
      using store = FeatureStore.open(plan.folder);
      const { planned, missing, bytes } = missingFeatures(plan, store, shareOf(flags.shard));
      const damaged = store.quarantined;
      const report: CacheReport = {
        planned: planned.length + plan.failures.length,
        hit: planned.length - missing.length,
        built: 0,
        failed: plan.failures.length,
        quarantined: missing.filter(({ key }) => damaged.has(key)).length,
        bytes,
        seconds: (performance.now() - start) / 1000,
        failures: plan.failures,
      };
      const more = {
        missing: missing.length,
        episodes: plan.episodes.length,
        steps: steps(plan),
        cache: plan.folder,
      };
      return finish(report, more, context, true);
    },
  });
}
