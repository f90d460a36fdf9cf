import { tf } from "../engine/mod.ts";
import type { VisionLanguageConfig } from "./config.ts";
import type { PatchedImage } from "./image_processor.ts";
import type { PatchGrid } from "./patches.ts";
import { ropePositions, type TokenBatch } from "./positions.ts";
import { type RotaryTables, textRotary, visionRotary } from "./rotary.ts";
import type { VisionRuns } from "./vision_layout.ts";
import { type AttentionPlan, layOutVision, planAttention } from "./vision_layout.ts";

/** A prompt as token ids, with as many image tokens as its images give, and those images. */
export interface TokenPrompt {
  /** Token ids. */
  readonly ids: ArrayLike<number>;
  /** Its images, in the order of their tokens. */
  readonly images: readonly PatchedImage[];
}

/** Prompts of equal length with all that the model computes from, in JavaScript's memory. */
export interface PreparedBatch extends TokenBatch {
  /** Patches of each image. */
  readonly grids: readonly PatchGrid[];
  /** Patches of all images, `(patches, 1176)`. */
  readonly patches: readonly Float32Array[];
  /** Order and attention of the patches; null without images. */
  readonly plan: AttentionPlan | null;
  /** Rotary tables of the tower in the order of its rows; null without images. */
  readonly visionTables: RotaryTables | null;
  /** Rotary positions of the tokens, `(3, size, length)`. */
  readonly positions: Int32Array;
  /** Rotary tables of the decoder. */
  readonly textTables: RotaryTables;
}

/** Tensors of a batch by name, inputs of a compiled forward pass. */
export type BatchTensors =
  & Readonly<Record<string, tf.Tensor>>
  & Readonly<Record<"ids" | "mask" | "imageMask" | "lastMask", tf.Tensor>>;

/** How prompts are batched. */
export interface BatchOptions {
  /** Where shorter prompts are filled. Default: `right` */
  readonly padding?: "left" | "right";
  /** Length to which prompts are filled. Default: the longest one's */
  readonly length?: number;
}

/**
 * Batches prompts: fills the shorter ones, and computes positions, window order and rotary tables.
 *
 * @param prompts token ids and images
 * @param config of the model
 * @param options padding
 * @returns the batch
 * @throws {RangeError} when a prompt is empty, longer than `length`, holds unknown ids, or as many
 * image tokens as its images do not give
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { prepareBatch, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const prompts = [{ ids: [5, 6, 7], images: [] }, { ids: [8], images: [] }];
 * assert.deepEqual([...prepareBatch(prompts, config).mask], [1, 1, 1, 1, 0, 0]);
 * ```
 */
export function prepareBatch(
  prompts: readonly TokenPrompt[],
  config: VisionLanguageConfig,
  options: BatchOptions = {},
): PreparedBatch {
  const batch = fill(prompts, config, options);
  return prepareTokens(batch, prompts.flatMap(({ images }) => images), config);
}

/**
 * The same for prompts that were filled before.
 *
 * @param batch ids and mask
 * @param images of all prompts, in the order of their tokens
 * @param config of the model
 * @returns the batch
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { prepareTokens, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const batch = { size: 1, length: 2, ids: Int32Array.of(5, 6), mask: Uint8Array.of(1, 1) };
 * assert.equal(prepareTokens(batch, [], config).plan, null);
 * ```
 */
export function prepareTokens(
  batch: TokenBatch,
  images: readonly PatchedImage[],
  config: VisionLanguageConfig,
): PreparedBatch {
  const { vision, text, tokens } = config;
  const grids = images.map(({ grid }) => grid);
  const layout = grids.length === 0 ? null : layOutVision(grids, vision);
  const plan = layout && planAttention(layout, vision.mergeSize ** 2);
  const places = { imageToken: tokens.image, mergeSize: vision.mergeSize };
  const positions = ropePositions(batch, grids, places);
  return {
    ...batch,
    grids,
    patches: images.map(({ patches }) => patches),
    plan,
    visionTables: layout && visionRotary(layout, vision.hiddenSize / vision.heads, plan!.order),
    positions,
    textTables: textRotary(batch, positions, text),
  };
}

function fill(
  prompts: readonly TokenPrompt[],
  { text, tokens }: VisionLanguageConfig,
  { padding = "right", length: asked }: BatchOptions,
): TokenBatch {
  const longest = Math.max(0, ...prompts.map(({ ids }) => ids.length)), length = asked ?? longest;
  if (prompts.some(({ ids }) => ids.length === 0) || longest > length || longest === 0) {
    throw new RangeError(
      `Cannot batch prompts: each should hold 1 to ${length} tokens, current value is ` +
        `${prompts.map(({ ids }) => ids.length).join(", ") || "no prompt"}.`,
    );
  }
  const ids = new Int32Array(prompts.length * length).fill(tokens.pad);
  const mask = new Uint8Array(ids.length);
  prompts.forEach((prompt, row) => {
    const start = row * length + (padding === "left" ? length - prompt.ids.length : 0);
    ids.set(prompt.ids, start);
    mask.fill(1, start, start + prompt.ids.length);
  });
  const unknown = ids.find((id) => !(id >= 0 && id < text.vocabularySize));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot batch prompts: token ids should be from 0 to ${text.vocabularySize - 1}, current ` +
        `value is ${unknown}. Are tokenizer and model from one folder?`,
    );
  }
  return { size: prompts.length, length, ids, mask };
}

/** Which rows see each other; part of the signature of a compiled forward pass. */
export function visionRuns({ plan }: PreparedBatch): VisionRuns | null {
  return plan && { windows: plan.windows, frames: plan.frames };
}

/**
 * Uploads a batch.
 *
 * @param batch in JavaScript's memory
 * @param config of the model
 * @returns tensors by name, the caller's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { batchTensors, prepareBatch, readModelConfig } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const { ids } = batchTensors(prepareBatch([{ ids: [5, 6], images: [] }], config), config);
 * assert.deepEqual(ids.shape, [1, 2]);
 * ```
 */
export function batchTensors(batch: PreparedBatch, config: VisionLanguageConfig): BatchTensors {
  const { size, length, ids, mask, textTables } = batch;
  const isImage = Float32Array.from(ids, (id, k) => mask[k] && id === config.tokens.image ? 1 : 0);
  const matrix = (values: ArrayLike<number>) =>
    tf.tensor2d(Float32Array.from(values), [size, length]);
  const tables = (name: string, { angles, cosine, sine }: RotaryTables, shape: number[]) => ({
    [`${name}Cosine`]: tf.tensor(cosine, [...shape, 1, angles]),
    [`${name}Sine`]: tf.tensor(sine, [...shape, 1, angles]),
  });
  return {
    ids: tf.tensor2d(ids, [size, length], "int32"),
    mask: matrix(mask),
    imageMask: matrix(isImage),
    lastMask: matrix(lastTokens(batch)),
    ...tables("text", textTables, [size, length]),
    ...(batch.plan === null ? {} : imageTensors(batch, batch.plan, config, isImage)),
    ...(batch.visionTables === null
      ? {}
      : tables("vision", batch.visionTables, [batch.plan!.order.length])),
  };
}

function imageTensors(
  { patches, ids }: PreparedBatch,
  { order, rows, frameOrder, framePlaces }: AttentionPlan,
  { vision }: VisionLanguageConfig,
  isImage: Float32Array,
) {
  const unit = vision.mergeSize ** 2, tokens = order.length / unit;
  const index = Int32Array.from(ids, (_, k) => k), places = new Int32Array(tokens);
  let token = 0;
  isImage.forEach((is, k) => {
    if (is === 0) return;
    const row = rows[unit * token++]! / unit; // a token's patches stay together
    index[k] = ids.length + row;
    places[row] = k;
  });
  const vector = (values: Int32Array) => tf.tensor1d(values, "int32");
  const width = joinedLength(patches) / order.length;
  return {
    patches: tf.tensor2d(joined(patches), [order.length, width]),
    order: vector(order),
    rows: vector(rows),
    frameOrder: vector(frameOrder),
    framePlaces: vector(framePlaces),
    placedIndex: vector(index),
    placedPlaces: vector(places),
    placedKept: tf.tensor2d(isImage.map((is) => 1 - is), [ids.length, 1]),
  };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Float32Array(joinedLength(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function joinedLength(parts: readonly Float32Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** 1 at the last token of each prompt that is no padding. */
function lastTokens({ size, length, mask }: TokenBatch): Uint8Array {
  const last = new Uint8Array(size * length);
  for (let row = 0; row < size; row++) {
    last[mask.subarray(0, (row + 1) * length).lastIndexOf(1)] = 1;
  }
  return last;
}
