import { type Batch, createBatch } from "./batch.ts";
import type { EpisodeDataset } from "./episode_dataset.ts";

/** The newest input of one stream, over all samples that were looked at. */
export interface StreamCausality {
  /** Newest input time minus the sample's time t, s; null if nothing was delivered. */
  readonly newest: number | null;
  /** The sample where that was, −1 if nothing was delivered. */
  readonly sample: number;
  /** In how many samples the stream delivered anything. */
  readonly delivered: number;
}

/** Whether any input of a data set comes from the future. */
export interface CausalityReport {
  /** Samples that were read. */
  readonly samples: number;
  /** By stream: `sensor`, `proprioception`, and each camera by its name. */
  readonly streams: Readonly<Record<string, StreamCausality>>;
}

/**
 * Reads samples as a training run does and reports, stream by stream, the newest input against the
 * sample's time t, from the rows and frames that were delivered.
 *
 * @param dataset what is looked at
 * @param options `every`: reads each k-th sample only, default 1, because all windows are really read
 * @returns the report; a data set is causal if no `newest` is above 0
 * @throws {RangeError} when `every` is not a positive integer
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { causalityReport, EpisodeDataset } from "./mod.ts";
 *
 * const dataset = new EpisodeDataset([{
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: Float64Array.of(0, 0.09, 0.2),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(7),
 *   actionTime: Float64Array.of(0.1, 0.2),
 *   segment: new Int32Array(1),
 *   images: [],
 *   sensor: null,
 * }]);
 * const { proprioception, sensor } = causalityReport(dataset).streams;
 * assert(Math.abs(proprioception!.newest! + 0.01) < 1e-12); // the row of 0.09 s, seen at 0.1 s
 * assert.equal(sensor!.delivered, 0);
 * ```
 */
export function causalityReport(
  dataset: EpisodeDataset,
  { every = 1 }: { readonly every?: number } = {},
): CausalityReport {
  if (!(Number.isSafeInteger(every) && every > 0)) {
    throw new RangeError(
      `Cannot check causality: every must be a positive integer, current value is ${every}.`,
    );
  }
  const streams = Object.fromEntries(
    ["sensor", "proprioception", ...dataset.views].map((name) => [
      name,
      { newest: null as number | null, sample: -1, delivered: 0 },
    ]),
  );
  const batch = createBatch(1, dataset);
  let samples = 0;
  for (let sample = 0; sample < dataset.length; sample += every, samples++) {
    dataset.readBatch([sample], batch);
    for (const [name, age] of inputAges(dataset, batch)) {
      if (Number.isNaN(age)) continue;
      const stream = streams[name]!;
      stream.delivered++;
      if (stream.newest === null || -age > stream.newest) {
        Object.assign(stream, { newest: 0 - age, sample });
      }
    }
  }
  return { samples, streams };
}

/**
 * Refuses a sample with an input from the future.
 *
 * @param dataset the data set
 * @param index of the sample, 0 … S − 1
 * @throws {Error} naming the stream, and by how much it is ahead
 * @throws {RangeError} when there is no such sample
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { assertCausal, EpisodeDataset } from "./mod.ts";
 *
 * assert.throws(() => assertCausal(new EpisodeDataset([]), 0), RangeError);
 * ```
 */
export function assertCausal(dataset: EpisodeDataset, index: number): void {
  const batch = dataset.readBatch([index]);
  for (const [name, age] of inputAges(dataset, batch)) {
    if (!(age < 0)) continue;
    const episode = dataset.episodes[batch.episode[0]!]!;
    throw new Error(
      `Cannot use sample ${index} (${episode.path}, action ${
        batch.action[0]
      }): ${name} must not be ` +
        `newer than the sample's time ${batch.time[0]} s, current value is ${-age} s after it.`,
    );
  }
}

/** How old the inputs of a batch's first sample are, s; NaN where nothing was delivered. */
function inputAges({ views }: EpisodeDataset, batch: Batch): [stream: string, age: number][] {
  return [
    ["sensor", batch.sensorAge[0]!],
    ["proprioception", batch.proprioceptionAge[0]!],
    ...views.map((view, v): [string, number] => [view, batch.imageAge[v]!]),
  ];
}
