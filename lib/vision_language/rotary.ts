import type { TextConfig } from "./config.ts";
import type { AttentionPlan, VisionLayout } from "./vision_layout.ts";
import type { TokenBatch } from "./positions.ts";

/** Base of the tower's rotary frequencies, a constant of the model. */
const VISION_THETA = 10000;

/** Cosines and sines of rotary angles, `(rows, angles)` each; an angle turns two halves of a head. */
export interface RotaryTables {
  /** Angles per row: half of a head. */
  readonly angles: number;
  /** `(rows, angles)` */
  readonly cosine: Float32Array;
  /** `(rows, angles)` */
  readonly sine: Float32Array;
}

/**
 * Rotary frequencies, `theta^(−2i / width)`, in the float32 arithmetic of the library.
 *
 * @param width that they turn
 * @param theta their base
 * @returns `(width / 2)`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { rotaryFrequencies } from "./mod.ts";
 *
 * assert.deepEqual([...rotaryFrequencies(4, 10000)], [1, Math.fround(0.01)]);
 * ```
 */
export function rotaryFrequencies(width: number, theta: number): Float32Array {
  const { fround } = Math;
  return Float32Array.from(
    { length: width / 2 },
    (_, i) => 1 / fround(theta ** fround((2 * i) / width)),
  );
}

/**
 * Rotary tables of the vision tower: the first half of the angles is driven by a patch's row, the
 * second by its column.
 *
 * @param layout of the patches
 * @param headWidth of an attention head
 * @param order of the rows. Default: that of the patches
 * @returns `(patches, headWidth / 2)`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { layOutVision, readModelConfig, visionRotary } from "./mod.ts";
 *
 * const { vision } = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const layout = layOutVision([{ frames: 1, height: 2, width: 2 }], vision);
 * const { angles, cosine } = visionRotary(layout, 16);
 * assert.deepEqual([angles, cosine.length, cosine[0]], [8, 32, 1]);
 * ```
 */
export function visionRotary(
  { patches, coordinates }: VisionLayout,
  headWidth: number,
  order?: AttentionPlan["order"],
): RotaryTables {
  const frequencies = rotaryFrequencies(headWidth / 2, VISION_THETA);
  const each = frequencies.length;
  return tables(patches, 2 * each, (row, i) => {
    const patch = order === undefined ? row : order[row]!;
    return coordinates[2 * patch + (i < each ? 0 : 1)]! * frequencies[i % each]!;
  });
}

/**
 * Rotary tables of the text decoder: sections of the frequencies are driven by time, height and width.
 *
 * @param batch size and length of the prompts
 * @param positions `(3, size, length)`
 * @param text sizes of the decoder
 * @returns `(size · length, headWidth / 2)`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readModelConfig, textRotary } from "./mod.ts";
 *
 * const { text } = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const { cosine } = textRotary({ size: 1, length: 2 }, Int32Array.of(0, 1, 0, 1, 0, 1), text);
 * assert(cosine[0] === 1 && Math.abs(cosine[text.hiddenSize / text.heads / 2]! - Math.cos(1)) < 1e-6);
 * ```
 */
export function textRotary(
  { size, length }: Pick<TokenBatch, "size" | "length">,
  positions: Int32Array,
  { hiddenSize, heads, ropeTheta, ropeSections }: TextConfig,
): RotaryTables {
  const frequencies = rotaryFrequencies(hiddenSize / heads, ropeTheta);
  const axes = ropeSections.flatMap((count, axis) => new Array<number>(count).fill(axis));
  const rows = size * length;
  return tables(
    rows,
    frequencies.length,
    (row, i) => positions[axes[i]! * rows + row]! * frequencies[i]!,
  );
}

function tables(
  rows: number,
  angles: number,
  angle: (row: number, i: number) => number,
): RotaryTables {
  const cosine = new Float32Array(rows * angles), sine = new Float32Array(rows * angles);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let i = 0; i < angles; i++, at++) {
      const turned = Math.fround(angle(row, i));
      cosine[at] = Math.cos(turned);
      sine[at] = Math.sin(turned);
    }
  }
  return { angles, cosine, sine };
}
