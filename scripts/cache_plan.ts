/**
 * `deno task cache:plan`: which features the data need, and which are not in the cache.
 *
 * @module
 */
import { formatDuration, runCommand, switchFlag } from "../lib/cli/mod.ts";
import {
  type CacheReport,
  estimateBuild,
  FeatureStore,
  missingFeatures,
} from "../lib/features/mod.ts";
import {
  CACHE_ARGUMENTS,
  CACHE_FLAGS,
  finish,
  IMPORT_HELP,
  makePlan,
  megabytes,
  shardFlag,
  shareOf,
  steps,
} from "./_cache.ts";

if (import.meta.main) {
  await runCommand({
    name: "cache:plan",
    summary: "Lists which features the data need and which of them are not in the cache.",
    details:
      `Stores nothing. bytes is what cache:build would write. To say how long that would take, a few
features are made.
${IMPORT_HELP}`,
    arguments: CACHE_ARGUMENTS,
    flags: {
      ...CACHE_FLAGS,
      shard: shardFlag,
      noEstimate: switchFlag("do not measure how long building will take"),
    },
    run: async (flags, context) => {
      const start = performance.now();
      const plan = await makePlan(flags, context);
      using store = FeatureStore.open(plan.folder);
      const { planned, missing, bytes } = missingFeatures(plan, store, shareOf(flags.shard));
      const damaged = store.quarantined;
      context.progress.update("measuring how long building will take");
      const estimate = flags.noEstimate ? undefined : await estimateBuild(plan, missing);
      context.progress.clear();
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
        ...(estimate && { estimatedSeconds: estimate.seconds }),
        episodes: plan.episodes.length,
        steps: steps(plan),
        cache: plan.folder,
      };
      const table = [
        ["needed", report.planned],
        ["there", report.hit],
        ["missing", missing.length],
        ["unreadable", report.failed],
        ["of the missing damaged", report.quarantined],
        ["MB to write", megabytes(bytes)],
      ] as const;
      const result = finish(report, more, table, context);
      if (estimate) {
        const { seconds, measured } = estimate;
        context.print(
          `Building ${missing.length} features takes about ${formatDuration(seconds)}, ` +
            `measured on ${measured} of them.`,
        );
      }
      return result;
    },
  });
}
