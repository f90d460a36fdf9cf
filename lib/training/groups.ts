import type { ParameterGroup } from "../engine/mod.ts";
import type { TrainableTensor } from "../features/trainable.ts";
import { decays, type PolicyConfig, policyShapes, trainedKeys } from "../policies/mod.ts";

/** Parameters that share a learning rate and a weight decay. */
export interface TrainingGroup {
  /** `expert`, `sensor`, `vision` or `vl`, each with `.decay` or `.no_decay`. */
  readonly name: string;
  /** Its parameters, in the order of `policyShapes`. */
  readonly keys: readonly string[];
  /** Learning rate before the schedule. */
  readonly learningRate: number;
  /** Decoupled weight decay. */
  readonly weightDecay: number;
}

/** Settings of {@link parameterGroups}. */
export interface ParameterGroupOptions {
  /** Learning rate of the action expert. @default {1e-4} */
  readonly learningRate?: number;
  /** Learning rate of the sensor encoder. @default {5e-4} */
  readonly sensorLearningRate?: number;
  /** Weight decay of matrices, kernels and learned positions. @default {0.01} */
  readonly weightDecay?: number;
}

/** Parts of a policy in the order of the groups. */
const PARTS = [["expert", "action_expert."], ["sensor", "sensor_encoder."]] as const;

/**
 * The groups that an optimiser trains: action expert, then sensor encoder, each with and without weight
 * decay; in this order the Python reference numbers its optimiser's state. Every trained parameter is in
 * exactly one of them, and empty groups are left out.
 *
 * @param config The policy.
 * @param options Learning rates and weight decay; the defaults are the Python reference's.
 * @returns The groups.
 * @throws {RangeError} If the configuration is wrong.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preset } from "../policies/mod.ts";
 * import { parameterGroups } from "./groups.ts";
 *
 * const groups = parameterGroups(preset("reference", { architecture: "reference" }));
 * assert.deepEqual(
 *   groups.map(({ name, keys }) => [name, keys.length]),
 *   [["expert.decay", 27], ["expert.no_decay", 52], ["sensor.decay", 14], ["sensor.no_decay", 32]],
 * );
 * ```
 */
export function parameterGroups(
  config: PolicyConfig,
  options: ParameterGroupOptions = {},
): TrainingGroup[] {
  const { learningRate = 1e-4, sensorLearningRate = 5e-4, weightDecay = 0.01 } = options;
  const trained = new Set(trainedKeys(config));
  const specs = policyShapes(config).filter(({ key }) => trained.has(key));
  return PARTS.flatMap(([part, prefix]) =>
    [true, false].map((isDecayed) => ({
      name: `${part}.${isDecayed ? "decay" : "no_decay"}`,
      keys: specs
        .filter(({ key, shape }) => key.startsWith(prefix) && decays(key, shape) === isDecayed)
        .map(({ key }) => key),
      learningRate: part === "expert" ? learningRate : sensorLearningRate,
      weightDecay: isDecayed ? weightDecay : 0,
    }))
  ).filter(({ keys }) => keys.length > 0);
}

/** Settings of {@link visualGroups}. */
export interface VisualGroupOptions {
  /** Learning rate of adapters and of the text decoder. @default {1e-5} */
  readonly textLearningRate?: number;
  /** Learning rate of the vision tower. @default {5e-6} */
  readonly visionLearningRate?: number;
  /** Weight decay of matrices. @default {0.01} */
  readonly weightDecay?: number;
}

/**
 * The groups of what is trained of a visual-language model: vision tower, then all else, each with and
 * without weight decay. Every tensor is in exactly one of them.
 *
 * @param tensors What is trained of it.
 * @param options Learning rates and weight decay; the defaults are the Python reference's.
 * @returns The groups; empty ones are left out.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { visualGroups } from "./groups.ts";
 *
 * const tensor = { key: "lora.q.lora_A", stored: "", shape: [2, 4] };
 * const groups = visualGroups([{ ...tensor, part: "text" }]);
 * assert.deepEqual(groups.map(({ name, learningRate }) => [name, learningRate]), [["vl.decay", 1e-5]]);
 * ```
 */
export function visualGroups(
  tensors: readonly TrainableTensor[],
  options: VisualGroupOptions = {},
): TrainingGroup[] {
  const { textLearningRate = 1e-5, visionLearningRate = 5e-6, weightDecay = 0.01 } = options;
  return ([["vision", "vision"], ["vl", "text"]] as const).flatMap(([name, part]) =>
    [true, false].map((isDecayed) => ({
      name: `${name}.${isDecayed ? "decay" : "no_decay"}`,
      keys: tensors.filter((each) => each.part === part && each.shape.length > 1 === isDecayed)
        .map(({ key }) => key),
      learningRate: part === "vision" ? visionLearningRate : textLearningRate,
      weightDecay: isDecayed ? weightDecay : 0,
    }))
  ).filter(({ keys }) => keys.length > 0);
}

/**
 * The groups as an optimiser takes them. Their learning rate is 1, so that the schedule that a step is
 * given is the learning rate itself.
 *
 * @param groups Groups, disjoint.
 * @returns One of the optimiser's for each.
 * @throws {RangeError} If a parameter is in two groups.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { optimizerGroups } from "./groups.ts";
 *
 * const group = { name: "all", keys: ["w"], learningRate: 1e-4, weightDecay: 0 };
 * assert(optimizerGroups([group])[0]!.matches("w", [2]));
 * assert.throws(() => optimizerGroups([group, { ...group, name: "again" }]), /"w"/);
 * ```
 */
export function optimizerGroups(groups: readonly TrainingGroup[]): ParameterGroup[] {
  const owners = new Map<string, string>();
  for (const { name, keys } of groups) {
    for (const key of keys) {
      const owner = owners.get(key);
      if (owner !== undefined) {
        throw new RangeError(
          `Cannot group parameters: each must be in one group, current value is "${key}" in ` +
            `"${owner}" and "${name}"`,
        );
      }
      owners.set(key, name);
    }
  }
  return groups.map(({ name, weightDecay }) => ({
    ...{ name, weightDecay, learningRate: 1 },
    matches: (parameter) => owners.get(parameter) === name,
  }));
}
