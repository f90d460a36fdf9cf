/** `--mode cache`: the features of a training, without the training. */
import type { CommandContext, CommandResult } from "../cli/mod.ts";
import { buildMissing } from "./_build_missing.ts";
import { demonstrationData } from "./demonstration_data.ts";
import { cacheOf, type DataValues, extractorOf } from "./prepare_data.ts";
import type { VisionUse } from "./vision_use.ts";

/**
 * Makes the features that a training needs and that are not in the cache.
 *
 * @param values of the flags that choose data
 * @param paths episode containers; null for the demonstration
 * @param vision how often features are needed
 * @param context of the command
 * @returns what was made; exit code 1 if a feature could not be made
 */
export async function buildTrainingFeatures(
  values: DataValues,
  paths: readonly string[] | null,
  { visionReuse }: VisionUse,
  context: CommandContext,
): Promise<CommandResult> {
  const cache = cacheOf(values);
  let found = paths, document = {};
  if (found === null) {
    const made = await demonstrationData(cache, values.demoEpisodes, context);
    const { madeEpisodes, madeFeatures, folder, train, val } = made;
    context.print(
      `${madeEpisodes} episodes and ${madeFeatures} features made, in ${folder} and ${cache}`,
    );
    document = { folder, cache, madeEpisodes, madeFeatures };
    if (values.features === "pixel-2048") return { document };
    found = [...train, ...val].map(({ path }) => path);
  }
  const extractor = await extractorOf(values, context);
  const report = await buildMissing(found, extractor, cache, visionReuse, context);
  return { document: { ...document, ...report, cache }, exitCode: report.failed === 0 ? 0 : 1 };
}
