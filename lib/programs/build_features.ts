/** `--mode cache`: the features of a training, without the training. */
import { type CommandContext, type CommandResult, formatDuration } from "../cli/mod.ts";
import { openEpisode } from "../episodes/mod.ts";
import { buildFeatures, FeatureStore, planFeatures } from "../features/mod.ts";
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
  { visionReuse: reuse }: VisionUse,
  context: CommandContext,
): Promise<CommandResult> {
  const { print, progress, signal, warn } = context;
  const cache = cacheOf(values);
  if (paths === null) {
    const made = await demonstrationData(cache, values.demoEpisodes, context);
    const { madeEpisodes, madeFeatures, folder } = made;
    print(
      `${madeEpisodes} episodes and ${madeFeatures} features made, in ${folder} and ${cache}`,
    );
    return { document: { folder, cache, madeEpisodes, madeFeatures } };
  }
  const episodes = paths.map((path) => {
    const episode = openEpisode(path);
    episode.close(); // only the sensor's file stays open, which is not needed here
    return episode;
  });
  const plan = await planFeatures(episodes, extractorOf(values), cache, {
    ...{ signal, reuse },
    onEpisode: (path, done, total) => progress.update(`plan ${done + 1} of ${total}: ${path}`),
  });
  using store = await FeatureStore.openForWriting(cache);
  const report = await buildFeatures(plan, store, {
    signal,
    onProgress: (done, total, left) =>
      progress.update(`${done} of ${total} features, about ${formatDuration(left)} left`),
  });
  progress.clear();
  const { planned, hit, built, failed, failures, seconds } = report;
  print(
    `${planned} features of ${episodes.length} episodes needed: ${hit} were there, ${built} made, ` +
      `${failed} failed, in ${formatDuration(seconds)}; cache ${cache}`,
  );
  for (const { episode, step, message } of failures.slice(0, 10)) {
    warn(`${episode} step ${step}: ${message}`);
  }
  return { document: { ...report, cache }, exitCode: failed === 0 ? 0 : 1 };
}
