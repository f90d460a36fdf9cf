/** What one sample of the reference's data set over `data.pkl` files is made of. */
export interface PickledSample {
  /** Action that stands for the visual observation. */
  readonly visionAction: number;
  /** Which of the R copies of the same sample this is. */
  readonly reuse: number;
  /** First action row; H rows follow. */
  readonly actionStart: number;
  /** First sensor row, in rows at the rate of the actions. */
  readonly sensorStart: number;
  /** One past the last sensor row. */
  readonly sensorEnd: number;
  /** Rows of zeros appended at the end. */
  readonly sensorZeros: number;
}

/**
 * The number of samples the reference makes of T actions: max(0, floor((T − H) / H)) · R. The last
 * whole chunk is lost, and each step is there R times without any difference. Ours is one sample per
 * action start: `sampleTable`.
 *
 * @param actions T
 * @param horizon H; default 8
 * @param reuse R; default 3
 * @returns the number
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pickledSampleCount } from "./pickled_samples.ts";
 *
 * assert.equal(pickledSampleCount(16), 3);
 * ```
 */
export function pickledSampleCount(actions: number, horizon = 8, reuse = 3): number {
  return Math.max(0, Math.floor((actions - horizon) / horizon)) * reuse;
}

/**
 * The rows of one sample in the reference. Its sensor rows begin at the action and count rows that
 * were thinned to the rate of the actions: 65 of them are the 6.5 s **after** the action. Ours are the
 * past: `readSensorWindow`.
 *
 * @param index of the sample
 * @param actions T
 * @param options horizon H, default 8; reuse R, default 3; sensor rows, default 65
 * @returns the rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pickledSample } from "./pickled_samples.ts";
 *
 * const { actionStart, sensorEnd, sensorZeros } = pickledSample(11, 40);
 * assert.deepEqual([actionStart, sensorEnd, sensorZeros], [24, 40, 49]);
 * ```
 */
export function pickledSample(
  index: number,
  actions: number,
  { horizon = 8, reuse = 3, sensorRows = 65 } = {},
): PickledSample {
  const actionStart = Math.floor(index / reuse) * horizon;
  const sensorEnd = Math.min(actionStart + sensorRows, actions);
  return {
    visionAction: Math.min(actionStart, actions - 1),
    reuse: index % reuse,
    actionStart,
    sensorStart: actionStart,
    sensorEnd,
    sensorZeros: sensorRows - (sensorEnd - actionStart),
  };
}

/**
 * The image the reference shows at an action or robot row: the one of the same number, clamped to the
 * last, although cameras are slower than either. Ours goes by time: `newestImage`.
 *
 * @param row number of the action or robot row
 * @param images of the camera
 * @returns number of the image, −1 if there are none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { imageByCounting } from "./pickled_samples.ts";
 *
 * assert.equal(imageByCounting(16, 10), 9);
 * ```
 */
export function imageByCounting(row: number, images: number): number {
  return Math.min(row, images - 1);
}
