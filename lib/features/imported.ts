import { dirname, resolve } from "node:path";
import { readJson } from "../datasets/_json.ts";
import { isFile, isFolder } from "../formats/_path.ts";
import { toFloat32 } from "../formats/bfloat16.ts";
import { openTorchCheckpoint } from "../formats/torch_checkpoint.ts";
import type { JsonValue } from "./canonical_json.ts";
import type { Feature, FeatureExtractor, FeatureIdentity, FeatureRequest } from "./extractor.ts";

const FORMAT = "trocar feature import";
/** Of float16, in which the Python reference stores them. */
const MOST = 65504;

/**
 * Features that another program made: `.pt` files of one tensor `(1, T, width)`, as the Python
 * reference caches them (float16, 1×1×2048). Its file names say too little to be trusted, so a
 * mapping says which file belongs to which step of which episode:
 *
 * ```json
 * {
 *   "format": "trocar feature import",
 *   "source": "Insertion_VLA, cache of October 30, 5 views",
 *   "model": "Qwen/Qwen2.5-VL-3B-Instruct",
 *   "revision": "unknown",
 *   "promptTemplate": "{instruction}",
 *   "processor": { "minPixels": 230400, "maxPixels": 230400 },
 *   "layer": "last hidden state",
 *   "selection": "all",
 *   "pooling": "mean",
 *   "views": ["View1", "View2", "View3", "View4", "View5"],
 *   "width": 2048,
 *   "features": [{ "episode": "recv_all_1/episode", "step": 0, "file": "recv_all_1_vlm0.pt" }]
 * }
 * ```
 *
 * Paths are relative to the mapping. All of it but `features` goes into the keys, so that imported
 * features are never mistaken for others.
 *
 * @param mapping path of the JSON file
 * @returns an extractor that reads the files; it makes no feature of its own
 * @throws {SyntaxError} when the mapping is damaged, or names a step twice
 * @throws {Deno.errors.NotFound} when there is no such mapping
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { importedFeatures } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/mapping.json`;
 * Deno.writeTextFileSync(path, '{"format":"another"}');
 * assert.throws(() => importedFeatures(path), /trocar feature import/);
 * ```
 */
export function importedFeatures(mapping: string): FeatureExtractor {
  const path = resolve(mapping), base = dirname(path);
  if (!isFile(path)) {
    throw new Deno.errors.NotFound(
      `Cannot import features: --import should name their mapping, a JSON file, current value is ` +
        `${path}, which is ${isFolder(path) ? "a folder" : "not there"}.`,
    );
  }
  const record = readJson(path, "feature mapping");
  record.literal("format", FORMAT);
  const files = new Map<string, string>(), episodes = new Set<string>();
  record.list("features", (entry) => {
    const step = entry.number("step"), episode = resolve(base, entry.text("episode"));
    const place = placeOf(episode, step);
    if (files.has(place)) {
      throw new SyntaxError(`Cannot read ${path}: step ${step} of ${episode} should stand once.`);
    }
    files.set(place, resolve(base, entry.text("file")));
    episodes.add(episode);
  });
  const width = record.number("width");
  const identity: FeatureIdentity = {
    model: record.text("model"),
    revision: record.text("revision"),
    adapter: null,
    processor: { settings: objectOf(path, "processor"), importedFrom: record.text("source") },
    promptTemplate: record.text("promptTemplate"),
    taps: {
      layer: record.text("layer"),
      selection: record.oneOf("selection", ["all", "vision", "text"]),
      pooling: record.oneOf("pooling", ["mean", "none", "last-token"]),
    },
    views: record.texts("views"),
  };
  return {
    name: "imported",
    identity,
    width,
    dtype: "float16",
    frozen: true,
    norm: [1e-6, MOST * Math.sqrt(width)],
    flags: ["--import", path],
    extract: (requests) =>
      Promise.resolve().then(() =>
        requests.map((request) => readFeature(request, { files, episodes, path }, identity, width))
      ),
  };
}

/** Which file holds the feature of a step. */
interface Mapping {
  readonly path: string;
  readonly files: ReadonlyMap<string, string>;
  readonly episodes: ReadonlySet<string>;
}

function readFeature(
  { origin }: FeatureRequest,
  { path: mapping, files, episodes }: Mapping,
  { taps: { pooling } }: FeatureIdentity,
  width: number,
): Feature {
  const { episode, step } = origin ?? { episode: "a live request", step: 0 };
  // A recording stands for the container in it.
  const file = files.get(placeOf(episode, step)) ?? files.get(placeOf(dirname(episode), step));
  if (file === undefined) {
    const isNamed = episodes.has(episode) || episodes.has(dirname(episode));
    throw new RangeError(
      `Cannot import the feature of ${episode} step ${step}: ${mapping} should name its file, current ` +
        `value is ${
          isNamed ? "other steps of it" : "none of its steps"
        }. An episode is named by its ` +
        "path, relative to the mapping.",
    );
  }
  if (!isFile(file)) {
    throw new Deno.errors.NotFound(
      `Cannot import ${file}: ${mapping} names it, current value is no such file. Copy it there.`,
    );
  }
  using checkpoint = openTorchCheckpoint(file);
  const tensors = checkpoint.tensors();
  const [, tensor] = tensors[0] ?? [];
  const shape = tensor?.shape ?? [];
  if (tensors.length !== 1 || shape.length !== 3 || shape[0] !== 1 || shape[2] !== width) {
    const found = tensors.map(([, each]) => `(${each.shape.join(", ")})`).join(", ") || "no tensor";
    throw new SyntaxError(
      `Cannot import ${file}: it should hold one tensor (1, T, ${width}), current value is ${found}.`,
    );
  }
  if (pooling !== "none" && shape[1] !== 1) {
    throw new SyntaxError(
      `Cannot import ${file}: with pooling "${pooling}" it should hold 1 token, current value is ` +
        `${shape[1]}. If that is what they are, write "none" into ${mapping}.`,
    );
  }
  const values = toFloat32(tensor!.read());
  return { tokens: shape[1]!, visualTokens: shape[1]!, values };
}

function placeOf(episode: string, step: number): string {
  return `${step} ${episode}`;
}

function objectOf(path: string, name: string): { readonly [name: string]: JsonValue } {
  const value = JSON.parse(Deno.readTextFileSync(path))[name];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new SyntaxError(
    `Cannot read the feature mapping ${path}: ${name} should be an object, current value is ` +
      `${JSON.stringify(value)}.`,
  );
}
