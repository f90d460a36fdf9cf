import { type ArrayCheck, checkArray } from "../episodes/checks/arrays.ts";
import type { Batch, BatchShape } from "./batch.ts";
import { ACTION_DIM } from "./chunk.ts";
import { PROPRIOCEPTION_DIM, SENSOR_DIM } from "./window.ts";

/**
 * Checks shape, dtype and values of every array of some samples. Only ages may be NaN, where nothing
 * was delivered.
 *
 * @param batch what `readBatch` returned
 * @param dataset that it is of
 * @returns a line for each array; all is well where every `problem` is null
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { checkBatch, createBatch } from "./mod.ts";
 *
 * const shape = { horizon: 8, views: ["View1"], sensorWindow: null, proprioceptionWindow: null };
 * const batch = createBatch(2, shape);
 * batch.imageIndex.fill(-1); // no camera has delivered
 * assert(checkBatch(batch, shape).every(({ problem }) => problem === null));
 * batch.actions[3] = NaN;
 * const wrong = checkBatch(batch, shape).filter(({ problem }) => problem !== null);
 * assert.deepEqual(wrong.map(({ name }) => name), ["actions"]);
 * ```
 */
export function checkBatch(
  batch: Batch,
  { horizon, views, sensorWindow, proprioceptionWindow }: BatchShape,
): ArrayCheck[] {
  const { size: B, sensorRows, proprioceptionRows, imageIndex } = batch;
  const T = sensorWindow?.rows ?? 0, P = proprioceptionWindow?.rows ?? 0, V = views.length;
  const none = (rows: ArrayLike<number>) => (row: number) => rows[row] === 0;
  return [
    checkArray("time", [B], batch.time),
    checkArray("actions", [B, horizon, ACTION_DIM], batch.actions),
    checkArray("actionMask", [B, horizon], batch.actionMask),
    checkArray("sensor", [B, T, SENSOR_DIM], batch.sensor),
    checkArray("sensorMask", [B, T], batch.sensorMask),
    checkArray("sensorAge", [B], batch.sensorAge, none(sensorRows)),
    checkArray("proprioception", [B, P, PROPRIOCEPTION_DIM], batch.proprioception),
    checkArray("proprioceptionMask", [B, P], batch.proprioceptionMask),
    checkArray("proprioceptionAge", [B], batch.proprioceptionAge, none(proprioceptionRows)),
    checkArray("imageIndex", [B, V], imageIndex),
    checkArray("imageAge", [B, V], batch.imageAge, (place) => imageIndex[place]! < 0),
  ];
}
