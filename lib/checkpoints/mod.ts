/**
 * Checkpoints that can be trusted: written as a whole or not at all, compared with a policy before
 * anything is loaded, readable in every layout of the Python reference's programs.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { policyShapes, preset } from "../policies/mod.ts";
 * import { checkCheckpoint, writeCheckpoint, writePointer } from "./mod.ts";
 *
 * const config = preset("tiny", { fusion: "none" });
 * const tensors = new Map(policyShapes(config).map(({ key, shape }) => {
 *   const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.1);
 *   return [key, { dtype: "float32" as const, shape, data }];
 * }));
 * const run = Deno.makeTempDirSync();
 * await writeCheckpoint(`${run}/epoch-0001`, { contents: { config, epoch: 1 }, tensors });
 * writePointer(run, "latest", `${run}/epoch-0001`);
 * assert((await checkCheckpoint(run, { against: "regression:none", stats: true })).ok);
 * ```
 *
 * @module
 */
export type { ValueFindings } from "./_values.ts";
export { parsePolicyChoice, type PolicyChoice } from "./against.ts";
export { checkCheckpoint, type CheckCheckpointOptions, type CheckpointCheck } from "./check.ts";
export * from "./document.ts";
export { formatCheck } from "./format_check.ts";
export { inferPolicy, type InferredPolicy } from "./infer.ts";
export * from "./load.ts";
export {
  isMatch,
  matchPolicy,
  type MatchReport,
  type MismatchedDtype,
  type MismatchedShape,
  type TensorDescription,
} from "./match.ts";
export * from "./names.ts";
export * from "./open.ts";
export {
  POINTER_NAMES,
  type PointerName,
  pointerPath,
  readPointer,
  writePointer,
} from "./pointer.ts";
export { predictingTensors } from "./_visual.ts";
export * from "./write.ts";
export { type OptimizerGroup, type OptimizerRecord } from "./convert/optimizer.ts";
