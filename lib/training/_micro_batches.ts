import { setImmediate } from "node:timers/promises";
import { tf } from "../engine/mod.ts";
import type { PolicyConfig } from "../policies/mod.ts";
import type { TrainingBatch } from "./_batch_tree.ts";
import type { LoadedBatch, LoadedShape } from "./loader/mod.ts";

/** A loaded batch on the engine; the caller disposes of it. */
export function batchTensors(
  batch: LoadedBatch,
  { tokens, visionDim, sensorWindow, horizon }: LoadedShape,
  config: PolicyConfig,
  sensorWeight: number,
): TrainingBatch {
  const { size } = batch;
  const sensorRows = sensorWindow?.rows ?? 0;
  const hasSensor = config.sensorEncoder !== null && sensorRows > 0;
  return {
    ...(batch.visual === null
      ? {
        vision: tf.tensor3d(batch.vision, [size, tokens, visionDim]),
        visionMask: tf.tensor2d(Float32Array.from(batch.visionMask), [size, tokens]),
      }
      : { visual: batch.visual.upload() }),
    ...(hasSensor
      ? {
        sensor: tf.tensor3d(batch.sensor, [size, sensorRows, config.sensorEncoder!.inputChannels]),
        sensorMask: tf.tensor2d(Float32Array.from(batch.sensorMask), [size, sensorRows]),
      }
      : {}),
    actions: tf.tensor3d(batch.actions, [size, horizon, config.actionExpert.actionDim]),
    actionMask: tf.tensor2d(Float32Array.from(batch.actionMask), [size, horizon]),
    weights: {
      confidence: tf.tensor1d(batch.confidence),
      ...(sensorWeight === 1
        ? {}
        : { hasSensor: tf.tensor1d(batch.hasSensor, "bool"), sensorWeight }),
    },
  };
}

/** Disposes of a batch's tensors. */
export function disposeBatch({ weights, visual, ...rest }: TrainingBatch): void {
  tf.dispose([
    rest as Record<string, tf.Tensor>,
    visual?.tensors ?? [],
    weights?.confidence ?? [],
    weights?.hasSensor ?? [],
  ]);
}

/** What went through: samples with and without a sensor, and how often their images had served before. */
export interface Counted {
  sensor: number;
  noSensor: number;
  reuse: number;
}

/**
 * The next few batches of a loader, which stays open, as tensors: each is disposed of when the next one
 * is asked for.
 *
 * @param signal ends them before the next one
 * @throws {unknown} the signal's reason
 */
export async function* microBatches(
  source: AsyncGenerator<LoadedBatch>,
  count: number,
  tensorsOf: (batch: LoadedBatch) => TrainingBatch,
  counted: Counted,
  signal?: AbortSignal,
): AsyncGenerator<TrainingBatch> {
  for (let i = 0; i < count; i++) {
    const { value, done } = await source.next();
    if (i > 0) await setImmediate(); // lets the signal be heard
    signal?.throwIfAborted();
    if (done) return;
    for (let b = 0; b < value.count; b++) {
      counted[value.hasSensor[b] ? "sensor" : "noSensor"]++;
      counted.reuse += value.reuse[b]!;
    }
    const tensors = tensorsOf(value);
    try {
      yield tensors;
    } finally {
      disposeBatch(tensors);
    }
  }
}
