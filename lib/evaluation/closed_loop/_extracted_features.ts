/** Features of frames by an extractor, as for recordings. */
import sharp from "sharp";
import type { FeatureExtractor } from "../../features/extractor.ts";
import { PHANTOM_VIEWS } from "../../phantom/scene.ts";

/** What a scene shows. */
export interface ShownScene {
  /** One per camera of the phantom, `(height·width·3)` 0 to 255, not rounded. */
  readonly frames: readonly Float32Array[];
  /** What the policy is told. */
  readonly instruction: string;
}

/**
 * Lets an extractor look at frames that were written as cameras write them.
 *
 * @param extractor of one token a feature, of cameras of the phantom
 * @param scenes what is seen
 * @param width of the frames, pixels
 * @param quality of the JPEG, 1 to 100; null for no loss
 * @returns `(B·1·D)`
 */
export async function extractedFeatures(
  extractor: FeatureExtractor,
  scenes: readonly ShownScene[],
  width: number,
  quality: number | null,
): Promise<Float32Array> {
  const { identity: { views } } = extractor;
  const cameras = views.map((view) => (PHANTOM_VIEWS as readonly string[]).indexOf(view));
  if (cameras.includes(-1)) {
    throw new RangeError(
      `Cannot show the simulator to ${extractor.name}: its views should be among ` +
        `${PHANTOM_VIEWS.join(", ")}, current value is ${views.join(", ")}.`,
    );
  }
  const requests = await Promise.all(scenes.map(async ({ frames, instruction }) => ({
    instruction,
    views: await Promise.all(views.map(async (name, v) => ({
      name,
      image: await pictureOf(frames[cameras[v]!]!, width, quality),
    }))),
  })));
  const features = await extractor.extract(requests);
  const vision = new Float32Array(scenes.length * extractor.width);
  features.forEach(({ tokens, values }, scene) => {
    if (tokens !== 1) {
      throw new RangeError(
        `Cannot show the simulator to ${extractor.name}: a feature should be one token, current ` +
          `value is ${tokens}.`,
      );
    }
    vision.set(values, scene * extractor.width);
  });
  return vision;
}

async function pictureOf(
  frame: Float32Array,
  width: number,
  quality: number | null,
): Promise<Uint8Array> {
  const pixels = Uint8Array.from(frame, (value) => value + 0.5);
  const picture = sharp(pixels, {
    raw: { width, height: frame.length / (3 * width), channels: 3 },
  });
  return await (quality === null ? picture.png() : picture.jpeg({ quality })).toBuffer();
}
