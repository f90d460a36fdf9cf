import { join } from "node:path";
import { readJpegHeader } from "../../formats/jpeg.ts";
import { breathe } from "../_breathe.ts";
import type { RecordedView } from "../recording.ts";
import { plural } from "../_plural.ts";
import { type CheckOptions, isDataError, listed, type Report } from "./_report.ts";

/** First and last bytes of every image: damage, and sizes that differ within a view. */
export async function checkImages(
  views: readonly RecordedView[],
  report: Report,
  { signal }: CheckOptions,
): Promise<void> {
  for (const { name, folder, files } of views) {
    const damaged: string[] = [];
    const sizes = new Map<string, string[]>();
    let reason = "";
    for (const file of files) {
      await breathe(signal);
      try {
        const { width, height, hasEnd } = readJpegHeader(join(folder, file));
        if (!hasEnd) throw new SyntaxError("it was cut short: there is no end marker.");
        const size = `${width}×${height}`;
        const others = sizes.get(size);
        if (others === undefined) sizes.set(size, [file]);
        else others.push(file);
      } catch (error) {
        if (!isDataError(error)) throw error;
        if (damaged.length === 0) reason = error.message;
        damaged.push(file);
      }
    }
    if (damaged.length > 0) {
      report(
        "error",
        "image.damaged",
        join(folder, damaged[0]!),
        `${name}: ${damaged.length} of ${plural(files.length, "image")} damaged (${
          listed(damaged)
        }); the first: ${reason} Copy them again or delete them; preprocess leaves them out.`,
      );
    }
    if (sizes.size > 1) {
      const sorted = [...sizes].sort(([, a], [, b]) => b.length - a.length);
      const counts = sorted.map(([size, { length }]) => `${size} (${plural(length, "image")})`)
        .join(", ");
      report(
        "warning",
        "image.sizes",
        join(folder, sorted[1]![1][0]!),
        `The images of ${name} should have one size, current value is ${counts}. Was the camera ` +
          "set anew in between? Split the recording, or record it again.",
      );
    }
  }
}
