import { join } from "node:path";
import { readJpegHeader } from "../../formats/jpeg.ts";
import type { RecordedView } from "../recording.ts";

/** Images of one view that have one size. */
export interface ViewSize {
  /** Name of the view. */
  readonly name: string;
  /** Rows of pixels. */
  readonly height: number;
  /** Columns of pixels. */
  readonly width: number;
  /** How many images. */
  readonly images: number;
}

/**
 * The sizes of a session's images, from their headers. A view with two sizes was set differently in
 * between.
 *
 * @param views of a recording
 * @returns a line for each view and size, in the order of the views
 * @throws {SyntaxError} when an image is no JPEG file, or damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import sharp from "sharp";
 * import { imageSizes } from "./image_sizes.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const black = { width: 64, height: 36, channels: 3, background: "black" } as const;
 * await sharp({ create: black }).jpeg().toFile(`${folder}/0.jpg`);
 * const view = { name: "View1", folder, files: ["0.jpg"] };
 * assert.deepEqual(imageSizes([view]), [{ name: "View1", height: 36, width: 64, images: 1 }]);
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export function imageSizes(
  views: readonly Pick<RecordedView, "name" | "folder" | "files">[],
): ViewSize[] {
  return views.flatMap(({ name, folder, files }) => {
    const sizes = files.map((file) => {
      const { width, height } = readJpegHeader(join(folder, file));
      return { width, height };
    });
    return [...Map.groupBy(sizes, ({ width, height }) => `${width} ${height}`).values()]
      .map((group) => ({ name, ...group[0]!, images: group.length }));
  });
}
