/** Batches of samples, one after the other, as a training loop asks for them. */
import {
  collectionGroups,
  type EpisodeData,
  EpisodeDataset,
  SENSOR_DIM,
  WeightedSampler,
} from "../datasets/mod.ts";
import { openNpy } from "../formats/npy_reader.ts";
import { type LoadedBatch, Loader } from "../training/loader/mod.ts";
import { checksum } from "./_checksums.ts";
import type { Subject } from "./_subject.ts";

/** What is loaded. */
export interface LoaderConfig {
  /** `.npy` of the sensor's rows, which all episodes share. */
  readonly path: string;
  /** Samples of an episode; sample i begins right after its window, rows i · window to (i + 1) · window. */
  readonly episodeSamples: number;
  /** Samples of the data set. */
  readonly samples: number;
  readonly batch: number;
  /** Rows of a sensor window. */
  readonly window: number;
}

/** What was made ready. */
export interface LoaderFacts {
  /** CRC-32 of the sensor windows of some samples. */
  readonly checksum: number;
}

/** Rows per second. */
const SENSOR_HZ = 650;
const ACTION_DIM = 7, STATE_DIM = 12;
/** Batches before memory is looked at. */
const WARM_UP = 50;

/** Opens the data set and loads its first batches. */
export async function loaderSubject(config: LoaderConfig): Promise<Subject> {
  const { batch, samples, window } = config;
  const reader = openNpy(config.path, { dtype: "float32", shape: [null, SENSOR_DIM] });
  const first = episodeOf(config, reader);
  const episodes = Array.from(
    { length: Math.ceil(samples / config.episodeSamples) },
    (_, number) => ({
      ...first,
      manifest: { ...first.manifest, name: `episode ${number}` },
      segment: first.segment.subarray(0, samples - number * config.episodeSamples),
    }),
  );
  const dataset = new EpisodeDataset(episodes, {
    sensorMilliseconds: window / SENSOR_HZ * 1000,
    proprioceptionMilliseconds: null,
  });
  const groups = collectionGroups(dataset);
  const order = new WeightedSampler(groups, { seed: 1, multiple: batch });
  const loader = new Loader(dataset, order, { batchSize: batch, groups });
  const batches = endless(loader);
  const run = async () => void await batches.next();
  for (let k = 0; k < WARM_UP; k++) await run();
  const some = [0, 1, Math.floor(samples / 2), samples - 1];
  const facts: LoaderFacts = { checksum: checksum(dataset.readBatch(some).sensor) };
  const release = () => {
    loader.close();
    reader.close();
  };
  return { facts: { ...facts }, run, repeats: 1, release };
}

async function* endless(loader: Loader): AsyncGenerator<LoadedBatch, void, void> {
  for (let epoch = 0;; epoch++) yield* loader.batches(epoch);
}

/** All episodes share its arrays, so that what grows with their number is the loader's. */
function episodeOf(
  { path, window, episodeSamples: count }: LoaderConfig,
  { rows, readRowsInto }: ReturnType<typeof openNpy<"float32">>,
): EpisodeData {
  // Half a row after the window's last one.
  const start = (action: number) => ((action + 1) * window - 0.5) / SENSOR_HZ;
  return {
    path: "/bench/episode",
    manifest: { name: "episode", task: "bench", instruction: "Perform the insertion task" },
    robotTime: new Float64Array(1),
    robotState: new Float32Array(STATE_DIM),
    action: new Float32Array(count * ACTION_DIM),
    actionTime: Float64Array.from({ length: 2 * count }, (_, k) => start(Math.ceil(k / 2))),
    segment: new Int32Array(count),
    images: [],
    sensor: {
      file: path,
      time: Float64Array.from({ length: rows }, (_, row) => row / SENSOR_HZ),
      rows,
      readRowsInto,
    },
  };
}
