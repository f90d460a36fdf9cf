/** Small policies with random inputs. */
import { Random, tf, valueAndGradients } from "trocar/engine";
import {
  type Fusion,
  initialise,
  type PolicyBatch,
  type PolicyConfig,
  policyLoss,
  preset,
  trainedKeys,
  training,
} from "../../lib/policies/mod.ts";

/** What the data of these policies have. */
export const SIZES = { inputChannels: 9, visionDim: 16, timesteps: 20 } as const;

/** Standard normal numbers. */
export function normal(shape: number[], seed: number): tf.Tensor {
  return new Random({ seed, counter: 0 }).normal(shape, "test");
}

/** Uniform numbers in [0, 1). */
export function uniform(shape: number[], seed: number): tf.Tensor {
  return new Random({ seed, counter: 0 }).uniform(shape, "test");
}

/** A policy without dropout. */
export function still<C extends PolicyConfig>(config: C): C {
  const off = { dropout: 0, ...("missingRate" in config.actionExpert ? { missingRate: 0 } : {}) };
  const { sensorEncoder, actionExpert } = config;
  return {
    ...config,
    sensorEncoder: sensorEncoder && { ...sensorEncoder, ...off },
    actionExpert: { ...actionExpert, ...off },
  };
}

/** The policy with sizes that make a step take milliseconds, and with dropout. */
function small<C extends PolicyConfig>(config: C): C {
  const { sensorEncoder, actionExpert } = config;
  const sensorDim = sensorEncoder === null ? 0 : 24;
  const drops = { dropout: 0.1, ...(config.architecture === "trocar" ? { missingRate: 0.1 } : {}) };
  const sizes = { hiddenDim: 16, outputDim: sensorDim, transformerLayers: 1 };
  return {
    ...config,
    sensorEncoder: sensorEncoder && { ...sensorEncoder, ...sizes, ...drops },
    actionExpert: { ...actionExpert, hiddenDim: 32, sensorDim, layers: 2, ...drops },
  };
}

/** A small policy of trocar's architecture. */
export function trocarPolicy(family: "regression" | "diffusion", fusion: Fusion) {
  return small(preset("tiny", { ...SIZES, family, fusion }));
}

/** A small policy of the Python reference's architecture. */
export function referencePolicy(family: "regression" | "diffusion" | "no-sensor", fusion: Fusion) {
  return small(preset("tiny", { ...SIZES, architecture: "reference", family, fusion }));
}

/** Random samples. */
export function randomBatch(config: PolicyConfig, size = 3): PolicyBatch & { sensor: tf.Tensor } {
  const { visionDim, horizon, actionDim } = config.actionExpert;
  return {
    vision: normal([size, 1, visionDim], 1),
    sensor: normal([size, 65, SIZES.inputChannels], 2),
    actions: normal([size, horizon, actionDim], 3),
  };
}

/** Loss and gradients of a training step. */
export function gradientsOf(config: PolicyConfig, batch: PolicyBatch, seed = 1) {
  const parameters = initialise(config, { seed });
  const trained = Object.fromEntries(trainedKeys(config).map((key) => [key, parameters[key]!]));
  return valueAndGradients(
    (p) => {
      const context = training(new Random({ seed, counter: 0 }));
      return policyLoss({ ...parameters, ...p }, config, batch, context);
    },
    trained,
  );
}

/** Largest magnitude in a tensor. */
export async function largest(x: tf.Tensor): Promise<number> {
  return (await x.abs().max().data())[0]!;
}

/** Largest difference of two tensors. */
export function difference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  return largest(a.sub(b));
}
