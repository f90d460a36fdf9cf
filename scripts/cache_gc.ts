/**
 * `deno task cache:gc`: puts the cache in order.
 *
 * @module
 */
import { runCommand, switchFlag } from "../lib/cli/mod.ts";
import { formatBytes } from "../lib/formats/format_bytes.ts";
import {
  type CacheReport,
  collectGarbage,
  FeatureStore,
  writeCacheSettings,
} from "../lib/features/mod.ts";
import {
  CACHE_ARGUMENTS,
  CACHE_FLAGS,
  existingFolderOf,
  finish,
  limitFlag,
  makePlan,
  rootsOf,
} from "./_cache.ts";

if (import.meta.main) {
  await runCommand({
    name: "cache:gc",
    summary: "Removes features that no episode needs, and damaged and double records.",
    details: `Needed is what was built for an episode as it is now, or as it was where it is no
longer at its place (a disk may be absent), unless --drop-missing is given. Beyond the cache's limit
the episodes used least recently lose their features; those of --data never do. Readers are not
disturbed. Exit code 1 while another process builds.`,
    arguments: CACHE_ARGUMENTS,
    flags: {
      ...CACHE_FLAGS,
      limitGb: limitFlag,
      dropMissing: switchFlag("also remove features of episodes that are no longer there"),
    },
    run: async (flags, context) => {
      const start = performance.now(), folder = existingFolderOf(flags);
      if (flags.limitGb !== undefined) {
        writeCacheSettings(folder, { limitBytes: Math.round(flags.limitGb * 1e9) });
      }
      const keep = rootsOf(flags, context).length === 0
        ? undefined
        : await makePlan(flags, context);
      const garbage = await collectGarbage(folder, {
        ...(keep && { keep }),
        dropMissing: flags.dropMissing,
        signal: context.signal,
        onProgress: (done, total) => context.progress.update(`shard ${done + 1} of ${total}`),
      });
      using store = FeatureStore.open(folder);
      const items = keep?.items ?? [], failures = keep?.failures ?? [];
      const report: CacheReport = {
        planned: items.length + failures.length,
        hit: items.filter(({ key }) => store.has(key)).length,
        built: 0,
        failed: failures.length,
        quarantined: garbage.quarantined,
        bytes: garbage.bytes,
        seconds: (performance.now() - start) / 1000,
        failures,
      };
      const { kept, dropped } = garbage;
      const table = [
        ["features kept", kept],
        ["removed", dropped],
        ["damaged, removed", report.quarantined],
        ["freed", formatBytes(report.bytes)],
        ["s", report.seconds.toFixed(2)],
      ] as const;
      return finish(report, { kept, dropped, cache: folder }, table, context);
    },
  });
}
