import { recallProof, rememberProof } from "./_device_memory.ts";
import { cacheFolder } from "./cache_folder.ts";
import type { TensorFlowLocation } from "./locate.ts";
import { proveTensorFlow, type TensorFlowProof } from "./prove.ts";

/** Options of {@linkcode proveOnce}. */
export interface ProveOnceOptions {
  /** URL of the module with `startEngine`; default the engine's own. */
  readonly module?: string | undefined;
  /** Prove again what was proved before; default false. */
  readonly afresh?: boolean;
  /** Remember the proof in the cache folder; default true. */
  readonly remember?: boolean;
}

/** Proves that libraries load on this machine, unless that was done and nothing has changed since. */
export async function proveOnce(
  location: TensorFlowLocation,
  { module, afresh = false, remember = true }: ProveOnceOptions = {},
): Promise<TensorFlowProof> {
  const cache = cacheFolder();
  const recalled = afresh ? undefined : await recallProof(location, cache);
  if (recalled !== undefined) return recalled;
  const proof = await proveTensorFlow(location, module === undefined ? {} : { module });
  if (remember) await rememberProof(location, cache, proof);
  return proof;
}
