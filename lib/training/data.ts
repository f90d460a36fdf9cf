import {
  applySplit,
  collectionGroups,
  type CollectionOptions,
  type DatasetGroup,
  EpisodeDataset,
  type EpisodeDatasetOptions,
  type EpisodeStatistics,
  episodeStatistics,
  type Split,
} from "../datasets/mod.ts";
import { type Episode, openEpisode } from "../episodes/mod.ts";
import { readRecordedTruth } from "../evaluation/mod.ts";
import {
  DatasetFeatures,
  type DatasetFeaturesOptions,
  type FeatureExtractor,
} from "../features/mod.ts";

/** How much earlier than a disturbance a sample already counts as touched by it, s. */
const DISTURBANCE_MARGIN = 0.02;

/** Which data a policy is trained on, and how samples are taken. */
export interface TrainingDataOptions {
  /** Divides the episodes. */
  readonly split: (episodes: readonly Episode[]) => Split;
  /** Makes the visual features. */
  readonly extractor: FeatureExtractor;
  /** Folder of their cache. */
  readonly cache: string;
  /** How the cache is used. @default {strict: a missing feature is an error} */
  readonly features?: DatasetFeaturesOptions;
  /** Horizon, stride, windows. @default {those of `EpisodeDataset`} */
  readonly dataset?: Omit<EpisodeDatasetOptions, "views" | "exclude" | "excludeMargin">;
  /** Weights of the collections. @default {those of `collectionGroups`} */
  readonly collection?: CollectionOptions;
}

/** Samples of some episodes with their visual features. */
export interface DataPart {
  /** The samples. */
  readonly dataset: EpisodeDataset;
  /** Their visual features. */
  readonly features: DatasetFeatures;
}

/** Open data, divided, with the statistics of the training part. */
export interface TrainingData extends Disposable {
  /** Which episodes train and which validate. */
  readonly split: Split;
  /** Of the training episodes. */
  readonly statistics: EpisodeStatistics;
  /** What is learnt from. */
  readonly training: DataPart;
  /** What is not; null if the split validates on no episode. */
  readonly validation: DataPart | null;
  /** Collections of the training samples. */
  readonly groups: readonly DatasetGroup[];
}

/**
 * Opens episodes to train on. Samples that touch a disturbance which the recording itself tells of are
 * left out: there the robot was moved by something that no policy should imitate.
 *
 * @param paths episode containers, see `findEpisodes`
 * @param options split, features, samples
 * @returns the data; dispose of them
 * @throws {RangeError} when nothing is left to train on, or nothing of the validation episodes
 * @throws {FeatureMissError} when features are missing
 */
export async function openTrainingData(
  paths: readonly string[],
  options: TrainingDataOptions,
): Promise<TrainingData> {
  using opened = new DisposableStack();
  const episodes = paths.map((path) => opened.use(openEpisode(path)));
  const split = options.split(episodes);
  const parts = applySplit(split, episodes);
  const training = await openDataPart("training", parts.training, options, opened);
  const validation = parts.validation.length === 0
    ? null
    : await openDataPart("validation", parts.validation, options, opened);
  const groups = collectionGroups(training.dataset, options.collection);
  const statistics = episodeStatistics(parts.training);
  const owned = opened.move();
  return {
    ...{ split, statistics, training, validation, groups },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/**
 * Opens samples of episodes with their features.
 *
 * @param name what they are, for messages
 * @param episodes open episodes
 * @param options features, samples
 * @param opened closes the features
 * @returns samples and features
 * @throws {RangeError} when there is no sample
 * @throws {FeatureMissError} when features are missing
 */
export async function openDataPart(
  name: string,
  episodes: readonly Episode[],
  { extractor, cache, dataset: samples, features: reading }: Omit<TrainingDataOptions, "split">,
  opened: DisposableStack,
): Promise<DataPart> {
  const disturbances = episodes.map((episode) => readRecordedTruth(episode)?.disturbances ?? []);
  const dataset = new EpisodeDataset(episodes, {
    ...samples,
    views: [], // the features know theirs
    exclude: (episode) => disturbances[episode]!,
    excludeMargin: DISTURBANCE_MARGIN,
  });
  if (dataset.length === 0) {
    throw new RangeError(
      `No datasets loaded! The ${name} part must have samples, current value is none in ` +
        `${episodes.length} episodes. Look at them with: deno task doctor --data ROOT`,
    );
  }
  const features = opened.use(await DatasetFeatures.open(dataset, extractor, cache, reading));
  return { dataset, features };
}
