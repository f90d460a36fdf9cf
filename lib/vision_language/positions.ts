import type { PatchGrid } from "./patches.ts";

/** Prompts of equal length: token ids, and which of them count. */
export interface TokenBatch {
  /** Prompts. */
  readonly size: number;
  /** Tokens of each. */
  readonly length: number;
  /** `(size, length)` */
  readonly ids: Int32Array;
  /** `(size, length)`, 1 for tokens and 0 for padding. */
  readonly mask: Uint8Array;
}

/** What the positions of visual tokens depend on. */
export interface PositionOptions {
  /** Id that stands for each visual token. */
  readonly imageToken: number;
  /** Patches along each side of a visual token. */
  readonly mergeSize: number;
}

/**
 * Rotary positions of tokens in time, height and width.
 *
 * A text token advances all three by one. The tokens of an image share its time; their heights and
 * widths count from there, and the text goes on after the longer side. Padding stands at 0.
 *
 * Method: Hugging Face transformers, `get_rope_index` of Qwen2.5-VL.
 *
 * @param batch of prompts
 * @param grids patches of the images, in the order in which their tokens stand in the batch
 * @param options id of the visual tokens, merge size
 * @returns `(3, size, length)`
 * @throws {RangeError} when images and visual tokens do not match
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ropePositions } from "./mod.ts";
 *
 * const ids = Int32Array.of(7, 9, 9, 8), mask = new Uint8Array(4).fill(1);
 * const grids = [{ frames: 1, height: 2, width: 4 }];
 * const positions = ropePositions(
 *   { size: 1, length: 4, ids, mask },
 *   grids,
 *   { imageToken: 9, mergeSize: 2 },
 * );
 * assert.deepEqual([...positions], [0, 1, 1, 3, 0, 1, 1, 3, 0, 1, 2, 3]);
 * ```
 */
export function ropePositions(
  { size, length, ids, mask }: TokenBatch,
  grids: readonly PatchGrid[],
  { imageToken, mergeSize }: PositionOptions,
): Int32Array {
  const positions = new Int32Array(3 * size * length);
  const put = (at: number, time: number, height: number, width: number) => {
    positions[at] = time;
    positions[at + size * length] = height;
    positions[at + 2 * size * length] = width;
  };
  let image = 0;
  for (let row = 0; row < size; row++) {
    const places: number[] = [];
    for (let k = row * length; k < (row + 1) * length; k++) if (mask[k]) places.push(k);
    let next = 0;
    for (let k = 0; k < places.length;) {
      if (ids[places[k]!] !== imageToken) {
        put(places[k++]!, next, next, next);
        next++;
        continue;
      }
      const grid = grids[image++];
      const rows = (grid?.height ?? 0) / mergeSize, columns = (grid?.width ?? 0) / mergeSize;
      const tokens = (grid?.frames ?? 0) * rows * columns;
      for (let n = 0; n < tokens || tokens === 0; n++) {
        const place = places[k + n];
        if (tokens === 0 || place === undefined || ids[place] !== imageToken) {
          throw mismatch(row, image, tokens);
        }
        const frame = Math.floor(n / (rows * columns));
        put(place, next + frame, next + Math.floor(n / columns) % rows, next + n % columns);
      }
      k += tokens;
      next += Math.max(rows, columns);
    }
  }
  if (image !== grids.length) throw mismatch(size - 1, image, 0);
  return positions;
}

function mismatch(row: number, image: number, tokens: number): RangeError {
  return new RangeError(
    `Cannot place visual tokens: prompts should hold as many as their images give, current value ` +
      `differs at prompt ${
        row + 1
      }, image ${image} (${tokens} tokens). Expand each placeholder to ` +
      "the visual tokens of its image.",
  );
}
