import { shapeText } from "../formats/_tensor_dtype.ts";
import type { VisionLanguageConfig } from "./config.ts";
import { type LoraConfig, loraKey, loraShapes } from "./lora.ts";
import { libraryName, publishedName } from "./tensor_names.ts";

/** What a file says of a matrix. */
export interface AdapterEntry {
  /** Name of its numbers. */
  readonly dtype: string;
  /** Length along each axis. */
  readonly shape: readonly number[];
}

/**
 * What does not fit together in an adapter, without reading its values: names, pairs, ranks, and,
 * against a model, its layers and their widths.
 *
 * @param lora rank and targets
 * @param tensors by name, as peft's files have them
 * @param config of the model it belongs to. Default: layers and widths are not compared
 * @returns in words; empty where all fits
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { adapterProblems } from "./mod.ts";
 *
 * const name = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight";
 * const tensors = new Map([[name, { dtype: "float32", shape: [4, 48] }]]);
 * assert.deepEqual(adapterProblems({ rank: 2, targets: ["q_proj"] }, tensors), [
 *   `${name} has rank 4 instead of 2`,
 *   `${name.replace("lora_A", "lora_B")} is missing`,
 * ]);
 * ```
 */
export function adapterProblems(
  lora: Pick<LoraConfig, "rank" | "targets">,
  tensors: ReadonlyMap<string, AdapterEntry>,
  config?: VisionLanguageConfig,
): string[] {
  if (tensors.size === 0) return ["it holds no matrices"];
  const found = new Map<string, string>(), problems: string[] = [];
  for (const [stored, entry] of tensors) {
    const key = adapterKey(stored);
    if (key === undefined) problems.push(`${stored} is no matrix of an adapter`);
    else if (found.has(key)) problems.push(`${stored} is ${found.get(key)} again`);
    else {
      found.set(key, stored);
      problems.push(...matrixProblems(stored, entry, lora));
    }
  }
  for (const [key, stored] of found) {
    if (!found.has(otherPart(key))) problems.push(`${otherPart(stored)} is missing`);
  }
  const idle = typeof lora.targets === "string"
    ? []
    : lora.targets.filter((target) => ![...found.keys()].some((key) => isHit(key, target)));
  problems.push(...idle.map((target) => `no matrix is of its target ${target}`));
  return config === undefined
    ? problems
    : [...problems, ...modelProblems(lora, tensors, found, config)];
}

/** Key of a matrix that a file of peft's names; undefined where the name is another's. */
export function adapterKey(stored: string): string | undefined {
  const [, module, part] = /^base_model\.model\.(.+)\.(lora_[AB])(?:\.default)?\.weight$/
    .exec(stored) ?? [];
  return module && loraKey(publishedName(module), part as "lora_A" | "lora_B");
}

function matrixProblems(
  stored: string,
  { dtype, shape }: AdapterEntry,
  { rank, targets }: Pick<LoraConfig, "rank" | "targets">,
): string[] {
  const key = adapterKey(stored)!, problems: string[] = [];
  if (dtype !== "float32" && dtype !== "bfloat16") {
    problems.push(`${stored} is ${dtype}, neither float32 nor bfloat16`);
  }
  const own = key.endsWith("lora_A") ? shape[0] : shape[1];
  if (shape.length !== 2) problems.push(`${stored} is ${shapeText(shape)}, no matrix`);
  else if (own !== rank) problems.push(`${stored} has rank ${own} instead of ${rank}`);
  if (typeof targets !== "string" && !targets.some((target) => isHit(key, target))) {
    problems.push(`${stored} is of none of its targets`);
  }
  return problems;
}

function modelProblems(
  lora: Pick<LoraConfig, "rank" | "targets">,
  tensors: ReadonlyMap<string, AdapterEntry>,
  found: ReadonlyMap<string, string>,
  config: VisionLanguageConfig,
): string[] {
  let expected: Record<string, number[]>;
  try {
    expected = loraShapes(config, lora);
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return [error.message];
    throw error;
  }
  const problems: string[] = [];
  for (const [key, stored] of found) {
    const shape = expected[key], { shape: own } = tensors.get(stored)!;
    if (shape === undefined) problems.push(`${stored} is of no layer that its targets hit`);
    else if (String(shape) !== String(own)) {
      problems.push(`${stored} is ${shapeText(own)} instead of ${shapeText(shape)} in the model`);
    }
  }
  const lacking = Object.keys(expected).filter((key) =>
    !found.has(key) && !found.has(otherPart(key))
  );
  return [...problems, ...lacking.map((key) => `${key} of the model is missing`)];
}

function otherPart(name: string): string {
  return name.replace(/\.lora_([AB])(?=\.|$)/, (_, part) => `.lora_${part === "A" ? "B" : "A"}`);
}

/** Whether a target hits the module of a key, as in `loraModules`. */
function isHit(key: string, target: string): boolean {
  const module = key.replace(/^lora\./, "").replace(/\.lora_[AB]$/, "");
  return libraryName(module) === target || libraryName(module).endsWith(`.${target}`);
}
