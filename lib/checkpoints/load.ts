import type { tf } from "../engine/mod.ts";
import type { PolicyConfig } from "../policies/config.ts";
import { policyShapes } from "../policies/shapes.ts";
import { advice, likeness } from "./_advice.ts";
import { configDifferences, policyName, TRAINING_ONLY } from "./_config.ts";
import { describeMismatch } from "./_describe_mismatch.ts";
import { engineTensor } from "./_engine_tensor.ts";
import { shapesOf } from "./_shapes_of.ts";
import { inferPolicy } from "./infer.ts";
import { isMatch, matchPolicy, type MatchReport } from "./match.ts";
import { type OpenCheckpoint, openCheckpoint, type OpenCheckpointOptions } from "./open.ts";

/** How a policy is loaded. */
export interface LoadPolicyOptions extends OpenCheckpointOptions {
  /**
   * What the policy must be. A checkpoint that says otherwise is refused.
   * @default {the configuration of the checkpoint; of one that has none, what its shapes say}
   */
  readonly config?: PolicyConfig;
  /** Compare the digests of the files first. @default {true} */
  readonly verify?: boolean;
  /** Stops the loading. */
  readonly signal?: AbortSignal;
}

/** A loaded policy. */
export interface LoadedPolicy {
  /** What it is. */
  readonly config: PolicyConfig;
  /** Settings that neither the checkpoint nor the caller named; defaults stand for them. */
  readonly assumed: readonly string[];
  /** All tensors of `policyShapes` in the engine's layout, float32 and int32; the caller's. */
  readonly parameters: Record<string, tf.Tensor>;
  /** What was loaded: everything, or this would be an error. */
  readonly report: MatchReport;
  /** Completed epochs; null if unknown. */
  readonly epoch: number | null;
  /** Training program; null if unknown. */
  readonly program: string | null;
  /** The file or folder that was read, behind pointers. */
  readonly path: string;
}

/**
 * Loads a policy's parameters, all of them or none.
 *
 * Configuration, keys, shapes and dtypes are compared before a number is read: a missing, unexpected
 * or mis-shaped tensor is an error. Numbers of 16 bits are widened to float32 without loss. The engine
 * must have been started.
 *
 * @param path of a checkpoint of any layout that `openCheckpoint` knows
 * @param options what the policy must be
 * @returns configuration and parameters
 * @throws {RangeError} when the checkpoint is of another policy, with counts and the first keys
 * @throws {SyntaxError} when it is damaged, or is no checkpoint
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { initialise, policyShapes, preset, toCheckpointLayout } from "../policies/mod.ts";
 * import { loadPolicy, writeCheckpoint } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none" });
 * const first = initialise(config, { seed: 1 });
 * const tensors = Object.fromEntries(
 *   Object.entries(toCheckpointLayout(config, first)).map(([key, tensor]) => {
 *     const data = Float32Array.from(tensor.dataSync());
 *     return [key, { dtype: "float32" as const, shape: tensor.shape, data }];
 *   }),
 * );
 * const folder = `${Deno.makeTempDirSync()}/epoch-0001`;
 * await writeCheckpoint(folder, { contents: { config }, tensors });
 * const { parameters } = await loadPolicy(folder);
 * const key = policyShapes(config).at(-1)!.key;
 * assert.deepEqual(parameters[key]!.dataSync(), first[key]!.dataSync());
 * await assert.rejects(loadPolicy(folder, { config: preset("tiny") }), /fusion: concat, none/);
 * ```
 */
export async function loadPolicy(
  path: string,
  { config, verify = true, signal, ...options }: LoadPolicyOptions = {},
): Promise<LoadedPolicy> {
  using checkpoint = openCheckpoint(path, options);
  const { expected, assumed } = expectedPolicy(checkpoint, config);
  const report = matchPolicy(expected, checkpoint.tensors);
  if (!isMatch(report)) refuse(checkpoint, expected, report);
  if (verify) {
    await checkpoint.verify({ modelOnly: true, ...(signal === undefined ? {} : { signal }) });
  }
  const parameters = readParameters(checkpoint, expected);
  const { epoch, program } = checkpoint;
  return { config: expected, assumed, parameters, report, epoch, program, path: checkpoint.path };
}

/** What the checkpoint must be. */
function expectedPolicy(
  checkpoint: OpenCheckpoint,
  asked: PolicyConfig | undefined,
): { readonly expected: PolicyConfig; readonly assumed: readonly string[] } {
  const { path, config: recorded } = checkpoint;
  const open = checkpoint.assumed;
  if (asked !== undefined && recorded !== null) {
    const differences = configDifferences(asked, recorded, [...TRAINING_ONLY, ...open]);
    if (differences.length > 0) {
      throw new RangeError(
        `Cannot load ${path}: it should be ${policyName(asked)} as asked for, current value is ` +
          `${policyName(recorded)} with (asked, recorded) ${differences.slice(0, 5).join("; ")}. ` +
          "Ask for what was trained, or name another checkpoint.",
      );
    }
  }
  if (asked !== undefined) return { expected: asked, assumed: [] };
  if (recorded !== null) return { expected: recorded, assumed: open };
  const inferred = inferPolicy(shapesOf(checkpoint));
  if (inferred === null) {
    throw new RangeError(
      `Cannot load ${path}: its ${checkpoint.tensors.size} tensors should be those of a policy, ` +
        `current value is none that is known; 0 tensors were loaded. ${advice(checkpoint)}`,
    );
  }
  return { expected: inferred.config, assumed: inferred.assumed };
}

function refuse(checkpoint: OpenCheckpoint, expected: PolicyConfig, report: MatchReport): never {
  const like = likeness(expected, checkpoint, inferPolicy(shapesOf(checkpoint)));
  const count = report.loaded + report.missing.length + report.mismatched.length +
    report.wrongDtype.length;
  throw new RangeError(
    `Cannot load ${checkpoint.path} (layout ${checkpoint.layout}) as ${
      policyName(expected)
    }: all ` +
      `${count} tensors should fit and no other be there, current value is ${report.loaded} that ` +
      `fit and ${report.unexpected.length} unexpected.\n  ` +
      `${describeMismatch(report).join("\n  ")}\n` +
      `Nothing was loaded. ${like === undefined ? "" : `${like} `}` +
      advice(checkpoint, { like, report }),
  );
}

function readParameters(
  { tensors, path }: OpenCheckpoint,
  config: PolicyConfig,
): Record<string, tf.Tensor> {
  const parameters: Record<string, tf.Tensor> = {};
  try {
    for (const spec of policyShapes(config)) {
      parameters[spec.key] = engineTensor(path, spec, tensors.get(spec.key)!);
    }
  } catch (error) {
    for (const tensor of Object.values(parameters)) tensor.dispose();
    throw error;
  }
  return parameters;
}
