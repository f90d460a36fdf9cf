import type { JsonValue } from "../../features/canonical_json.ts";
import { decays } from "../../policies/decay.ts";
import { isMembers } from "../_config.ts";

/** Parameters that an optimiser treats alike. */
export interface OptimizerGroup {
  /** What they are, e.g. `action_expert.decay`. */
  readonly name: string;
  /** Keys of the parameters in the order in which PyTorch numbers them. */
  readonly keys: readonly string[];
  /** PyTorch's settings: `lr`, `betas`, `eps`, `weight_decay`, …; what is left out has its default. */
  readonly settings: Readonly<Record<string, JsonValue>>;
}

/** `optimizer` of a `checkpoint.json`: what PyTorch calls `param_groups`, with names for numbers. */
export interface OptimizerRecord {
  /** The method, as PyTorch calls it; what an unknown one records is kept as it is. */
  readonly type: "AdamW" | "unknown";
  /** Numbered one after another. */
  readonly groups: readonly OptimizerGroup[];
}

/**
 * The groups of the Python reference's regression programs: the expert's parameters that decay, those
 * that do not, and likewise those of the sensor encoder and of what else is trained.
 *
 * @param shapes of all trained parameters, in the order of the state dictionary
 * @param settings of all groups; default those of PyTorch, and the weight decay 0.01
 * @returns groups that are not empty
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { referenceGroups } from "./mod.ts";
 *
 * const shapes = new Map([
 *   ["sensor_encoder.projection.0.weight", [6, 8]],
 *   ["action_expert.output_head.1.weight", [7, 8]],
 *   ["action_expert.output_head.1.bias", [7]],
 * ]);
 * assert.deepEqual(referenceGroups(shapes).map(({ name }) => name), [
 *   "action_expert.decay",
 *   "action_expert.no_decay",
 *   "sensor_encoder.decay",
 * ]);
 * ```
 */
export function referenceGroups(
  shapes: ReadonlyMap<string, readonly number[]>,
  settings: Readonly<Record<string, JsonValue>> = {},
): OptimizerGroup[] {
  const groups = ["action_expert", "sensor_encoder", "other"].flatMap((part) =>
    [true, false].map((decay) => ({
      name: `${part}.${decay ? "decay" : "no_decay"}`,
      keys: [...shapes].filter(([key, shape]) =>
        partOf(key) === part && decays(key, shape) === decay
      ).map(([key]) => key),
      settings: { ...settings, weight_decay: decay ? 0.01 : 0 },
    }))
  );
  return groups.filter(({ keys }) => keys.length > 0);
}

/** The part of a policy that a key belongs to; `other` for other models. */
export function partOf(key: string): string {
  const [part] = key.split(".", 1);
  return part === "action_expert" || part === "sensor_encoder" ? part : "other";
}

/**
 * The groups that a `checkpoint.json` records.
 *
 * @param value its `optimizer`
 * @returns undefined where it records none
 * @throws {SyntaxError} when its groups are not written as {@linkcode OptimizerRecord} says
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readOptimizer } from "./mod.ts";
 *
 * assert.equal(readOptimizer("checkpoint.json", { learningRate: 1e-4 }), undefined);
 * assert.throws(() => readOptimizer("checkpoint.json", { groups: [{ keys: 3 }] }), /groups\[0\]/);
 * ```
 */
export function readOptimizer(path: string, value: JsonValue): OptimizerRecord | undefined {
  if (!isMembers(value) || !Array.isArray(value.groups)) return undefined;
  const groups = value.groups.map((group, i): OptimizerGroup => {
    const { name, keys, settings } = isMembers(group) ? group : {};
    const isGroup = typeof name === "string" && isMembers(settings) && Array.isArray(keys) &&
      keys.every((key) => typeof key === "string");
    if (isGroup) return { name, keys, settings: settings as OptimizerGroup["settings"] };
    throw new SyntaxError(
      `Cannot read ${path}: optimizer.groups[${i}] should have name, keys and settings, current ` +
        `value is ${JSON.stringify(group).slice(0, 100)}.`,
    );
  });
  return { type: (value.type ?? "AdamW") === "AdamW" ? "AdamW" : "unknown", groups };
}
