import { createHash } from "node:crypto";
import type { EpisodeData } from "../../lib/datasets/_episode.ts";
import type { Feature, FeatureExtractor, FeatureRequest } from "../../lib/features/extractor.ts";
import { temporaryFolder } from "../_temporary.ts";

/** An extractor whose features follow from a digest of the request: two that see the same are equal. */
export function stubExtractor(
  options: Partial<Omit<FeatureExtractor, "identity">> & {
    readonly identity?: Partial<FeatureExtractor["identity"]>;
  } = {},
): FeatureExtractor {
  const { width = 64 } = options;
  return {
    name: "stub",
    width,
    dtype: "float32",
    frozen: true,
    norm: [1e-6, 100],
    extract: (requests) => Promise.resolve(requests.map((request) => stubFeature(request, width))),
    ...options,
    identity: {
      model: "stub",
      revision: "1",
      adapter: null,
      processor: { minPixels: 3136, maxPixels: 230400 },
      promptTemplate: "{instruction}",
      taps: { layer: "last", selection: "all", pooling: "mean" },
      views: ["View1"],
      ...options.identity,
    },
  };
}

export function stubFeature({ views, instruction }: FeatureRequest, width: number): Feature {
  const hash = createHash("sha256").update(instruction);
  for (const { name, image } of views) {
    hash.update(`\n${name} ${image === null}`);
    if (image !== null) hash.update(typeof image === "string" ? Deno.readFileSync(image) : image);
  }
  const digest = hash.digest();
  const values = Float32Array.from({ length: width }, (_, i) => digest[i % 32]! / 256 + 1 / 512);
  return { tokens: 1, visualTokens: 1, values };
}

/** What a test wants to differ from a plain episode. */
export interface StubEpisode {
  readonly path?: string;
  readonly instruction?: string;
  readonly steps?: number;
  /** Times of the frames of each view; their contents say view and number. */
  readonly frames?: Readonly<Record<string, readonly number[]>>;
  readonly segment?: Int32Array;
}

/** An episode whose image files lie in a folder of their own, which is its path. */
export function stubEpisode(options: StubEpisode = {}): EpisodeData {
  const path = options.path ?? temporaryFolder();
  const { steps = 10, instruction = "Insert the needle" } = options;
  const frames = options.frames ??
    { View1: Array.from({ length: steps }, (_, k) => k / 10 - 0.05) };
  return {
    path,
    manifest: { name: "one", task: "red", instruction },
    robotTime: new Float64Array(2),
    robotState: new Float32Array(24),
    action: new Float32Array(7 * steps),
    actionTime: Float64Array.from({ length: 2 * steps }, (_, k) => Math.ceil(k / 2) / 10),
    segment: options.segment ?? new Int32Array(steps),
    images: Object.entries(frames).map(([view, times]) => ({
      view,
      time: Float64Array.from(times),
      file: (k: number) => {
        const file = `${path}/${view}_${k}.jpg`;
        try {
          Deno.statSync(file);
        } catch {
          Deno.writeTextFileSync(file, `${path} ${view} ${k}`);
        }
        return file;
      },
    })),
    sensor: null,
  };
}
