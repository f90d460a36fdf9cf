/** Episodes with pictures, and the recorded tiny model that looks at them. */
import sharp from "sharp";
import type { EpisodeData } from "../../lib/datasets/_episode.ts";
import { qwenFeatures, type QwenOptions } from "../../lib/features/qwen.ts";
import { hasNative } from "../engine/_native.ts";
import { MODEL } from "../vision_language/_folder.ts";
import { type StubEpisode, stubEpisode } from "./_stub.ts";

/** Engine on which tests compute. */
export const ENGINE = hasNative ? "tensorflow" : "wasm";

/** Features of the recorded model. */
export function tinyFeatures(options: Partial<QwenOptions> = {}) {
  return qwenFeatures({ model: MODEL, views: ["View1", "View2"], engine: ENGINE, ...options });
}

/**
 * An episode of two cameras; the second one's pictures are wider at every third step, so that prompts
 * are not all of one length, and its first comes late.
 */
export async function pictureEpisode(
  options: StubEpisode & { path: string },
): Promise<EpisodeData> {
  const { path, steps = 6 } = options;
  const times = Array.from({ length: steps }, (_, k) => k / 10 - 0.05);
  for (let k = 0; k < steps; k++) {
    await picture(`${path}/View1_${k}.jpg`, 96, 64, k);
    await picture(`${path}/View2_${k}.jpg`, k % 3 === 0 ? 160 : 112, 84, 100 + k);
  }
  return stubEpisode({
    frames: { View1: times, View2: [0.05, ...times.slice(1)] },
    ...options,
  });
}

async function picture(path: string, width: number, height: number, salt: number): Promise<void> {
  const pixels = Uint8Array.from(
    { length: 3 * width * height },
    (_, i) => (i * (salt + 3) + (i >> 5) * 11) % 251,
  );
  await sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg().toFile(path);
}
