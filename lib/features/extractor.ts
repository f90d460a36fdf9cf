import type { JsonValue } from "./canonical_json.ts";

/** How the values of a feature are stored. */
export type FeatureDtype = "float32" | "float16" | "bfloat16";

/** Where in a model a feature is taken. */
export interface FeatureTaps {
  /** Layer, in the model's own words, e.g. `last hidden state after the final norm`. */
  readonly layer: string;
  /** Which tokens count. */
  readonly selection: "all" | "vision" | "text";
  /** What becomes of them: their mean, all of them, or the last one. */
  readonly pooling: "mean" | "none" | "last-token";
}

/**
 * Everything that decides a feature beside the images and the instruction. It goes into the key of
 * the cache as a whole, so that a change of any of it makes other features, never stale ones.
 */
export interface FeatureIdentity {
  /** Model, e.g. `Qwen/Qwen2.5-VL-3B-Instruct`; a method's name where there is no model. */
  readonly model: string;
  /** Digest of the weights, or version of the method. */
  readonly revision: string;
  /** Digest of adapter weights on top of the model, null without. */
  readonly adapter: string | null;
  /** How images become the model's input: sizes, limits, resampling, normalisation, decoder. */
  readonly processor: { readonly [name: string]: JsonValue };
  /** Text around images and instruction, `{instruction}` where that stands. */
  readonly promptTemplate: string;
  /** Where it is taken. */
  readonly taps: FeatureTaps;
  /** Cameras in the order in which the model sees them. */
  readonly views: readonly string[];
}

/** An image as an extractor takes it. */
export interface FeatureView {
  /** Camera, as in {@linkcode FeatureIdentity.views}. */
  readonly name: string;
  /** Contents of the image file, or its path; null where the camera has delivered nothing. */
  readonly image: Uint8Array | string | null;
  /** Where the contents are from, for messages. */
  readonly file?: string;
}

/** What one feature is made of. */
export interface FeatureRequest {
  /** One for each view of the identity, in its order. */
  readonly views: readonly FeatureView[];
  /** What the policy is told, exactly. */
  readonly instruction: string;
  /** Where it comes from, for messages; no feature that is computed depends on it. */
  readonly origin?: {
    /** Path of the episode. */
    readonly episode: string;
    /** Step of it. */
    readonly step: number;
  };
}

/** A feature: a sequence of tokens; one token where it is pooled. */
export interface Feature {
  /** Number of tokens, T ≥ 1. */
  readonly tokens: number;
  /** Tokens or cells that come from images: 0 would mean that nothing was seen. */
  readonly visualTokens: number;
  /** `(T, width)`. */
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * Makes visual-language features. What is made must depend on the identity and the request alone.
 *
 * `frozen` is `true` by its type: features of parameters that are being trained are stale as soon as
 * they are stored, so such a model cannot be an extractor.
 */
export interface FeatureExtractor {
  /** Name that the commands take, e.g. `pixel-2048`. */
  readonly name: string;
  /** What decides its features. */
  readonly identity: FeatureIdentity;
  /** Values per token, D; taken from the model's configuration. */
  readonly width: number;
  /** How the cache stores its values. */
  readonly dtype: FeatureDtype;
  /** No parameter behind a feature is trained. */
  readonly frozen: true;
  /** Plausible L2 norms `[min, max]` of a token; what lies outside is not stored. */
  readonly norm: readonly [min: number, max: number];
  /** What the commands need beside name and views to make this extractor; default nothing. */
  readonly flags?: readonly string[];
  /**
   * Number of tokens that a request will give. Default 1.
   *
   * @param request what the feature would be made of
   */
  tokenCount?(request: FeatureRequest): number;
  /**
   * Tokens that are computed for a request, by which its time goes; requests of equal cost share a
   * batch. Default: the number of tokens that it gives.
   *
   * @param request what the feature would be made of
   */
  cost?(request: FeatureRequest): number | Promise<number>;
  /**
   * Requests that are computed in one call, where that changes the last digits: the cache then always
   * gives the same ones together. Default 1.
   */
  readonly together?: number;
  /** Loads what extracting needs, which otherwise the first call does. */
  prepare?(): Promise<void>;
  /**
   * Makes features. Models are loaded by the first call, so that a cache can be read without.
   *
   * @param requests any number
   * @returns one feature each, in the same order
   * @throws {SyntaxError} when an image cannot be decoded
   */
  extract(requests: readonly FeatureRequest[]): Promise<Feature[]>;
}
