/**
 * What a cache is used for: `strict` reads it and refuses to begin when something is missing; `read`
 * makes what is missing, `readwrite` also stores it; `off` makes everything.
 */
export type CacheMode = "off" | "read" | "readwrite" | "strict";

/** Features of B samples. */
export interface FeatureBatch {
  /** T: tokens of the longest feature of the batch. */
  readonly tokens: number;
  /** `(B, T, width)`; padding is 0. */
  readonly values: Float32Array;
  /** `(B, T)` 1 for tokens, 0 for padding. */
  readonly tokenMask: Uint8Array;
  /** `(B, V)` 1 for cameras that had delivered an image. */
  readonly viewMask: Uint8Array;
  /** `(B, V)` s from the image to the sample's time; NaN where there is none. */
  readonly imageAge: Float64Array;
}

/** How reading went. */
export interface FeatureMetrics {
  /** Features that were in the cache. */
  readonly hits: number;
  /** Features that were not. */
  readonly misses: number;
  /** Damaged records that were found. */
  readonly corrupt: number;
  /** Bytes of the values that were read. */
  readonly bytes: number;
  /** Milliseconds to read a feature, median of the latest 4096; NaN before the first. */
  readonly p50: number;
  /** The same, 95th percentile. */
  readonly p95: number;
}
