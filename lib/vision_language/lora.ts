import { Bfloat16Tensor, type NamedTensors, Random, tf } from "../engine/mod.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { libraryName, modelTensors } from "./tensor_names.ts";
import type { Weight, Weights } from "./weights.ts";

/** A low-rank adapter: which layers it adds to, and how. */
export interface LoraConfig {
  /** Rows of A and columns of B, r. */
  readonly rank: number;
  /** α; the addition is scaled by α / r. */
  readonly alpha: number;
  /** Share of an adapter's inputs that training drops. */
  readonly dropout: number;
  /**
   * Names of layers, each of which hits every module whose name ends with it, or a regular expression
   * for whole names of modules in the library's memory.
   */
  readonly targets: readonly string[] | string;
}

/** r 16, α 32, dropout 0.05 on the attention of the text decoder. */
export const DEFAULT_LORA: LoraConfig = {
  rank: 16,
  alpha: 32,
  dropout: 0.05,
  targets: ["q_proj", "k_proj", "v_proj", "o_proj"],
};

const EMBEDDING = /^(model\.embed_tokens|lm_head|visual\.patch_embed\.proj)\.weight$/;

/** A layer that an adapter adds to. */
export interface LoraModule {
  /** Its published name. */
  readonly name: string;
  /** Width of its input. */
  readonly input: number;
  /** Width of its output. */
  readonly output: number;
}

/**
 * The layers that an adapter's targets hit, as peft finds them.
 *
 * The names `gate_proj`, `up_proj` and `down_proj` are those of layers in the vision tower, too; a
 * regular expression that begins with `.*language_model\.` keeps to the text.
 *
 * @param config of the model
 * @param targets names or a regular expression
 * @returns the layers, sorted by name
 * @throws {RangeError} when they hit nothing, or one of the names does not
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { loraModules, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const { text, vision } = config;
 * assert.equal(loraModules(config, ["q_proj"]).length, text.layers);
 * assert.equal(loraModules(config, ["up_proj"]).length, text.layers + vision.depth);
 * ```
 */
export function loraModules(
  config: VisionLanguageConfig,
  targets: LoraConfig["targets"],
): LoraModule[] {
  const linear = [...modelTensors(config)]
    .filter(([name, shape]) => shape.length === 2 && !EMBEDDING.test(name))
    .map(([name, [output, input]]) => ({
      name: name.replace(/\.weight$/, ""),
      input: input!,
      output: output!,
    }));
  const hits = (target: string, name: string) => name === target || name.endsWith(`.${target}`);
  const whole = typeof targets === "string" ? wholeName(targets) : undefined;
  const found = linear.filter(({ name }) =>
    whole === undefined
      ? (targets as readonly string[]).some((target) => hits(target, libraryName(name)))
      : whole.test(libraryName(name))
  );
  const idle = typeof targets === "string"
    ? (found.length === 0 ? targets : undefined)
    : targets.find((target) => !linear.some(({ name }) => hits(target, libraryName(name))));
  if (idle !== undefined || found.length === 0) {
    throw new RangeError(
      `Cannot make an adapter: its targets should be layers of the model, current value is ` +
        `"${
          idle ?? targets
        }", which hits none. Names are q_proj, k_proj, v_proj, o_proj, gate_proj, ` +
        "up_proj, down_proj.",
    );
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Repetitions in one another, or many of them, take a time that doubles with each letter. */
const MOST_REPETITIONS = 5;

/** A regular expression of a file, for whole names. */
function wholeName(pattern: string): RegExp {
  const refuse = (expected: string): never => {
    throw new RangeError(
      `Cannot make an adapter: its targets should be names or a regular expression ${expected}, ` +
        `current value is ${JSON.stringify(pattern.slice(0, 200))}. Name its layers one by one.`,
    );
  };
  let groups = pattern.replace(/\\./g, "x").replace(/\[[^\]]*\]/g, "x");
  if ((groups.match(/[*+]|\{\d*,/g) ?? []).length > MOST_REPETITIONS) {
    refuse(`with at most ${MOST_REPETITIONS} repetitions`);
  }
  for (let before = ""; before !== groups;) {
    before = groups;
    groups = groups.replace(/\(([^()]*)\)([*+{]?)/g, (_, inner: string, repeats: string) => {
      if (repeats !== "" && /[*+{|]/.test(inner)) {
        refuse("without repetitions of repetitions or choices");
      }
      return (/[*+{]/.test(inner) ? "x+" : `x${repeats}`) + (inner.includes("|") ? "|x" : "");
    });
  }
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return refuse("that JavaScript has, too");
  }
}

/** Key of an adapter's matrix among trained parameters. */
export function loraKey(module: string, part: "lora_A" | "lora_B"): string {
  return `lora.${module}.${part}`;
}

/**
 * Shapes of an adapter's matrices.
 *
 * @param config of the model
 * @param lora targets and rank
 * @returns `(r, in)` and `(out, r)` by key, sorted
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DEFAULT_LORA, loraShapes, readModelConfig } from "./mod.ts";
 *
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const shapes = loraShapes(config, DEFAULT_LORA);
 * assert.deepEqual(shapes["lora.model.layers.0.self_attn.q_proj.lora_A"], [16, config.text.hiddenSize]);
 * ```
 */
export function loraShapes(
  config: VisionLanguageConfig,
  { rank, targets }: Pick<LoraConfig, "rank" | "targets">,
): Record<string, number[]> {
  if (!Number.isInteger(rank) || rank < 1) {
    throw new RangeError(
      `Cannot make an adapter: its rank should be an integer from 1, current value is ${rank}.`,
    );
  }
  return Object.fromEntries(
    loraModules(config, targets).flatMap(({ name, input, output }) => [
      [loraKey(name, "lora_A"), [rank, input]],
      [loraKey(name, "lora_B"), [output, rank]],
    ]),
  );
}

/**
 * Adds an adapter into the weights it belongs to: `W + α/r · B A`. Without the returned tensors the
 * model is the old one, to the bit.
 *
 * @param weights of the model
 * @param tensors of the adapter, by key
 * @param scale α / r
 * @returns the changed matrices by published name, in the dtype of the weights, the caller's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { initialAdapter, loadWeights, mergeAdapter, openModelFolder } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * using folder = openModelFolder("data-fixtures/vision_language/model");
 * const weights = await loadWeights(folder);
 * const adapter = initialAdapter(folder.config, { rank: 2, targets: ["q_proj"] }, 1);
 * const merged = mergeAdapter(weights, adapter, 2);
 * assert.equal(Object.keys(merged).length, folder.config.text.layers);
 * ```
 */
export function mergeAdapter(
  weights: Weights,
  tensors: NamedTensors,
  scale: number,
): Record<string, Weight> {
  const merged: Record<string, Weight> = {};
  for (const key of Object.keys(tensors)) {
    const [, module, part] = /^lora\.(.+)\.(lora_[AB])$/.exec(key) ?? [];
    if (module === undefined || part !== "lora_A") continue;
    const name = `${module}.weight`, base = weights.get(name);
    const up = tensors[loraKey(module, "lora_B")];
    if (base === undefined || up === undefined) {
      throw new RangeError(
        `Cannot merge the adapter: the model should have ${name}, current value is no such tensor. ` +
          "Is the adapter made for this model?",
      );
    }
    const sum = tf.tidy(() => {
      const wide = base instanceof Bfloat16Tensor ? base.toFloat32() : base;
      const added = tf.matMul(up as tf.Tensor2D, tensors[key] as tf.Tensor2D);
      return wide.add(added.mul(scale));
    });
    merged[name] = base instanceof Bfloat16Tensor ? Bfloat16Tensor.from(sum) : sum;
    if (base instanceof Bfloat16Tensor) sum.dispose();
  }
  return merged;
}

/**
 * First values of an adapter, as peft draws them: A uniform within ±1/√in, B zero, so that nothing is
 * added yet.
 *
 * @param config of the model
 * @param lora targets and rank
 * @param seed of A
 * @returns `(r, in)` and `(out, r)` by key, the caller's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { DEFAULT_LORA, initialAdapter, readModelConfig } from "./mod.ts";
 *
 * await startEngine({ quiet: true });
 * const config = readModelConfig("data-fixtures/vision_language/model/config.json");
 * const tensors = initialAdapter(config, DEFAULT_LORA, 1);
 * const down = await tensors["lora.model.layers.0.self_attn.q_proj.lora_A"]!.abs().max().data();
 * assert(down[0]! > 0 && down[0]! < 1 / Math.sqrt(config.text.hiddenSize));
 * ```
 */
export function initialAdapter(
  config: VisionLanguageConfig,
  lora: Pick<LoraConfig, "rank" | "targets">,
  seed: number,
): Record<string, tf.Tensor> {
  const random = new Random({ seed, counter: 0 });
  const shapes = Object.entries(loraShapes(config, lora));
  return Object.fromEntries(shapes.map(([key, shape]) => [
    key,
    key.endsWith("lora_B")
      ? tf.zeros(shape)
      : tf.tidy(() => random.uniform(shape, key).mul(2).sub(1).div(Math.sqrt(shape[1]!))),
  ]));
}
