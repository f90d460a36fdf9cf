import { type CommandContext, formatDuration } from "../cli/mod.ts";
import { openEpisode } from "../episodes/mod.ts";
import {
  buildFeatures,
  type CacheReport,
  type FeatureExtractor,
  FeatureStore,
  planFeatures,
} from "../features/mod.ts";

/** How far a build is; without the time left where it is not known. */
export function buildLine(done: number, total: number, left: number | null, whose = ""): string {
  const rest = left === null || done === total ? "" : `, about ${formatDuration(left)} left`;
  return `${done} of ${total} features${whose}${rest}`;
}

/** Makes the features of episodes that are not in the cache, and says how that went. */
export async function buildMissing(
  paths: readonly string[],
  extractor: FeatureExtractor,
  cache: string,
  reuse: number,
  { print, progress, signal, warn }: CommandContext,
): Promise<CacheReport> {
  const episodes = paths.map((path) => {
    const episode = openEpisode(path);
    episode.close(); // only the sensor's file stays open, which is not needed here
    return episode;
  });
  const plan = await planFeatures(episodes, extractor, cache, {
    ...{ signal, reuse },
    onEpisode: (path, done, total) => progress.update(`plan ${done + 1} of ${total}: ${path}`),
  });
  using store = await FeatureStore.openForWriting(cache);
  const report = await buildFeatures(plan, store, {
    signal,
    onProgress: (done, total, left) => progress.update(buildLine(done, total, left)),
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
  return report;
}
