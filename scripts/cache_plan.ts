/**
 * `deno task cache:plan`: which features the data need, and which are not in the cache.
 *
 * @module
 */
import { formatDuration, runCommand, switchFlag } from "../lib/cli/mod.ts";
import { plural } from "../lib/episodes/_plural.ts";
import { formatBytes } from "../lib/formats/format_bytes.ts";
import {
  type CacheReport,
  estimateBuild,
  FeatureStore,
  missingFeatures,
  plannedLatency,
} from "../lib/features/mod.ts";
import {
  CACHE_ARGUMENTS,
  CACHE_FLAGS,
  finish,
  IMPORT_HELP,
  makePlan,
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
      latency: switchFlag(
        "also measure how long one feature takes at work, and how many actions it must serve",
      ),
    },
    run: async (flags, context) => {
      const start = performance.now();
      const plan = await makePlan(flags, context);
      using store = FeatureStore.open(plan.folder);
      const { planned, missing, bytes } = missingFeatures(plan, store, shareOf(flags.shard));
      const damaged = store.quarantined;
      context.progress.update("measuring how long building will take");
      const estimate = flags.noEstimate ? undefined : await estimateBuild(plan, missing);
      const latency = flags.latency
        ? await plannedLatency(plan, { signal: context.signal })
        : undefined;
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
        ...(latency && { latencyMs: latency, reuse: latency.reuse }),
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
        ["to write", formatBytes(bytes)],
      ] as const;
      const result = finish(report, more, table, context);
      if (estimate) {
        const { seconds, measured } = estimate;
        context.print(
          `Building ${missing.length} features takes about ${formatDuration(seconds)}, ` +
            `measured on ${measured} of them.`,
        );
      }
      if (latency) {
        const { p50, p95, runs, planned, reuse } = latency;
        context.print(
          `One feature at a time takes ${p50.toFixed(1)} ms, in 95 of 100 cases at most ` +
            `${p95.toFixed(1)} ms (${runs} measured). At work one must serve ${
              plural(reuse, "action")
            } ` +
            `of 100 ms, with a tenth of headroom: train with deno task train:async and ` +
            `--vlm-latency-ms ${Math.ceil(planned / 10) * 10}.`,
        );
      }
      return result;
    },
  });
}
