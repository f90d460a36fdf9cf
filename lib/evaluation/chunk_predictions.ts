/** What dimensions 3 to 5 of an action are. */
export type RotationKind = "euler" | "vector";

/**
 * Predicted and true action chunks of W windows, H steps and A dimensions, and what the baselines
 * need. Windows of an episode follow each other in time.
 */
export interface ChunkPredictions {
  /** W. */
  readonly windows: number;
  /** H, actions per chunk. */
  readonly horizon: number;
  /** `(A,)` names. */
  readonly dimensions: readonly string[];
  /** `(A,)` units: `mm`, `deg`, `rad`, `1`, or empty if not known. */
  readonly units: readonly string[];
  /**
   * Dimensions that the one RMSE of a policy is over. Of recordings 0, 1, 2: millimetres are never
   * mixed with degrees.
   */
  readonly counted: readonly number[];
  /**
   * Rotations of dimensions 3 to 5: differences of Euler angles (mobile XYZ), rotation vectors in
   * the tool frame, or null if there are none or it is not known.
   */
  readonly rotation: RotationKind | null;
  /** `(W, H, A)` what the policy said, beyond the end of the recording too. */
  readonly predicted: Float32Array | Float64Array;
  /** `(W, H, A)` what was done. */
  readonly truth: Float32Array | Float64Array;
  /** `(W, H)` 1 for recorded actions, 0 for padding, which counts nowhere. */
  readonly mask: Uint8Array;
  /** `(W,)` number of the window's episode; equal numbers lie together. */
  readonly episode: Int32Array;
  /** `(W, A)` action executed just before the window; a row of NaN leaves it out of hold-last. */
  readonly lastAction: Float32Array | Float64Array;
  /** `(A,)` what the baseline `mean` always predicts. */
  readonly meanAction: ArrayLike<number>;
  /** `(W, 3)` Euler angles at the start of the window, degrees; default not known. */
  readonly startAngles?: Float32Array | Float64Array;
  /** `(W,)` start of the window, s, increasing within an episode; default not known. */
  readonly time?: Float64Array;
}

/** What is known of the windows; each is optional. */
export interface WindowFlags {
  /** `(W,)` name of the group, a collection of recordings for instance. */
  readonly group?: readonly string[];
  /** `(W,)` 1 where there was a sensor. */
  readonly hasSensor?: Uint8Array;
  /** `(W,)` 1 for decision windows; null where nobody knows. */
  readonly isDecision?: Uint8Array | null;
  /**
   * `(W,)` actions from what the cameras showed to the window's start, where a slow model serves
   * several actions; default not known.
   */
  readonly visionAge?: Int32Array;
}

/** An action by window, step and dimension: predictions and baselines alike. */
export type ActionSource = (window: number, step: number, dimension: number) => number;

/**
 * Refuses chunks whose parts do not fit each other, or that hold values that are not finite.
 *
 * @param chunks the chunks
 * @param flags what is known of the windows
 * @throws {RangeError} naming the part, or window, step and dimension
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { exampleChunks } from "./_example.ts";
 * import { assertChunks } from "./chunk_predictions.ts";
 *
 * const chunks = exampleChunks();
 * assertChunks(chunks);
 * assert.throws(() => assertChunks({ ...chunks, mask: new Uint8Array(1) }), /mask must hold/);
 * ```
 */
export function assertChunks(chunks: ChunkPredictions, flags: WindowFlags = {}): void {
  const { windows, horizon, dimensions } = chunks;
  const width = dimensions.length;
  if (windows === 0) {
    throw new RangeError(
      "Cannot evaluate: there must be windows, current value is 0. Is the validation part empty?",
    );
  }
  const lengths: readonly [string, ArrayLike<unknown> | null | undefined, number][] = [
    ["units", chunks.units, width],
    ["predicted", chunks.predicted, windows * horizon * width],
    ["truth", chunks.truth, windows * horizon * width],
    ["mask", chunks.mask, windows * horizon],
    ["episode", chunks.episode, windows],
    ["lastAction", chunks.lastAction, windows * width],
    ["meanAction", chunks.meanAction, width],
    ["startAngles", chunks.startAngles, 3 * windows],
    ["time", chunks.time, windows],
    ["group", flags.group, windows],
    ["hasSensor", flags.hasSensor, windows],
    ["isDecision", flags.isDecision, windows],
    ["visionAge", flags.visionAge, windows],
  ];
  for (const [name, values, length] of lengths) {
    if (values === undefined || values === null || values.length === length) continue;
    throw new RangeError(
      `Cannot evaluate: ${name} must hold ${length} values, current value is ${values.length}. ` +
        `Pass arrays of ${windows} windows, ${horizon} steps, ${width} dimensions`,
    );
  }
  assertCounted(chunks);
  assertFinite("prediction", chunks.predicted, chunks, () => true);
  assertFinite("truth", chunks.truth, chunks, (row) => chunks.mask[row] === 1);
}

function assertCounted({ counted, dimensions }: ChunkPredictions): void {
  const fits = counted.length > 0 &&
    counted.every((d) => Number.isInteger(d) && d >= 0 && d < dimensions.length);
  if (fits) return;
  throw new RangeError(
    `Cannot evaluate: counted must name dimensions from 0 to ${dimensions.length - 1}, ` +
      `current value is [${counted}]`,
  );
}

function assertFinite(
  what: string,
  values: Float32Array | Float64Array,
  { horizon, dimensions }: ChunkPredictions,
  counts: (row: number) => boolean,
): void {
  const width = dimensions.length;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]!)) continue;
    const row = Math.floor(i / width);
    if (!counts(row)) continue;
    throw new RangeError(
      `Cannot evaluate: the ${what} of window ${Math.floor(row / horizon)}, step ` +
        `${row % horizon}, ${dimensions[i % width]} must be finite, current value is ${
          values[i]
        }. ` +
        `Check the policy and its normalisation`,
    );
  }
}
