import type { VisionConfig } from "./config.ts";
import type { PatchGrid } from "./patches.ts";

/** Where the patches of some images lie and which of them see each other. */
export interface VisionLayout {
  /** Patches of all images. */
  readonly patches: number;
  /** Row and column of each patch in its image, `(patches, 2)`, in the order of the patches. */
  readonly coordinates: Int32Array;
  /** For each place of the window order the visual token there, `(visual tokens)`. */
  readonly windowOrder: Int32Array;
  /** Patches before each window and at the end, in window order. */
  readonly windowBounds: Int32Array;
  /** Patches before each frame of an image and at the end, in either order. */
  readonly frameBounds: Int32Array;
}

/**
 * Lays out the patches of images for the vision tower.
 *
 * Windows lie row by row over the visual tokens of each frame, smaller at the right and lower edge;
 * inside a window its tokens stand row by row. No window is empty.
 *
 * Method: Hugging Face transformers, `get_window_index` of Qwen2.5-VL.
 *
 * @param grids patches of each image
 * @param vision sizes of the tower
 * @returns coordinates, order and bounds
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { layOutVision, readModelConfig } from "./mod.ts";
 *
 * const { vision } = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const { windowBounds } = layOutVision([{ frames: 1, height: 8, width: 10 }], vision);
 * assert.deepEqual([...windowBounds], [0, 64, 80]);
 * ```
 */
export function layOutVision(
  grids: readonly PatchGrid[],
  { mergeSize, windowSize, patchSize }: Pick<
    VisionConfig,
    "mergeSize" | "windowSize" | "patchSize"
  >,
): VisionLayout {
  const side = windowSize / mergeSize / patchSize, unit = mergeSize ** 2;
  const coordinates: number[] = [], windowOrder: number[] = [];
  const windowBounds = [0], frameBounds = [0];
  let first = 0;
  for (const { frames, height, width } of grids) {
    const rows = height / mergeSize, columns = width / mergeSize;
    for (let frame = 0; frame < frames; frame++, first += rows * columns) {
      addCoordinates(coordinates, rows, columns, mergeSize);
      frameBounds.push(frameBounds.at(-1)! + height * width);
      for (let top = 0; top < rows; top += side) {
        for (let left = 0; left < columns; left += side) {
          const bottom = Math.min(rows, top + side), right = Math.min(columns, left + side);
          for (let i = top; i < bottom; i++) {
            for (let j = left; j < right; j++) windowOrder.push(first + i * columns + j);
          }
          windowBounds.push(windowBounds.at(-1)! + (bottom - top) * (right - left) * unit);
        }
      }
    }
  }
  return {
    patches: first * unit,
    coordinates: Int32Array.from(coordinates),
    windowOrder: Int32Array.from(windowOrder),
    windowBounds: Int32Array.from(windowBounds),
    frameBounds: Int32Array.from(frameBounds),
  };
}

/** Coordinates in the order of {@linkcode cutPatches}: token rows and columns, then patches inside. */
function addCoordinates(
  coordinates: number[],
  rows: number,
  columns: number,
  mergeSize: number,
): void {
  for (let top = 0; top < rows; top++) {
    for (let left = 0; left < columns; left++) {
      for (let i = 0; i < mergeSize; i++) {
        for (let j = 0; j < mergeSize; j++) {
          coordinates.push(top * mergeSize + i, left * mergeSize + j);
        }
      }
    }
  }
}

/** Segments of equal length that follow each other: their attention is one batched product. */
export type AttentionRun = {
  /** First row. */
  readonly start: number;
  /** Segments. */
  readonly segments: number;
  /** Rows of each. */
  readonly length: number;
};

/** Which rows see each other. */
export type VisionRuns = {
  /** Windows, in the order of the rows. */
  readonly windows: readonly AttentionRun[];
  /** Frames, in the frame order. */
  readonly frames: readonly AttentionRun[];
};

/** Rows in the order in which the tower keeps them, and the two ways in which they see each other. */
export interface AttentionPlan {
  /** For each row that the tower keeps, the patch there; windows of equal size follow each other. */
  readonly order: Int32Array;
  /** For each patch its row. */
  readonly rows: Int32Array;
  /** Windows. */
  readonly windows: readonly AttentionRun[];
  /** For each place of the frame order, the row; frames of equal size may follow each other. */
  readonly frameOrder: Int32Array;
  /** For each row its place in the frame order. */
  readonly framePlaces: Int32Array;
  /** Frames, in frame order. */
  readonly frames: readonly AttentionRun[];
}

/**
 * Orders patches so that windows of one size lie side by side, and with them frames of one size. No
 * mask is needed then, and no score is computed that is thrown away.
 *
 * @param layout of the patches
 * @param unit patches of a visual token
 * @returns the order, and the runs of windows and frames
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { layOutVision, planAttention, readModelConfig } from "./mod.ts";
 *
 * const { vision } = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const layout = layOutVision([{ frames: 1, height: 16, width: 12 }], vision);
 * const { windows } = planAttention(layout, 4);
 * assert.deepEqual(windows, [
 *   { start: 0, segments: 2, length: 64 },
 *   { start: 128, segments: 2, length: 32 },
 * ]);
 * ```
 */
export function planAttention(layout: VisionLayout, unit: number): AttentionPlan {
  const { patches, windowOrder, windowBounds, frameBounds } = layout;
  const windows = sortedSegments(windowBounds), frames = sortedSegments(frameBounds);
  const order = new Int32Array(patches);
  let row = 0;
  for (const [start, end] of windows) {
    for (let place = start; place < end; place++) {
      order[row++] = windowOrder[Math.floor(place / unit)]! * unit + place % unit;
    }
  }
  const rows = inverse(order), frameOrder = new Int32Array(patches);
  row = 0;
  for (const [start, end] of frames) {
    for (let patch = start; patch < end; patch++) frameOrder[row++] = rows[patch]!;
  }
  return {
    order,
    rows,
    windows: runsOf(windows),
    frameOrder,
    framePlaces: inverse(frameOrder),
    frames: runsOf(frames),
  };
}

/** Starts and ends, longest segments first, equal ones in their order. */
function sortedSegments(bounds: Int32Array): [start: number, end: number][] {
  return Array.from(
    { length: bounds.length - 1 },
    (_, i): [number, number] => [bounds[i]!, bounds[i + 1]!],
  ).sort((a, b) => (b[1] - b[0]) - (a[1] - a[0]));
}

function runsOf(segments: readonly (readonly [start: number, end: number])[]): AttentionRun[] {
  const runs: { start: number; segments: number; length: number }[] = [];
  let start = 0;
  for (const [from, to] of segments) {
    const length = to - from, last = runs.at(-1);
    if (last?.length === length) last.segments++;
    else runs.push({ start, segments: 1, length });
    start += length;
  }
  return runs;
}

/** The permutation that undoes another. */
export function inverse(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((value, place) => places[value] = place);
  return places;
}
