import { proveOnce } from "./_prove_once.ts";
import { type InstallOptions, installTensorFlow } from "./install.ts";
import { type RejectedTensorFlow, searchTensorFlow, type TensorFlowLocation } from "./locate.ts";
import type { TensorFlowProof } from "./prove.ts";

/** Options of {@linkcode setUpTensorFlow}. */
export interface SetUpOptions extends InstallOptions {
  /** Change nothing: neither install nor write anything; default false. */
  readonly check?: boolean;
  /** Called with every TensorFlow that was looked at and passed over. */
  readonly onRejected?: (rejected: RejectedTensorFlow) => void;
  /** URL of the module with `startEngine`; default the engine's own. */
  readonly module?: string;
}

/** TensorFlow as it is after {@linkcode setUpTensorFlow}. */
export interface SetUpResult {
  /** Where it is. */
  readonly location: TensorFlowLocation;
  /** What it said of itself when it was started. */
  readonly proof: TensorFlowProof;
  /** Whether this call has installed it. */
  readonly installed: boolean;
}

/**
 * Finds or installs TensorFlow and proves that it loads: what `deno task setup` does. When nothing
 * has changed since the last time, neither a download nor a start of the engine is needed.
 *
 * @param options which build, whether anything may be changed, and who is told about the progress
 * @returns where it is and what it computes on; `undefined` if `check` is set and there is none
 * @throws {InstallError} with a `code` and words that say what to do
 *
 * @example
 * ```ts
 * import { setUpTensorFlow } from "trocar/engine";
 * const result = await setUpTensorFlow({ check: true });
 * console.log(result?.proof.devices ?? "deno task setup fetches it");
 * ```
 */
export async function setUpTensorFlow(
  options: SetUpOptions = {},
): Promise<SetUpResult | undefined> {
  const { check = false, force = false, cuda = false, onRejected, module } = options;
  let location: TensorFlowLocation | undefined;
  if (!force || check) {
    const { found, rejected } = await searchTensorFlow({ cuda });
    for (const one of rejected) onRejected?.(one);
    location = found;
  }
  if (location === undefined && check) return undefined;
  const installed = location === undefined;
  location ??= await installTensorFlow(options);
  const proof = await proveOnce(location, { module, afresh: installed, remember: !check });
  return { location, proof, installed };
}
