/** Features of frames as they are after a camera has compressed them. */
import sharp from "sharp";
import { blockMeans } from "../../features/_block_means.ts";
import { THUMBNAIL_LENGTH } from "../../phantom/thumbnail.ts";

/** JPEG's unit of 4:2:0 chroma, pixels. */
const UNIT = 16;
/** A JPEG has at most 65,535 rows. */
const MOST_ROWS = 65_535;

/**
 * Compresses frames as recordings are and takes the means that pixel-2048 takes. All frames go
 * through one picture, one below the other: the calls cost far more than the pixels. Between them lie
 * units of the compression that repeat the frames' first and last pairs of rows, which share their
 * chroma, as encoder and decoder continue a picture beyond its edge.
 *
 * @param frames each `(height·width·3)` 0 to 255, not rounded
 * @param width pixels
 * @param quality of the JPEG, 1 to 100
 * @param place takes the `(384)` means of frame i
 */
export async function jpegFeatures(
  frames: readonly Float32Array[],
  width: number,
  quality: number,
  place: (frame: number) => Float32Array,
): Promise<void> {
  const line = 3 * width, height = (frames[0]?.length ?? 0) / line;
  const rows = UNIT + UNIT * Math.ceil(height / UNIT);
  const most = Math.floor(MOST_ROWS / rows);
  for (let from = 0; from < frames.length; from += most) {
    const some = frames.slice(from, from + most);
    const pixels = new Uint8Array(some.length * rows * line);
    some.forEach((frame, i) =>
      fill(pixels.subarray(i * rows * line, (i + 1) * rows * line), frame, line)
    );
    const stack = { width, height: some.length * rows, channels: 3 as const };
    const jpeg = await sharp(pixels, { raw: stack }).jpeg({ quality, optimiseCoding: false })
      .toBuffer();
    const decoded = await sharp(jpeg).raw().toBuffer();
    some.forEach((frame, i) => {
      const start = (i * rows + UNIT) * line;
      blockMeans(decoded.subarray(start, start + frame.length), width, height, place(from + i));
    });
  }
}

/** Puts a frame, rounded, between copies of its first two rows and copies of its last two. */
function fill(pixels: Uint8Array, frame: Float32Array, line: number): void {
  const start = UNIT * line, end = start + frame.length, pair = 2 * line;
  for (let i = 0; i < frame.length; i++) pixels[start + i] = frame[i]! + 0.5;
  for (let at = 0; at < start; at += pair) pixels.copyWithin(at, start, start + pair);
  for (let at = end; at < pixels.length; at += pair) pixels.copyWithin(at, end - pair, end);
}

/** Values of a view in a feature. */
export const VIEW_VALUES = THUMBNAIL_LENGTH;
