import type { VisualBatch } from "../../features/trainable.ts";
import { type Batch, type BatchShape, createBatch } from "../../datasets/mod.ts";

/**
 * Samples as a policy learns from them: what `Batch` holds, visual features, and what each sample
 * counts. Rows from `count` on are padding: zeros, index −1, all masks and confidence 0.
 *
 * The memory is used again: it is valid until the next batch is asked for.
 */
export interface LoadedBatch extends Batch {
  /** Samples in it, at most B. */
  readonly count: number;
  /** Where the epoch goes on after it: with the epoch all there is to resume from. */
  readonly position: number;
  /** `(B,)` numbers of the samples in the data set. */
  readonly index: Int32Array;
  /** `(B,)` place of the data set in the loader's groups; 0 without groups. */
  readonly group: Int32Array;
  /** `(B,)` what each sample counts; 1 without groups. */
  readonly confidence: Float32Array;
  /** `(B,)` for how many actions the visual observation has served before, 0 … R − 1. */
  readonly reuse: Int32Array;
  /** `(B,)` 1 where the sensor delivered a row. */
  readonly hasSensor: Uint8Array;
  /** `(B, S, D)` visual-language tokens; S and D are the same in all batches, 0 without features. */
  readonly vision: Float32Array;
  /** `(B, S)` 1 for tokens, 0 for padding. */
  readonly visionMask: Uint8Array;
  /** `(B, V)` 1 for cameras of the features that had delivered an image. */
  readonly viewMask: Uint8Array;
  /** What a model that is trained sees of the samples; null where features come from a cache. */
  readonly visual: VisualBatch | null;
  /** How long the loop waited for it, ms. */
  readonly waited: number;
}

/** Sizes of one sample. */
export interface LoadedShape extends BatchShape {
  /** S; 0 without features. */
  readonly tokens: number;
  /** D; 0 without features. */
  readonly visionDim: number;
  /** Cameras of the features. */
  readonly visionViews: readonly string[];
}

/** A batch whose memory the loader fills. */
export type FillableBatch = { -readonly [K in keyof LoadedBatch]: LoadedBatch[K] };

/** Memory for B samples, all of it padding. */
export function createLoadedBatch(size: number, shape: LoadedShape): FillableBatch {
  const tokens = size * shape.tokens;
  return {
    ...createBatch(size, shape),
    count: 0,
    position: 0,
    index: new Int32Array(size).fill(-1),
    group: new Int32Array(size),
    confidence: new Float32Array(size),
    reuse: new Int32Array(size),
    hasSensor: new Uint8Array(size),
    vision: new Float32Array(tokens * shape.visionDim),
    visionMask: new Uint8Array(tokens),
    viewMask: new Uint8Array(size * shape.visionViews.length),
    visual: null,
    waited: 0,
  };
}

/** Makes padding of all rows from `count` on. */
export function padBatch(batch: FillableBatch, count: number): void {
  type Rows<V> = { readonly length: number; fill(value: V, start: number): unknown };
  const pad = <V>(value: V, ...arrays: Rows<V>[]) =>
    arrays.forEach((rows) => rows.fill(value, rows.length / batch.size * count));
  pad(-1, batch.index, batch.imageIndex);
  pad(NaN, batch.sensorAge, batch.proprioceptionAge, batch.imageAge);
  pad("", batch.instruction);
  pad<string | null>(null, batch.image);
  pad(0, batch.episode, batch.action, batch.time, batch.actions, batch.actionMask);
  pad(0, batch.sensor, batch.sensorMask, batch.sensorRows, batch.hasSensor);
  pad(0, batch.proprioception, batch.proprioceptionMask, batch.proprioceptionRows);
  pad(
    0,
    batch.group,
    batch.confidence,
    batch.reuse,
    batch.vision,
    batch.visionMask,
    batch.viewMask,
  );
}
