/** Small pictures: the visual features of the demonstration policy. */
import { FRAME_HEIGHT, FRAME_WIDTH } from "./_camera.ts";
import { PHANTOM_TASKS, PHANTOM_VIEWS, type PhantomTask } from "./scene.ts";

const COLUMNS = 16, ROWS = 8;
/** Values of a {@linkcode thumbnail}: 8 rows of 16 cells of red, green, blue. */
export const THUMBNAIL_LENGTH = ROWS * COLUMNS * 3;
/** Values of a {@linkcode visualFeature}. */
export const VISUAL_FEATURE_LENGTH = 2048;

/**
 * Means of a picture over 8 rows of 16 cells (40×45 pixels of a full frame).
 *
 * @param pixels `(360/q · 640/q · 3)` RGB, 0 to 255, row by row; q must be 1 or 5, since other
 * reductions would cut cells
 * @returns `(384)` each mean / 127.5 − 1, cell row by cell row, channel last
 * @throws {RangeError} if the picture has another size
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { thumbnail } from "./mod.ts";
 *
 * const white = thumbnail(new Uint8Array(640 * 360 * 3).fill(255));
 * assert(white.every((value) => value === 1));
 * ```
 */
export function thumbnail(pixels: Float32Array | Uint8Array): Float32Array {
  const reduction = [1, 5].find((q) => pixels.length === 3 * (FRAME_WIDTH / q) * FRAME_HEIGHT / q);
  if (reduction === undefined) {
    throw new RangeError(
      `Cannot make a thumbnail: the picture must hold 640·360·3 or 128·72·3 values, ` +
        `current value is ${pixels.length}. Render it with reduction 1 or 5`,
    );
  }
  const width = FRAME_WIDTH / COLUMNS / reduction, height = FRAME_HEIGHT / ROWS / reduction;
  const sums = new Float64Array(THUMBNAIL_LENGTH);
  let at = 0;
  for (let y = 0; y < ROWS * height; y++) {
    const row = Math.floor(y / height) * COLUMNS * 3;
    for (let cell = row; cell < row + COLUMNS * 3; cell += 3) {
      let red = 0, green = 0, blue = 0;
      for (let x = 0; x < width; x++, at += 3) {
        red += pixels[at]!;
        green += pixels[at + 1]!;
        blue += pixels[at + 2]!;
      }
      sums[cell]! += red;
      sums[cell + 1]! += green;
      sums[cell + 2]! += blue;
    }
  }
  return Float32Array.from(sums, (sum) => sum / (width * height) / 127.5 - 1);
}

/**
 * The visual feature of a moment: the thumbnails of the five views, then which task it is.
 *
 * @param thumbnails five of `(384)`, View1 to View5; undefined for a view without a frame, which
 * leaves its values 0
 * @param task the task
 * @returns `(2048)`: 1920 thumbnail values, the task one-hot over six values, 0
 * @throws {RangeError} if there are not five
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visualFeature } from "./mod.ts";
 *
 * const feature = visualFeature(new Array(5).fill(new Float32Array(384)), "Green_point");
 * assert.equal(feature.indexOf(1), 1921);
 * ```
 */
export function visualFeature(
  thumbnails: readonly (Float32Array | undefined)[],
  task: PhantomTask,
): Float32Array {
  if (thumbnails.length !== PHANTOM_VIEWS.length) {
    throw new RangeError(
      `Cannot make a visual feature: it takes the thumbnails of ${PHANTOM_VIEWS.join(", ")}, ` +
        `current value is ${thumbnails.length} thumbnails. Pass undefined for a missing view`,
    );
  }
  const feature = new Float32Array(VISUAL_FEATURE_LENGTH);
  thumbnails.forEach((values, view) => feature.set(values ?? [], view * THUMBNAIL_LENGTH));
  feature[PHANTOM_VIEWS.length * THUMBNAIL_LENGTH + PHANTOM_TASKS.indexOf(task)] = 1;
  return feature;
}
