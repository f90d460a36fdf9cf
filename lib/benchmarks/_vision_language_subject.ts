/** A forward pass of a Qwen2.5-VL on the engine in use. */
import {
  patchWidth,
  type RandomSize,
  type TokenPrompt,
  VisionLanguageModel,
} from "../vision_language/mod.ts";
import { fill } from "./fill.ts";
import type { SubjectConfig } from "./_process.ts";
import type { Subject } from "./_subject.ts";

/** What is computed. */
export interface VisionLanguageConfig extends SubjectConfig {
  /** Of random weights, and of the images. */
  readonly size: RandomSize;
  /** Folder of a model; absent: random weights, made in memory. */
  readonly model?: string;
  /** Images of the prompt. */
  readonly views: number;
  /** Of products; absent: the faster one. */
  readonly precision?: "f32" | "bf16";
}

/** What readying it found. */
export interface VisionLanguageFacts {
  /** Seconds in which the weights were read, or made, and put in place. */
  readonly loadSeconds: number;
  /** Seconds of the first call, with tracing. */
  readonly firstCallSeconds: number;
  /** Mean hidden state. */
  readonly feature: readonly number[];
  /** Of products. */
  readonly precision: string;
  /** Token ids of the prompt. */
  readonly ids: readonly number[];
  /** Patches of each view. */
  readonly patches: Readonly<Record<"height" | "width" | "channels", number>>;
}

/** Ordinary tokens before and after the views, as in a prompt of the field. */
const BEFORE = 14, AFTER = 22;
/** Patches of a view at 616 × 336, and of the tiny model's. */
const GRIDS = { "3b": { height: 24, width: 44 }, "tiny": { height: 8, width: 12 } } as const;
/** Largest pixel value of a patch. */
const SCALE = 2;

let loaded:
  | { readonly key: string; readonly model: VisionLanguageModel; seconds: number }
  | undefined;

/** Makes the model, once for all cases of one size, and calls it the first time. */
export async function visionLanguageSubject(config: VisionLanguageConfig): Promise<Subject> {
  const { size, views } = config;
  const { model, seconds } = await load(config);
  const prompt = promptOf(model, size, views);
  const start = performance.now();
  const [feature] = await model.features([prompt]);
  const { config: { vision } } = model;
  const facts: VisionLanguageFacts = {
    loadSeconds: seconds,
    firstCallSeconds: (performance.now() - start) / 1000,
    feature: [...feature!],
    precision: model.precision,
    ids: [...prompt.ids as Int32Array],
    patches: { ...GRIDS[size], channels: patchWidth(vision) },
  };
  return {
    facts: { ...facts },
    run: async () => void await model.features([prompt]),
    repeats: 1,
    release: () => {},
  };
}

async function load({ size, model: folder, precision }: VisionLanguageConfig) {
  const key = JSON.stringify([size, folder, precision]);
  if (loaded?.key === key) return loaded;
  loaded?.model.dispose();
  const start = performance.now();
  const chosen = precision && { precision: precision === "f32" ? "float32" : "bfloat16" } as const;
  const model = folder === undefined
    ? await VisionLanguageModel.random(size, { ...chosen })
    : await VisionLanguageModel.open(folder, { ...chosen });
  return loaded = { key, model, seconds: (performance.now() - start) / 1000 };
}

function promptOf({ config }: VisionLanguageModel, size: RandomSize, views: number): TokenPrompt {
  const { vision, tokens } = config, grid = { frames: 1, ...GRIDS[size] };
  const count = grid.height * grid.width, visual = count / vision.mergeSize ** 2;
  const view = [
    tokens.visionStart,
    ...new Array<number>(visual).fill(tokens.image),
    tokens.visionEnd,
  ];
  const words = (from: number, length: number) => Array.from({ length }, (_, i) => from + i);
  const ids = [
    ...words(100, BEFORE),
    ...Array.from({ length: views }, () => view).flat(),
    ...words(200, AFTER),
  ];
  const images = Array.from({ length: views }, (_, i) => ({
    grid,
    patches: new Float32Array(fill(i, count * patchWidth(vision), SCALE)),
  }));
  return { ids: Int32Array.from(ids), images };
}
