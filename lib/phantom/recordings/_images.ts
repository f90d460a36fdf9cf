import { dirname, join } from "node:path";
import sharp from "sharp";
import type { Eye, WriteContext, WrittenImage } from "./_layout_writer.ts";
import type { Take } from "./_take.ts";
import type { PhantomView } from "../scene.ts";

/** Pictures that are encoded while the next is drawn. */
const IN_FLIGHT = 4;
/** The right eye sees the scene this share of the width further left. */
const DISPARITY = 12 / 640;

/**
 * Writes all pictures of a recording as baseline JPEG.
 *
 * @param place path of a picture relative to the recording
 */
export async function writeImages(
  take: Take,
  { folder, quality, signal, onImage }: WriteContext,
  place: (view: PhantomView, eye: Eye, time: number) => string,
): Promise<WrittenImage[]> {
  const images: WrittenImage[] = [];
  const pending = new Set<Promise<void>>();
  const [width, height] = take.source.raster;
  const total = take.cameras.reduce((sum, { view, time }) => {
    return sum + time.length * eyesOf(take, view).length;
  }, 0);
  const write = async (raster: Uint8Array, path: string) => {
    const bytes = await sharp(raster, { raw: { width, height, channels: 3 } })
      .jpeg({ quality, optimiseCoding: false }).toBuffer();
    await Deno.writeFile(join(folder, path), bytes, { createNew: true });
    onImage?.(images.length, total);
  };
  try {
    for (const { view, time, frame } of take.cameras) {
      for (const eye of eyesOf(take, view)) {
        Deno.mkdirSync(join(folder, dirname(place(view, eye, 0))), { recursive: true });
      }
      for (const [k, seconds] of time.entries()) {
        signal?.throwIfAborted();
        const raster = frame(k);
        for (const eye of eyesOf(take, view)) {
          const path = place(view, eye, seconds);
          images.push({ view, eye, time: seconds, path });
          const seen = eye === "right" ? rightEye(raster, width) : raster;
          const job = write(seen, path).finally(() => pending.delete(job));
          pending.add(job);
        }
        while (pending.size >= IN_FLIGHT) await Promise.race(pending);
      }
    }
    await Promise.all(pending);
  } catch (error) {
    await Promise.allSettled(pending); // nobody writes into a folder that is about to go
    throw error;
  }
  return images;
}

function eyesOf({ rightEyes }: Take, view: PhantomView): Eye[] {
  if (view === "View5") return ["hand"];
  return rightEyes ? ["left", "right"] : ["left"];
}

/** The picture moved to the left; the last column fills what comes in. */
function rightEye(raster: Uint8Array, width: number): Uint8Array {
  const shift = Math.max(1, Math.round(width * DISPARITY));
  const moved = new Uint8Array(raster.length);
  for (let at = 0; at < raster.length; at += 3) {
    const column = (at / 3) % width;
    const from = at + 3 * (Math.min(column + shift, width - 1) - column);
    for (let channel = 0; channel < 3; channel++) moved[at + channel] = raster[from + channel]!;
  }
  return moved;
}
