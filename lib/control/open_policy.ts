import {
  type CheckpointDocument,
  loadPolicy,
  openCheckpoint,
  type PointerName,
} from "../checkpoints/mod.ts";
import { compile, Random, tf } from "../engine/mod.ts";
import { evaluation, type PolicyConfig, predictActions } from "../policies/mod.ts";
import { useAverages } from "./_averages.ts";
import { usualCheckpoint } from "./usual_checkpoint.ts";

/** What B samples see, on the host; rows lie one behind the other. A loaded batch is one. */
export interface HostObservation {
  /** B. */
  readonly size: number;
  /** Visual-language tokens, `(B, S, visionDim)`. */
  readonly vision: Float32Array;
  /** `(B, S)` 1 for tokens that are there. @default {all are} */
  readonly visionMask?: Uint8Array;
  /** Force and A-line, raw values, oldest row first, `(B, temporalLength, inputChannels)`. @default {no sensor} */
  readonly sensor?: Float32Array;
  /** `(B, temporalLength)` 1 for recorded rows. @default {all are} */
  readonly sensorMask?: Uint8Array;
}

/** A policy that predicts. */
export interface Policy extends Disposable {
  /** Its architecture and sizes. */
  readonly config: PolicyConfig;
  /** The file or folder that it was read from, behind pointers. */
  readonly path: string;
  /** What its checkpoint says of it; null for files of other programs. */
  readonly document: CheckpointDocument | null;
  /** Settings that no one named; defaults stand for them. */
  readonly assumed: readonly string[];
  /** Whether its parameters are the running averages of the trained ones. */
  readonly isAveraged: boolean;
  /**
   * Predicts the actions that follow.
   *
   * @param observation what is seen
   * @returns `(B, horizon, actionDim)` in physical units: mm, degrees
   * @throws {RangeError} when the observation does not fit the policy
   */
  predict(observation: HostObservation): Promise<Float32Array>;
}

/** How a policy is opened. */
export interface OpenPolicyOptions {
  /** Which checkpoint of a run. @default {what usualCheckpoint says} */
  readonly which?: PointerName;
  /** DDIM steps of a diffusion policy. @default {10} */
  readonly samplingSteps?: number;
  /** Seed of the noise that a diffusion policy starts from. @default {0} */
  readonly seed?: number;
}

/**
 * Opens a trained policy to predict with. The engine must have been started. Where the checkpoint has
 * running averages of its parameters, they predict.
 *
 * @param path run folder, checkpoint folder, `.safetensors` or `.pt` file
 * @param options which checkpoint, sampling
 * @returns the policy; dispose of it
 * @throws {RangeError} when tensors are missing, unexpected, or of another shape
 * @throws {SyntaxError} when a file is damaged
 */
export async function openPolicy(path: string, options: OpenPolicyOptions = {}): Promise<Policy> {
  const { which = usualCheckpoint(path), samplingSteps, seed = 0 } = options;
  const { config, parameters, assumed, path: found } = await loadPolicy(path, { which });
  const document = documentOf(found);
  const averages = await useAverages(found, config, parameters).catch((error) => {
    tf.dispose(parameters);
    throw error;
  });
  const predict = compile((observation: Record<string, tf.Tensor>, counter: tf.Tensor) => {
    const context = evaluation(new Random({ seed, counter }));
    return predictActions(
      parameters,
      config,
      { ...observation, vision: observation.vision! },
      context,
      samplingSteps === undefined ? {} : { samplingSteps },
    );
  }, { name: "policy" });
  let calls = 0;
  return {
    config,
    path: found,
    document,
    assumed,
    isAveraged: averages > 0,
    predict: async (observation) => {
      const inputs = observationTensors(observation, config);
      const counter = tf.scalar(calls++, "int32");
      const chunk = predict(inputs, counter) as tf.Tensor;
      try {
        return await chunk.data<"float32">();
      } finally {
        tf.dispose([inputs, counter, chunk]);
      }
    },
    [Symbol.dispose]: () => {
      predict.dispose();
      tf.dispose(parameters);
    },
  };
}

function documentOf(path: string): CheckpointDocument | null {
  using checkpoint = openCheckpoint(path);
  return checkpoint.document;
}

function observationTensors(
  { size, vision, visionMask, sensor, sensorMask }: HostObservation,
  { sensorEncoder, actionExpert }: PolicyConfig,
): Record<string, tf.Tensor> {
  const tokens = vision.length / (size * actionExpert.visionDim);
  expectLength("vision", vision, [size, tokens, actionExpert.visionDim]);
  const inputs: Record<string, tf.Tensor> = {
    vision: tf.tensor3d(vision, [size, tokens, actionExpert.visionDim]),
  };
  if (visionMask !== undefined) {
    expectLength("visionMask", visionMask, [size, tokens]);
    inputs.visionMask = tf.tensor2d(Float32Array.from(visionMask), [size, tokens]);
  }
  // Policies without a sensor do not look at it.
  if (sensorEncoder === null || sensor === undefined) return inputs;
  const { temporalLength, inputChannels } = sensorEncoder;
  expectLength("sensor", sensor, [size, temporalLength, inputChannels]);
  inputs.sensor = tf.tensor3d(sensor, [size, temporalLength, inputChannels]);
  if (sensorMask !== undefined) {
    expectLength("sensorMask", sensorMask, [size, temporalLength]);
    inputs.sensorMask = tf.tensor2d(Float32Array.from(sensorMask), [size, temporalLength]);
  }
  return inputs;
}

function expectLength(name: string, { length }: ArrayLike<number>, shape: readonly number[]): void {
  const expected = shape.reduce((product, side) => product * side, 1);
  if (shape.every(Number.isInteger) && expected > 0 && length === expected) return;
  throw new RangeError(
    `Cannot predict: ${name} must have (${
      shape.map((side) => +side.toFixed(2)).join(", ")
    }) values, ` +
      `current value is ${length}. The checkpoint's configuration says what it was trained with.`,
  );
}
