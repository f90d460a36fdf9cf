import type { CheckpointDocument, CheckpointNotes, PointerName } from "../checkpoints/mod.ts";
import { compile, tf } from "../engine/mod.ts";
import {
  evaluation,
  type PolicyConfig,
  predictActions,
  samplingLadder,
  type SamplingOptions,
} from "../policies/mod.ts";
import { openPolicyParameters } from "./policy_parameters.ts";
import { expectLength, observationTensors } from "./_observation_tensors.ts";
import { type Noise, samplingNoise } from "./_sampling_noise.ts";
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
  /**
   * `(B)` Number of each sample: the noise that a diffusion policy draws for it follows from that and
   * the seed alone, wherever it is in whichever batch. Below 0 for rows that only fill the batch.
   * @default {counted from 0 through all calls}
   */
  readonly index?: ArrayLike<number>;
}

/** A policy that predicts. */
export interface Policy extends Disposable {
  /** Its architecture and sizes. */
  readonly config: PolicyConfig;
  /** The file or folder that it was read from, behind pointers. */
  readonly path: string;
  /** What its checkpoint says of it; null for files of other programs. */
  readonly document: CheckpointDocument | null;
  /** The features that it was trained on, and what of their model was; null where it says neither. */
  readonly notes: CheckpointNotes | null;
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

/** How a policy is opened; settings of sampling are for the diffusion family. */
export interface OpenPolicyOptions extends SamplingOptions {
  /** Which checkpoint of a run. @default {what usualCheckpoint says} */
  readonly which?: PointerName;
  /** Seed of the noise that a diffusion policy draws. @default {0} */
  readonly seed?: number;
}

/**
 * Opens a trained policy to predict with. The engine must have been started. Where the checkpoint has
 * running averages of its parameters, they predict.
 *
 * @param path run folder, checkpoint folder, `.safetensors` or `.pt` file
 * @param options which checkpoint, sampling
 * @returns the policy; dispose of it
 * @throws {RangeError} when tensors are missing, unexpected, or of another shape; when an option of
 * sampling does not fit the policy
 * @throws {SyntaxError} when a file is damaged
 */
export async function openPolicy(path: string, options: OpenPolicyOptions = {}): Promise<Policy> {
  const { which = usualCheckpoint(path), seed = 0, ...sampling } = options;
  const opened = await openPolicyParameters(path, { which });
  const { config, parameters, assumed, document, notes, isAveraged, path: found } = opened;
  if (config.family === "diffusion" || Object.keys(sampling).length > 0) {
    try {
      samplingLadder(config, sampling); // refuses what does not fit
    } catch (error) {
      tf.dispose(parameters);
      throw error;
    }
  }
  const predict = compile((observation: Record<string, tf.Tensor>, noise: Noise) =>
    predictActions(
      parameters,
      config,
      { ...observation, vision: observation.vision! },
      evaluation(),
      { ...sampling, ...noise },
    ), { name: "policy" });
  let seen = 0;
  return {
    config,
    path: found,
    ...{ document, notes, assumed, isAveraged },
    predict: async (observation) => {
      const { size, index = Array.from({ length: size }, (_, row) => seen + row) } = observation;
      seen += size;
      expectLength("index", index, [size]);
      const inputs = observationTensors(observation, config);
      const noise = samplingNoise(config, index, seed, sampling);
      const chunk = predict(inputs, noise) as tf.Tensor;
      try {
        return await chunk.data<"float32">();
      } finally {
        tf.dispose([inputs, noise, chunk]);
      }
    },
    [Symbol.dispose]: () => {
      predict.dispose();
      tf.dispose(parameters);
    },
  };
}
