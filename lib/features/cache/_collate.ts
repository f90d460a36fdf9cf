import type { SampleTable } from "../../datasets/sample_table.ts";
import type { Feature } from "../extractor.ts";
import type { FeatureBatch } from "./feature_batch.ts";
import type { FeaturePlan, PlannedObservation } from "./plan.ts";

/** A sample and its observation. */
export interface Row {
  readonly index: number;
  readonly episode: number;
  readonly step: number;
  readonly observation: PlannedObservation;
}

/** The batch of some samples; shorter features are filled with zeros. */
export function collate(
  rows: readonly Row[],
  found: ReadonlyMap<string, Feature>,
  { extractor: { width, identity: { views } }, episodes }: FeaturePlan,
  samples: SampleTable,
): FeatureBatch {
  const size = rows.length;
  const features = rows.map(({ observation: { key } }) => found.get(key)!);
  const length = Math.max(1, ...features.map(({ tokens }) => tokens));
  const values = new Float32Array(size * length * width);
  const tokenMask = new Uint8Array(size * length);
  const viewMask = new Uint8Array(size * views.length);
  const imageAge = new Float64Array(size * views.length).fill(NaN);
  rows.forEach(({ index, episode, observation }, b) => {
    const feature = features[b]!;
    values.set(feature.values, b * length * width);
    tokenMask.fill(1, b * length, b * length + feature.tokens);
    const { actionTime } = episodes[episode]!.episode;
    const waited = actionTime[2 * samples.action[index]!]! - observation.time;
    observation.frames.forEach((frame, v) => {
      if (frame < 0) return;
      viewMask[b * views.length + v] = 1;
      imageAge[b * views.length + v] = observation.ages[v]! + waited;
    });
  });
  return { tokens: length, values, tokenMask, viewMask, imageAge };
}
