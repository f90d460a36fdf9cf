/**
 * `deno task cache:build`: makes the features that are not in the cache.
 *
 * @module
 */
import { clusterFromEnvironment } from "../lib/engine/collectives/tf_config.ts";
import { Gathering } from "../lib/launch/gather.ts";
import { formatBytes } from "../lib/formats/format_bytes.ts";
import { buildLine } from "../lib/programs/_build_missing.ts";
import { integerFlag, runCommand, UsageError } from "../lib/cli/mod.ts";
import {
  buildFeatures,
  FeatureStore,
  readCacheSettings,
  sumReports,
  writeCacheSettings,
} from "../lib/features/mod.ts";
import {
  CACHE_ARGUMENTS,
  CACHE_FLAGS,
  finish,
  folderOf,
  IMPORT_HELP,
  limitFlag,
  makePlan,
  shardFlag,
  shareOf,
  steps,
} from "./_cache.ts";

if (import.meta.main) {
  await runCommand({
    name: "cache:build",
    summary: "Makes the features that the data need and that are not in the cache.",
    details: `Several processes may build at once, each all of it, or a part with --shard; those of
deno task launch each build their part. Killed at any moment it leaves whole features only, and goes
on from there. What does not fit into the limit is not begun; nothing is evicted. Exit code 1 if a
feature could not be made; the others are made all the same.
${IMPORT_HELP}`,
    arguments: CACHE_ARGUMENTS,
    flags: {
      ...CACHE_FLAGS,
      shard: shardFlag,
      limitGb: limitFlag,
      batch: integerFlag("features made and stored at once", { default: 32, min: 1 }),
    },
    run: async (flags, context) => {
      const start = performance.now(), folder = folderOf(flags);
      const member = clusterFromEnvironment();
      if (flags.shard !== undefined && member !== null && member.size > 1) {
        throw new UsageError(
          `Cannot build with --shard: each of the ${member.size} processes of TF_CONFIG builds its ` +
            `part, current value is ${flags.shard.index}/${flags.shard.count} for all. Leave it out.`,
        );
      }
      const settings = flags.limitGb === undefined
        ? readCacheSettings(folder)
        : { limitBytes: Math.round(flags.limitGb * 1e9) };
      const plan = await makePlan(flags, context, {
        asked: "make features",
        onFound: () => writeCacheSettings(folder, settings),
      });
      using store = await FeatureStore.openForWriting(folder);
      const share = shareOf(flags.shard);
      const whose = share === undefined || share.count === 1
        ? ""
        : ` of part ${share.index + 1} of ${share.count}`;
      using gathering = member && member.size > 1
        ? await Gathering.open(member, { signal: context.signal })
        : undefined;
      const mine = await buildFeatures(plan, store, {
        batch: flags.batch,
        signal: context.signal,
        ...(share && { share }),
        onProgress: (done, total, secondsLeft) =>
          context.progress.update(buildLine(done, total, secondsLeft, whose)),
      });
      const parts = gathering === undefined ? [mine] : await gathering.gather(mine);
      if (parts === null) return; // rank 0 tells the results of all
      const report = sumReports(parts, plan);
      const { episodes } = plan;
      const more = { episodes: episodes.length, steps: steps(plan), cache: folder };
      const seconds = (performance.now() - start) / 1000;
      const table = [
        ["needed", report.planned],
        ["were there", report.hit],
        ["made", report.built],
        ["failed", report.failed],
        ["damaged, made again", report.quarantined],
        ["written", formatBytes(report.bytes)],
        ["s", seconds.toFixed(2)],
      ] as const;
      return finish({ ...report, seconds }, more, table, context);
    },
  });
}
