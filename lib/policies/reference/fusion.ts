import { tf } from "../../engine/mod.ts";
import { attention, attentionSpecs } from "../layers/attention.ts";
import type { ForwardContext, Parameters } from "../layers/context.ts";
import { expectVision } from "../layers/expect.ts";
import { linear, linearSpecs } from "../layers/linear.ts";
import type { TensorSpec } from "../layers/tensor_spec.ts";
import type { ActionExpertConfig, Fusion } from "./config.ts";

const NAME = "action_expert";

/** The last layer of the fusion is called differently by the two experts. */
export type FusionOutput = "fusion_proj" | "cond_proj";

/** The tensors of {@link fuse}. */
export function fusionSpecs(
  fusion: Fusion,
  output: FusionOutput,
  { visionDim, sensorDim, hiddenDim }: ActionExpertConfig,
): TensorSpec[] {
  const projections = [
    ...linearSpecs(`${NAME}.vl_proj`, visionDim, hiddenDim),
    ...linearSpecs(`${NAME}.sensor_proj`, sensorDim, hiddenDim),
  ];
  const last = (inputs: number) => linearSpecs(`${NAME}.${output}`, inputs, hiddenDim);
  switch (fusion) {
    case "concat":
      return last(visionDim + sensorDim);
    case "cross_attention":
      return [
        ...projections,
        ...attentionSpecs(`${NAME}.cross_attn`, hiddenDim),
        ...last(hiddenDim),
      ];
    case "gated":
      return [
        ...projections,
        ...linearSpecs(`${NAME}.gate.0`, 2 * hiddenDim, hiddenDim),
        ...last(hiddenDim),
      ];
    case "none":
      return last(visionDim);
  }
}

/**
 * Joins visual-language tokens and the sensor feature into one condition.
 *
 * @param vision `(B, S, visionDim)`.
 * @param sensor `(B, sensorDim)`, or null with fusion `none`.
 * @returns `(B, hiddenDim)`.
 */
export function fuse(
  p: Parameters,
  fusion: Fusion,
  output: FusionOutput,
  config: ActionExpertConfig,
  vision: tf.Tensor,
  sensor: tf.Tensor | null,
  context: ForwardContext,
): tf.Tensor {
  expectVision(vision, config.visionDim);
  const project = (x: tf.Tensor) => linear(p, `${NAME}.${output}`, x);
  if (fusion === "none") return project(vision.mean(1));
  expectSensor(sensor, fusion, config.sensorDim);
  if (fusion === "concat") return project(tf.concat([vision.mean(1), sensor], -1));
  const s = linear(p, `${NAME}.sensor_proj`, sensor); // (B, W)
  if (fusion === "cross_attention") {
    const memory = linear(p, `${NAME}.vl_proj`, vision); // (B, S, W)
    const query = s.expandDims(1); // (B, 1, W)
    return project(attention(p, `${NAME}.cross_attn`, query, memory, config, context).squeeze([1]));
  }
  const v = linear(p, `${NAME}.vl_proj`, vision.mean(1)); // (B, W)
  const gate = linear(p, `${NAME}.gate.0`, tf.concat([v, s], -1)).sigmoid();
  return project(gate.mul(v).add(tf.sub(1, gate).mul(s)));
}

function expectSensor(
  sensor: tf.Tensor | null,
  fusion: Fusion,
  width: number,
): asserts sensor is tf.Tensor {
  if (sensor?.rank === 2 && sensor.shape[1] === width) return;
  const found = sensor === null ? "null" : `(${sensor.shape.join(", ")})`;
  throw new RangeError(
    `Cannot compute condition: fusion "${fusion}" of the reference architecture needs a sensor feature (B, ${width}), current value is ${found}; architecture "trocar" has a learned token for a missing sensor`,
  );
}
