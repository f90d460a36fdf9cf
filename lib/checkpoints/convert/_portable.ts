import type { StoredTensor, TensorInput } from "../../formats/tensor_types.ts";
import { policyShapes } from "../../policies/shapes.ts";
import type { PolicyConfig } from "../../policies/config.ts";
import { plural } from "../../episodes/_plural.ts";
import { canonicalTensors } from "../_canonical.ts";
import { advice } from "../_advice.ts";
import {
  configDifferences,
  isMembers,
  parseConfig,
  policyName,
  settingValues,
} from "../_config.ts";
import { describeMismatch, listNames } from "../_describe_mismatch.ts";
import { isTextList } from "../_document.ts";
import type { CheckpointContents } from "../document.ts";
import { inferPolicy, type InferredPolicy } from "../infer.ts";
import { isMatch, matchPolicy } from "../match.ts";
import type { OpenCheckpoint } from "../open.ts";

/** All of a checkpoint, whichever way it lies on the disk; tensors are read when they are written. */
export interface PortableCheckpoint extends Disposable {
  readonly contents: CheckpointContents;
  /** The policy's, in the order of `policyShapes`. */
  readonly tensors: ReadonlyMap<string, TensorInput>;
  /** Of other models that were saved with it, in the order of the file. */
  readonly others: ReadonlyMap<string, TensorInput>;
  /** State of the optimiser, `exp_avg.KEY` and so on, and averages, `ema.KEY`. */
  readonly training: ReadonlyMap<string, TensorInput>;
  /** What a reader should know, a sentence each. */
  readonly remarks: readonly string[];
}

/** How a checkpoint is read to be written in another way. */
export interface ReadOptions {
  /** Leave out the state of the optimiser. */
  readonly weightsOnly?: boolean | undefined;
  /** JSON file with the policy's configuration, or with a `config` in it, as `checkpoint.json` has. */
  readonly config?: string | undefined;
  /** Which checkpoint of a run. */
  readonly which?: "latest" | "best" | "final" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Named tensors of a file: those of its policy, and those of other models. */
export interface SplitTensors {
  readonly config: PolicyConfig;
  /** Settings of it that nobody named. */
  readonly assumed: readonly string[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly others: ReadonlyMap<string, StoredTensor>;
  readonly remarks: readonly string[];
}

/**
 * Puts a checkpoint's tensors in order.
 *
 * @param source of a layout that names tensors by keys
 * @param entries all of its tensors, of other models too
 * @throws {SyntaxError} when they are those of no policy
 * @throws {RangeError} when some of a policy's are missing or of another shape
 */
export function splitTensors(
  source: OpenCheckpoint,
  entries: Iterable<readonly [string, StoredTensor]>,
  options: ReadOptions,
): SplitTensors {
  const { path } = source;
  const { config, assumed, remarks } = settledConfig(source, options);
  const known = new Set(policyShapes(config).map(({ key }) => key));
  const others = new Map<string, StoredTensor>(), twice: string[] = [];
  for (const [key, tensor] of entries) {
    const { tensors, wrappers: [wrapper = ""] } = canonicalTensors(path, [[key, tensor]]);
    const [name] = [...tensors.keys(), key.slice(wrapper.length)];
    if (known.has(name!)) continue;
    if (others.has(name!)) twice.push(name!);
    others.set(name!, tensor);
  }
  const found = policyTensors(source, config);
  refuseStrays(path, config, others);
  if (twice.length > 0) refuseTwice(path, twice[0]!);
  if (others.size > 0) remarks.push(describeOthers(path, others));
  return { config, assumed, tensors: found, others, remarks };
}

function refuseTwice(path: string, name: string): never {
  throw new SyntaxError(
    `Cannot convert ${path}: its keys should name each tensor once, current value is ${name} twice, ` +
      "with and without a wrapper's prefix. Remove one of them, or save the checkpoint again.",
  );
}

/** Tensors of a policy's parts that the policy has not would be lost to whoever loads it. */
function refuseStrays(
  path: string,
  config: PolicyConfig,
  others: ReadonlyMap<string, StoredTensor>,
): void {
  const strays = [...others.keys()].filter((key) => /^(sensor_encoder|action_expert)\./.test(key));
  if (strays.length === 0) return;
  throw new RangeError(
    `Cannot convert ${path}: sensor_encoder and action_expert should hold what ${
      policyName(config)
    } has, current value is ${plural(strays.length, "tensor")} more: ${
      listNames(strays)
    }. If it is ` +
      "another policy, give its configuration with --config FILE; else remove these keys, in " +
      `Python: del state[${JSON.stringify(strays[0])}]`,
  );
}

/**
 * The configuration that a checkpoint has: what it records, else what its shapes show; a file that
 * `--config` names settles what was only assumed.
 *
 * @throws {RangeError} when the file contradicts what is recorded
 */
export function settledConfig(
  source: OpenCheckpoint,
  { config: file }: ReadOptions,
): Pick<SplitTensors, "config" | "assumed"> & { readonly remarks: string[] } {
  const { path, config: recorded, assumed } = source;
  if (file === undefined) {
    const known = recorded === null ? inferred(source) : { config: recorded, assumed };
    const remarks = known.assumed.length === 0 ? [] : [describeAssumed(path, known)];
    return { ...known, remarks };
  }
  const given = readConfig(file);
  if (recorded === null) return { ...given, remarks: [] };
  const differences = configDifferences(given.config, recorded, assumed);
  if (differences.length > 0) {
    throw new RangeError(
      `Cannot convert ${path} with ${file}: a configuration should not contradict the recorded one, ` +
        `current value differs in (given, recorded) ${
          differences.join("; ")
        }. Correct the file, or ` +
        "leave --config out.",
    );
  }
  const open = given.assumed.filter((name) => assumed.includes(name));
  return { config: given.config, assumed: open, remarks: [] };
}

/**
 * The tensors of a policy, in the order of `policyShapes`.
 *
 * @throws {RangeError} when some are missing or of another shape
 */
export function policyTensors(
  { path, tensors }: OpenCheckpoint,
  config: PolicyConfig,
): ReadonlyMap<string, StoredTensor> {
  const found = new Map(
    policyShapes(config).flatMap(({ key }) => {
      const tensor = tensors.get(key);
      return tensor === undefined ? [] : [[key, tensor] as const];
    }),
  );
  const report = matchPolicy(config, found);
  if (isMatch(report)) return found;
  throw new RangeError(
    `Cannot convert ${path}: its tensors should be those of its configuration, current value is ` +
      `${describeMismatch(report).join("; ")}. See: deno task check:checkpoint`,
  );
}

function inferred({ path, tensors, ignored }: OpenCheckpoint): InferredPolicy {
  const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
  const policy = inferPolicy(shapes);
  if (policy === null) {
    throw new SyntaxError(
      `Cannot convert ${path}: its tensors should be those of a policy, current value is ` +
        `${plural(shapes.size, "tensor")}: ${listNames([...shapes.keys()])}. ${
          advice({ tensors, ignored })
        }`,
    );
  }
  return policy;
}

function describeAssumed(path: string, { config, assumed }: InferredPolicy): string {
  return `${path}: nobody named ${settingValues(config, assumed).join(", ")}; keys and shapes do ` +
    "not show them, and these are assumed. If one of them is wrong, give the right configuration " +
    "with --config FILE.";
}

function readConfig(path: string): InferredPolicy {
  const refuse = (problem: string): never => {
    throw new SyntaxError(
      `Cannot read the configuration ${path}: it should be JSON as the \`config\` of a ` +
        `checkpoint.json, current value is ${problem}. Check what --config names.`,
    );
  };
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof SyntaxError) refuse(`no JSON (${error.message})`);
    if (error instanceof Deno.errors.NotFound) refuse("no file");
    if (
      !(error instanceof Deno.errors.IsADirectory || (error as Error).message.includes("EISDIR"))
    ) {
      throw error;
    }
    refuse("a folder");
  }
  if (!isMembers(value)) return refuse(JSON.stringify(value).slice(0, 60));
  const isDocument = isMembers(value.config);
  const config = parseConfig(path, isDocument ? value.config : value, "Correct the file.");
  const assumed = isDocument && isTextList(value.assumed) ? value.assumed : [];
  return { config, assumed };
}

/** End of the remark on tensors of other models. */
export const KEPT = "kept as they are.";

function describeOthers(path: string, others: ReadonlyMap<string, StoredTensor>): string {
  const bytes = [...others.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
  const names = [...new Set([...others.keys()].map((key) => key.split(".", 1)[0]!))];
  return `${path}: ${plural(others.size, "tensor")} of ${
    (bytes / 1e6).toFixed(1)
  } MB belong to no ` +
    `policy (${listNames(names)}); ${KEPT}`;
}
