import { tf } from "../engine/mod.ts";
import type { Observation, PolicyBatch } from "./policy.ts";

/**
 * An observation whose masks are float32 and have the shape of what they mask.
 *
 * @throws {RangeError} If a mask has another shape: it would be broadcast without a word.
 */
export function withMasks<O extends Observation>(observation: O): O {
  const { vision, visionMask, sensor, sensorMask } = observation;
  return {
    ...observation,
    ...(visionMask && { visionMask: maskOf("visionMask", visionMask, vision) }),
    ...(sensorMask && sensor && { sensorMask: maskOf("sensorMask", sensorMask, sensor) }),
  };
}

/**
 * {@link withMasks} of a batch, whose masked actions become 0: what nobody recorded may be anything,
 * and 0 · NaN is NaN.
 */
export function withCleanActions(batch: PolicyBatch): PolicyBatch {
  const { actions, actionMask } = batch;
  if (actionMask === undefined) return withMasks(batch);
  const mask = maskOf("actionMask", actionMask, actions);
  const recorded = tf.where(mask.expandDims(2).cast("bool"), actions, tf.zerosLike(actions));
  return { ...withMasks(batch), actionMask: mask, actions: recorded };
}

function maskOf(name: string, mask: tf.Tensor, masked: tf.Tensor): tf.Tensor {
  const expected = masked.shape.slice(0, 2);
  if (mask.rank === 2 && mask.shape.every((side, axis) => side === expected[axis])) {
    return mask.cast("float32");
  }
  throw new RangeError(
    `Cannot compute actions: ${name} must be (${expected.join(", ")}), current value is (${
      mask.shape.join(", ")
    })`,
  );
}
