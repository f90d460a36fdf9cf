import { tf } from "../engine/mod.ts";
import { evaluation, predictActions, type SamplingOptions } from "../policies/mod.ts";
import { observationTensors } from "./_observation_tensors.ts";
import { samplingNoise } from "./_sampling_noise.ts";
import type { HostObservation } from "./open_policy.ts";
import type { PolicyParameters } from "./policy_parameters.ts";

/** Where the actions of a chunk look, mean over layers, heads and, in diffusion, sampling steps. */
export interface AttentionShare {
  /** B. */
  readonly size: number;
  /** Actions of a chunk, H. */
  readonly horizon: number;
  /** Tokens that actions attend to, M: a learned one, the visual-language tokens, the sensor tokens. */
  readonly tokens: number;
  /** Visual-language tokens among them. */
  readonly visionTokens: number;
  /** Sensor tokens among them; 0 for a policy without a sensor. */
  readonly sensorTokens: number;
  /** `(B, H, M)` attention to each token; the sum over M is 1. */
  readonly weights: Float32Array;
  /** `(B, H, 2)` what visual-language and sensor tokens have of the attention to both; their sum is 1. */
  readonly shares: Float64Array<ArrayBuffer>;
  /** `(H, 2)` mean of the shares over the samples. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** `(H)` mean attention to the learned token, which knows nothing of the moment. */
  readonly learned: Float64Array<ArrayBuffer>;
}

/** Settings of {@linkcode attentionShare}; those of sampling are for the diffusion family. */
export interface AttentionShareOptions extends SamplingOptions {
  /** Seed of the noise that a diffusion policy draws. @default {0} */
  readonly seed?: number;
}

/** The attention of actions to what was seen. */
const TO_MEMORY = /\.temporal_decoder\.layers\.\d+\.multihead_attn$/;

/**
 * Runs a policy on a batch and says how much each action of the chunk attends to what it sees and to
 * what it feels. Attention shows where information may come from, not that it decides anything
 * (Jain and Wallace, arXiv:1902.10186): leave an input out to know. With fusion `cross_attention`
 * visual-language tokens already hold what they found in the sensor.
 *
 * @param opened a policy of architecture `trocar`, from {@linkcode openPolicyParameters}
 * @param observation what is seen
 * @param options sampling
 * @returns shares by sample and action
 * @throws {RangeError} for architecture `reference`, whose actions attend to one fused token, and when
 * the observation does not fit the policy
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { initialise, preset } from "../policies/mod.ts";
 * import { attentionShare } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { visionDim: 16, fusion: "none" });
 * const opened = { config, parameters: initialise(config, { seed: 1 }) };
 * const { mean } = await attentionShare(opened, { size: 1, vision: new Float32Array(2 * 16) });
 * assert.deepEqual([...mean.slice(0, 2)], [1, 0]); // it has no sensor
 * ```
 */
export async function attentionShare(
  { config, parameters }: Pick<PolicyParameters, "config" | "parameters">,
  observation: HostObservation,
  { seed = 0, ...sampling }: AttentionShareOptions = {},
): Promise<AttentionShare> {
  if (config.architecture !== "trocar") {
    throw new RangeError(
      "Cannot divide attention: actions must attend to tokens of each input, current value is " +
        `architecture "${config.architecture}", which fuses all inputs into one token. Take a ` +
        'policy of architecture "trocar".',
    );
  }
  const { size, index = Array.from({ length: size }, (_, row) => row) } = observation;
  const inputs = observationTensors(observation, config);
  const noise = samplingNoise(config, index, seed, sampling);
  const found = tf.tidy(() => {
    const seen: tf.Tensor[] = [];
    const onAttention = (name: string, probabilities: tf.Tensor) => {
      if (TO_MEMORY.test(name)) seen.push(probabilities.mean(1)); // (B, H, M)
    };
    predictActions(
      parameters,
      config,
      { ...inputs, vision: inputs.vision! },
      { ...evaluation(), onAttention },
      { ...sampling, ...noise },
    );
    return tf.addN(seen).div(seen.length);
  });
  try {
    const [, horizon, tokens] = found.shape as [number, number, number];
    const weights = await found.data<"float32">();
    const visionTokens = inputs.vision!.shape[1]!;
    return { ...divide(weights, size, horizon, tokens, visionTokens), weights };
  } finally {
    tf.dispose([inputs, noise, found]);
  }
}

function divide(
  weights: Float32Array,
  size: number,
  horizon: number,
  tokens: number,
  visionTokens: number,
): Omit<AttentionShare, "weights"> {
  const shares = new Float64Array(size * horizon * 2);
  const mean = new Float64Array(horizon * 2), learned = new Float64Array(horizon);
  for (let row = 0; row < size * horizon; row++) {
    const step = row % horizon;
    const sum = (from: number, to: number) => {
      let total = 0;
      for (let token = from; token < to; token++) total += weights[row * tokens + token]!;
      return total;
    };
    const vision = sum(1, 1 + visionTokens), sensor = sum(1 + visionTokens, tokens);
    [vision, sensor].forEach((part, kind) => {
      shares[2 * row + kind] = part / (vision + sensor);
      mean[2 * step + kind]! += part / (vision + sensor) / size;
    });
    learned[step]! += weights[row * tokens]! / size;
  }
  const sensorTokens = tokens - 1 - visionTokens;
  return { size, horizon, tokens, visionTokens, sensorTokens, shares, mean, learned };
}
