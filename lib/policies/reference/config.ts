import type { Interpolation } from "../layers/resample.ts";

/** What the action expert predicts with. */
export type Family = "regression" | "diffusion" | "no-sensor";

/** How visual-language and sensor features become one condition. */
export type Fusion = "concat" | "cross_attention" | "gated" | "none";

/** The families. */
export const FAMILIES: readonly Family[] = ["regression", "diffusion", "no-sensor"];

/** The fusions. */
export const FUSIONS: readonly Fusion[] = ["concat", "cross_attention", "gated", "none"];

/** Sizes of the sensor encoder; the weights do not depend on `temporalLength`. */
export interface SensorEncoderConfig {
  /** Channels of a sensor row: force, then the A-line. */
  readonly inputChannels: number;
  /** Rows of a window; windows of other lengths are resampled to it. */
  readonly temporalLength: number;
  /** How they are resampled. */
  readonly interpolation: Interpolation;
  /** Channels after the first convolution; twice as many after the others. */
  readonly hiddenDim: number;
  /** Width of the sensor feature. */
  readonly outputDim: number;
  /** Convolutions, each of which halves the length. */
  readonly convLayers: number;
  /** Layers of the transformer; 0 leaves it out. */
  readonly transformerLayers: number;
  /** Attention heads. */
  readonly heads: number;
  /** Share of activations that training drops. */
  readonly dropout: number;
}

/** Sizes of the action expert. */
export interface ActionExpertConfig {
  /** Width of the visual-language tokens. */
  readonly visionDim: number;
  /** Width of the sensor feature. */
  readonly sensorDim: number;
  /** Numbers of an action. */
  readonly actionDim: number;
  /** Actions of a chunk. */
  readonly horizon: number;
  /** Width of the transformer. */
  readonly hiddenDim: number;
  /** Attention heads. */
  readonly heads: number;
  /** Layers of the transformer. */
  readonly layers: number;
  /** Share of activations that training drops. */
  readonly dropout: number;
  /** Steps of the noise schedule of the diffusion family. */
  readonly timesteps: number;
}

/** A policy of the Python reference's architecture. */
export interface ReferenceConfig {
  /** Tells the architectures apart. */
  readonly architecture: "reference";
  /** What the expert predicts with. */
  readonly family: Family;
  /** How features become one condition; the no-sensor family has none. */
  readonly fusion: Fusion;
  /** The sensor encoder; null for policies without one. */
  readonly sensorEncoder: SensorEncoderConfig | null;
  /** The action expert. */
  readonly actionExpert: ActionExpertConfig;
}
