/**
 * `deno task cache:verify`: checks the features in the cache.
 *
 * @module
 */
import { integerFlag, runCommand } from "../lib/cli/mod.ts";
import { formatBytes } from "../lib/formats/format_bytes.ts";
import { FeatureStore, verifyFeatures } from "../lib/features/mod.ts";
import { CACHE_ARGUMENTS, CACHE_FLAGS, existingFolderOf, finish, makePlan } from "./_cache.ts";

if (import.meta.main) {
  await runCommand({
    name: "cache:verify",
    summary: "Reads and checks the features of the data; makes some again and compares.",
    details: `What does not hold goes into quarantine, and cache:build makes it again. Exit code 1
if anything is damaged or missing.`,
    arguments: CACHE_ARGUMENTS,
    flags: {
      ...CACHE_FLAGS,
      sample: integerFlag("features made again", { default: 32, min: 0 }),
      seed: integerFlag("chooses them", { default: 0, min: 0 }),
    },
    run: async (flags, context) => {
      existingFolderOf(flags);
      const plan = await makePlan(flags, context, { asked: "check features" });
      using store = FeatureStore.open(plan.folder);
      const { missing, compared, ...report } = await verifyFeatures(plan, store, {
        sample: flags.sample,
        seed: flags.seed,
        signal: context.signal,
        onProgress: (done, total) => context.progress.update(`${done} of ${total} features`),
      });
      if (missing > 0) {
        context.warn(
          `${missing} of ${report.planned} features are missing. Build them with: ` +
            "deno task cache:build and the same flags",
        );
      }
      const more = { missing, compared, cache: plan.folder };
      const table = [
        ["needed", report.planned],
        ["sound", report.hit],
        ["missing", missing],
        ["of them damaged", report.quarantined],
        ["failed", report.failed],
        ["made again and compared", compared],
        ["read", formatBytes(report.bytes)],
        ["s", report.seconds.toFixed(2)],
      ] as const;
      return finish(report, more, table, context, report.hit === report.planned);
    },
  });
}
