import type { Displayable } from "./show.ts";

/** A picture of 8-bit RGB values, row by row. */
export interface RgbPicture {
  /** Rows. */
  readonly height: number;
  /** Columns. */
  readonly width: number;
  /** `(height, width, 3)`. */
  readonly data: Uint8Array;
}

/** How {@linkcode showImages} lays pictures out. */
export interface ShowImagesOptions {
  /** Pixels of each picture. @default {192 × 108} */
  readonly size?: readonly [width: number, height: number];
  /** Pictures of a row. @default {all} */
  readonly columns?: number;
  /** JPEG quality, 1 to 100. @default {70} */
  readonly quality?: number;
}

/** Pixels between two pictures. */
const GAP = 4;
const GREY = "#808080";

/**
 * Shows pictures in a notebook, row by row, as one small JPEG.
 *
 * @param pictures pictures, or paths of some; null leaves a grey field
 * @param options size, columns
 * @returns what the kernel displays
 * @throws {RangeError} if there is no picture
 * @throws {SyntaxError} if a file cannot be decoded
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { showImages } from "./mod.ts";
 *
 * const shown = await showImages([null, null], { size: [16, 9] });
 * const media = shown[Symbol.for("Jupyter.display")]!();
 * assert.deepEqual(Object.keys(media), ["image/jpeg", "text/plain"]);
 * ```
 */
export async function showImages(
  pictures: readonly (string | RgbPicture | null)[],
  options: ShowImagesOptions = {},
): Promise<Displayable> {
  const { size: [width, height] = [192, 108], columns = pictures.length, quality = 70 } = options;
  if (pictures.length === 0) {
    throw new RangeError("Cannot show pictures: there must be at least one, current value is 0.");
  }
  const { default: sharp } = await import("sharp"); // native, needed by few
  const placed = await Promise.all(pictures.map(async (picture, i) => {
    const left = (i % columns) * (width + GAP), top = Math.floor(i / columns) * (height + GAP);
    if (picture === null) return { input: field(width, height), left, top };
    const image = typeof picture === "string"
      ? sharp(picture)
      : sharp(picture.data, { raw: { width: picture.width, height: picture.height, channels: 3 } });
    try {
      return { input: await image.resize(width, height).png().toBuffer(), left, top };
    } catch (error) {
      throw new SyntaxError(
        `Cannot decode ${typeof picture === "string" ? picture : "a picture"}: ${
          (error as Error).message
        }.`,
      );
    }
  }));
  const rows = Math.ceil(pictures.length / columns);
  const jpeg = await sharp(
    field(columns * (width + GAP) - GAP, rows * (height + GAP) - GAP, "white"),
  )
    .composite(placed)
    .jpeg({ quality }).toBuffer();
  return {
    [Symbol.for("Jupyter.display")]: () => ({
      "image/jpeg": jpeg.toString("base64"),
      "text/plain": `${pictures.length} pictures`,
    }),
  };
}

function field(width: number, height: number, background = GREY) {
  return { create: { width, height, channels: 3 as const, background } };
}
