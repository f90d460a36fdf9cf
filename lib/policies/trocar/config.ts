import type { Fusion } from "../reference/config.ts";

/** Sizes of the sensor encoder. */
export interface TrocarSensorConfig {
  /** Channels of a sensor row: force, then the A-line. */
  readonly inputChannels: number;
  /** Rows of a window; a window of another length is an error. */
  readonly temporalLength: number;
  /** Rows that are averaged into one before the first convolution; 1 averages none. */
  readonly pooling: number;
  /** Channels after the first convolution; twice as many after the others. */
  readonly hiddenDim: number;
  /** Width of the sensor tokens. */
  readonly outputDim: number;
  /** Convolutions, each of which halves the length. */
  readonly convLayers: number;
  /** Groups of the normalisation; force has one of the first layer's to itself. */
  readonly groups: number;
  /** Layers of the transformer. */
  readonly transformerLayers: number;
  /** Attention heads. */
  readonly heads: number;
  /** Share of activations that training drops. */
  readonly dropout: number;
  /** Share of samples whose sensor training replaces by the learned token for a missing one. */
  readonly missingRate: number;
}

/** Sizes of the action expert. */
export interface TrocarExpertConfig {
  /** Width of the visual-language tokens. */
  readonly visionDim: number;
  /** Width of the hidden layer between visual-language tokens and the transformer. */
  readonly visionHidden: number;
  /** Width of the sensor tokens. */
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
  /** Share of visual-language tokens that training removes; a learned one stands for none at all. */
  readonly missingRate: number;
  /** Steps of the noise schedule of the diffusion family. */
  readonly timesteps: number;
  /** Bound of sampled actions, in standard deviations. */
  readonly actionClip: number;
}

/** A policy of trocar's architecture. */
export interface TrocarConfig {
  /** Tells the architectures apart. */
  readonly architecture: "trocar";
  /** What the expert predicts with; a policy without a sensor has fusion `none`. */
  readonly family: "regression" | "diffusion";
  /** How tokens become the memory that actions attend to. */
  readonly fusion: Fusion;
  /** The sensor encoder; null with fusion `none`. */
  readonly sensorEncoder: TrocarSensorConfig | null;
  /** The action expert. */
  readonly actionExpert: TrocarExpertConfig;
}
