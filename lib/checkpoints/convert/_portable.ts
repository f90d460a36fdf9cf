import type { StoredTensor, TensorInput } from "../../formats/tensor_types.ts";
import { policyShapes } from "../../policies/shapes.ts";
import type { PolicyConfig } from "../../policies/config.ts";
import { plural } from "../../episodes/_plural.ts";
import { canonicalTensors } from "../_canonical.ts";
import { parseConfig } from "../_config.ts";
import { describeMismatch } from "../_describe_mismatch.ts";
import type { CheckpointContents } from "../document.ts";
import { inferPolicy } from "../infer.ts";
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
  /** JSON file with the policy's configuration, where the checkpoint has none. */
  readonly config?: string | undefined;
  /** Which checkpoint of a run. */
  readonly which?: "latest" | "best" | "final" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Named tensors of a file: those of its policy, and those of other models. */
export interface SplitTensors {
  readonly config: PolicyConfig;
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
  { config: file }: ReadOptions,
): SplitTensors {
  const { path } = source;
  const remarks: string[] = [];
  const config = file === undefined ? source.config ?? inferred(source, remarks) : readConfig(file);
  const known = new Set(policyShapes(config).map(({ key }) => key));
  const others = new Map<string, StoredTensor>();
  for (const [key, tensor] of entries) {
    const { tensors, wrappers: [wrapper = ""] } = canonicalTensors(path, [[key, tensor]]);
    const [name] = [...tensors.keys(), key.slice(wrapper.length)];
    if (!known.has(name!)) others.set(name!, tensor);
  }
  const found = policyTensors(source, config);
  if (others.size > 0) remarks.push(describeOthers(path, others));
  return { config, tensors: found, others, remarks };
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

function inferred({ path, tensors }: OpenCheckpoint, remarks: string[]): PolicyConfig {
  const shapes = new Map([...tensors].map(([key, { shape }]) => [key, shape]));
  const policy = inferPolicy(shapes);
  if (policy === null) {
    throw new SyntaxError(
      `Cannot convert ${path}: its tensors should be those of a policy, current value is ` +
        `${plural(shapes.size, "tensor")} (${[...shapes.keys()].slice(0, 5).join(", ")}, …). See ` +
        "what is in it with: deno task inspect",
    );
  }
  const { config, assumed } = policy;
  const values = assumed.map((name) => `${name} ${valueAt(config, name)}`);
  remarks.push(
    `${path} has no configuration: it was taken from its keys and shapes, which do not show ` +
      `${
        values.join(", ")
      }. If one of them is wrong, give the right configuration with --config FILE.`,
  );
  return config;
}

function valueAt(config: PolicyConfig, name: string): unknown {
  return name.split(".").reduce<unknown>(
    (value, member) => (value as Record<string, unknown> | null)?.[member],
    config,
  );
}

function readConfig(path: string): PolicyConfig {
  let value: { config?: unknown };
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read ${path}: ${error.message}. It should be JSON.`);
  }
  return parseConfig(path, value?.config ?? value);
}

function describeOthers(path: string, others: ReadonlyMap<string, StoredTensor>): string {
  const bytes = [...others.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
  const names = [...new Set([...others.keys()].map((key) => key.split(".", 1)[0]))];
  return `${path}: ${plural(others.size, "tensor")} of ${
    (bytes / 1e6).toFixed(1)
  } MB belong to no ` +
    `policy (${names.slice(0, 5).join(", ")}); kept as they are.`;
}
