import { type PreparedBatch, prepareTokens } from "../batch.ts";
import type { VisionLanguageConfig } from "../config.ts";
import type { PatchedImage } from "../image_processor.ts";
import type { PatchGrid } from "../patches.ts";
import type { Recording } from "./_recording.ts";

/** The batch of a recorded case, with its recorded pixel values. */
export function batchOf(recording: Recording, config: VisionLanguageConfig): PreparedBatch {
  const { shape: [size, length], data } = recording.read("input_ids");
  const mask = Uint8Array.from(recording.read("attention_mask").data);
  return prepareTokens(
    { size: size!, length: length!, ids: Int32Array.from(data), mask },
    imagesOf(recording),
    config,
  );
}

function imagesOf(recording: Recording): PatchedImage[] {
  if (!recording.has("pixel_values")) return [];
  const { data } = recording.read("image_grid_thw"), pixels = recording.float32("pixel_values");
  const [patches, width] = recording.shape("pixel_values") as [number, number];
  const images: PatchedImage[] = [];
  let at = 0;
  for (const grid of gridsOf(data)) {
    const end = at + grid.frames * grid.height * grid.width * width;
    images.push({ grid, patches: pixels.subarray(at, end) });
    at = end;
  }
  if (at !== patches * width) {
    throw new SyntaxError(
      `Cannot read the case: its grids should hold all patches, current value is ${
        at / width
      } of ` +
        `${patches}.`,
    );
  }
  return images;
}

/** Grids from `(images, 3)`: frames, height, width. */
export function gridsOf(data: ArrayLike<number>): PatchGrid[] {
  return Array.from({ length: data.length / 3 }, (_, i) => ({
    frames: data[3 * i]!,
    height: data[3 * i + 1]!,
    width: data[3 * i + 2]!,
  }));
}
