import { type Batch, createBatch } from "../datasets/batch.ts";
import type { EpisodeData } from "../datasets/_episode.ts";
import { ACTION_DIM } from "../datasets/chunk.ts";
import type { EpisodeDataset } from "../datasets/episode_dataset.ts";
import type { ChunkPredictions, WindowFlags } from "./chunk_predictions.ts";
import { readRecordedTruth } from "./recorded_truth.ts";

/** A batch as a policy sees it in evaluation: without what it has to predict. */
export type Observation<B extends Batch = Batch> = Omit<B, "actions" | "actionMask">;

/** A policy: `(B, H, 7)` in mm and degrees, from what is known at the start of each window. */
export type PredictChunks<B extends Batch = Batch> = (
  batch: Observation<B>,
) => Float32Array | Promise<Float32Array>;

/** Batches of a data set in order; `count` rows of each are real, all of them by default. */
export type WindowBatch = Batch & {
  /** Rows that are not padding. */
  readonly count?: number;
};

/** How {@linkcode predictDataset} walks through a data set. */
export interface PredictDatasetOptions<B extends WindowBatch = Batch> {
  /** `(7)` mean action of the training episodes, mm and degrees. */
  readonly meanAction: ArrayLike<number>;
  /** Batches with all windows, once each and in order, from a loader; default read here. */
  readonly batches?: AsyncIterable<B> | Iterable<B>;
  /** Windows per batch when they are read here; default 64. */
  readonly batchSize?: number;
  /** Group of an episode; default its task. */
  readonly group?: (episode: EpisodeData, index: number) => string;
  /**
   * Times at which the expert changes its mind, s on the episode's clock; null where nobody knows.
   * Default {@linkcode readRecordedTruth}.
   */
  readonly events?: (episode: EpisodeData, index: number) => readonly number[] | null;
  /** Called after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
}

/**
 * Lets a policy predict every window of a data set once, in order. The policy never sees labels;
 * sensor data and images are held for one batch only.
 *
 * @param dataset validation episodes
 * @param predict the policy
 * @param options mean action, loader, groups
 * @returns predictions and truth, and what is known of the windows, for `evaluateChunks`
 * @throws {RangeError} if the policy gives another number of values, or batches lack windows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EpisodeDataset } from "../datasets/mod.ts";
 * import { evaluateChunks, predictDataset } from "./mod.ts";
 *
 * const episode = {
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: Float64Array.of(0, 0.1, 0.2),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(2 * 7).fill(0.5),
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2),
 *   segment: new Int32Array(2),
 *   images: [],
 *   sensor: null,
 * };
 * const dataset = new EpisodeDataset([episode], { horizon: 2 });
 * const still = ({ size }: { size: number }) => new Float32Array(size * 2 * 7);
 * const meanAction = new Float32Array(7).fill(0.5);
 * const { chunks, flags } = await predictDataset(dataset, still, { meanAction });
 * const { model, baselines } = evaluateChunks(chunks, flags);
 * assert.deepEqual([model.rmse, baselines.mean.rmse], [0.5, 0]);
 * ```
 */
export async function predictDataset<B extends WindowBatch = Batch>(
  dataset: EpisodeDataset,
  predict: PredictChunks<B>,
  options: PredictDatasetOptions<B>,
): Promise<{ chunks: ChunkPredictions; flags: WindowFlags }> {
  const { meanAction, onProgress, signal, batchSize = 64 } = options;
  const { length: windows, horizon } = dataset;
  const chunk = horizon * ACTION_DIM;
  const predicted = new Float32Array(windows * chunk), truth = new Float32Array(windows * chunk);
  const mask = new Uint8Array(windows * horizon), hasSensor = new Uint8Array(windows);
  let done = 0;
  for await (const batch of options.batches ?? readBatches<B>(dataset, batchSize)) {
    signal?.throwIfAborted();
    const count = Math.min(batch.count ?? batch.size, batch.size);
    assertOrder(dataset, batch, count, done);
    // Labels first: a loader may use the batch's memory again while the policy computes.
    truth.set(batch.actions.subarray(0, count * chunk), done * chunk);
    mask.set(batch.actionMask.subarray(0, count * horizon), done * horizon);
    for (let row = 0; row < count; row++) hasSensor[done + row] = +(batch.sensorRows[row]! > 0);
    const { actions: _, actionMask: __, ...observation } = batch;
    const values = await predict(observation as Observation<B>);
    assertPrediction(values, batch.size * chunk);
    predicted.set(values.subarray(0, count * chunk), done * chunk);
    done += count;
    onProgress?.(done, windows);
  }
  if (done !== windows) throw new RangeError(windowsMissing(windows, done));
  const { units, dimensions } = dataset.actionRepresentation ?? ACTION;
  return {
    chunks: {
      windows,
      horizon,
      dimensions,
      units,
      counted: [0, 1, 2],
      rotation: "euler",
      predicted,
      truth,
      mask,
      episode: dataset.samples.episode.slice(),
      lastAction: lastActions(dataset),
      meanAction,
      startAngles: startAngles(dataset),
      time: times(dataset),
    },
    flags: {
      hasSensor,
      group: groups(dataset, options.group),
      ...decisions(dataset, options),
      ...visionAges(dataset),
    },
  };
}

function* readBatches<B extends WindowBatch>(
  dataset: EpisodeDataset,
  batchSize: number,
): Generator<B> {
  const whole = createBatch(Math.min(batchSize, Math.max(1, dataset.length)), dataset);
  for (let start = 0; start < dataset.length; start += batchSize) {
    const size = Math.min(batchSize, dataset.length - start);
    const indices = Int32Array.from({ length: size }, (_, i) => start + i);
    yield dataset.readBatch(indices, size === whole.size ? whole : undefined) as B;
  }
}

function assertOrder(dataset: EpisodeDataset, batch: Batch, count: number, done: number): void {
  const { episode, action } = dataset.samples;
  if (done + count > dataset.length) {
    throw new RangeError(windowsMissing(dataset.length, done + count));
  }
  for (let row = 0; row < count; row++) {
    const window = done + row;
    if (batch.episode[row] === episode[window] && batch.action[row] === action[window]) continue;
    throw new RangeError(
      `Cannot evaluate: batches must hold the windows in order, current value is action ` +
        `${batch.action[row]} of episode ${batch.episode[row]} in place of window ${window}. ` +
        `Use a sequential order`,
    );
  }
}

function assertPrediction(values: Float32Array, length: number): void {
  if (values.length === length) return;
  throw new RangeError(
    `Cannot evaluate: the policy must give ${length} values for a batch, current value is ` +
      `${values.length}. Return (B, H, 7)`,
  );
}

function windowsMissing(windows: number, found: number): string {
  return `Cannot evaluate: batches must hold each of ${windows} windows once, current value is ` +
    `${found} windows. Use a sequential order of the whole data set`;
}

/** Of episodes whose manifests do not say it. */
const ACTION = {
  dimensions: ["dx", "dy", "dz", "da", "db", "dr", "gripper"],
  units: ["mm", "mm", "mm", "deg", "deg", "deg", "1"],
};

/** The action before each window: before an episode the robot rests, before a hole nobody knows. */
function lastActions({ samples, episodes, length }: EpisodeDataset): Float32Array {
  const last = new Float32Array(length * ACTION_DIM);
  for (let window = 0; window < length; window++) {
    const at = window * ACTION_DIM, before = samples.action[window]! - 1;
    if (before >= samples.segmentStart[window]!) {
      const { action } = episodes[samples.episode[window]!]!;
      last.set(action.subarray(before * ACTION_DIM, (before + 1) * ACTION_DIM), at);
    } else if (before < 0) last[at + ACTION_DIM - 1] = 1; // as in every recorded action
    else last.fill(NaN, at, at + ACTION_DIM);
  }
  return last;
}

/** Start of each window, s since the first action of its episode. */
function times(dataset: EpisodeDataset): Float64Array {
  const { episodes, samples, length } = dataset;
  return Float64Array.from(
    { length },
    (_, window) => dataset.time(window) - episodes[samples.episode[window]!]!.actionTime[0]!,
  );
}

/** Orientation of the newest robot state at each window's start. */
function startAngles(dataset: EpisodeDataset): Float64Array {
  const angles = new Float64Array(3 * dataset.length);
  let row = 0, episode = -1;
  for (let window = 0; window < dataset.length; window++) {
    const { robotTime, robotState } = dataset.episodes[dataset.samples.episode[window]!]!;
    if (dataset.samples.episode[window] !== episode) row = 0;
    episode = dataset.samples.episode[window]!;
    const time = dataset.time(window);
    while (row + 1 < robotTime.length && robotTime[row + 1]! <= time) row++;
    angles.set(robotState.subarray(12 * row + 9, 12 * row + 12), 3 * window);
  }
  return angles;
}

function groups(
  { samples, episodes }: EpisodeDataset,
  of: PredictDatasetOptions["group"] = ({ manifest }) => manifest.task,
): string[] {
  const names = episodes.map((episode, index) => of(episode, index));
  return Array.from(samples.episode, (episode) => names[episode]!);
}

/** How many actions old what was seen is; where each window sees its own moment there are no ages. */
function visionAges(dataset: EpisodeDataset): Pick<WindowFlags, "visionAge"> {
  const { length, samples, visionReuse, visionDelay } = dataset;
  if (visionReuse === 1 && visionDelay === 0) return {};
  const visionAge = Int32Array.from(
    { length },
    (_, window) => samples.action[window]! - dataset.observationAction(window),
  );
  return { visionAge };
}

/** A window is one of decision if an event is after its start and not after its last action. */
function decisions<B extends WindowBatch>(
  dataset: EpisodeDataset,
  { events = (episode) => readRecordedTruth(episode)?.events ?? null }: PredictDatasetOptions<B>,
): Pick<WindowFlags, "isDecision"> {
  const known = dataset.episodes.map((episode, index) => events(episode, index));
  if (known.every((times) => times === null)) return { isDecision: null };
  const { samples, horizon } = dataset;
  const isDecision = Uint8Array.from(samples.episode, (episode, window) => {
    const { actionTime } = dataset.episodes[episode]!;
    const first = samples.action[window]!;
    const last = Math.min(first + horizon, samples.segmentEnd[window]!) - 1;
    const start = actionTime[2 * first]!, end = actionTime[2 * last + 1]!;
    return +(known[episode] ?? []).some((event) => start < event && event <= end);
  });
  return { isDecision };
}
