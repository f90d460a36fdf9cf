import { runInstall } from "./_install.ts";
import { searchTensorFlow, type TensorFlowLocation } from "./locate.ts";
import type { InstallProgress } from "./_progress.ts";

export type { InstallProgress } from "./_progress.ts";

/** Options of {@linkcode installTensorFlow}. */
export interface InstallOptions {
  /** The CUDA build with NVIDIA's libraries (5.3 GB) instead of the CPU build; default false. */
  readonly cuda?: boolean;
  /** Install again even if a whole installation is there; default false. */
  readonly force?: boolean;
  /** Called a few times a second. */
  readonly onProgress?: (progress: InstallProgress) => void;
  /** Stops the installation and removes what it had written. */
  readonly signal?: AbortSignal;
}

/**
 * Fetches TensorFlow's libraries into trocar's cache folder: pip downloads the pinned wheel, its
 * SHA-256 is checked, the libraries are unpacked beside and renamed into place. Two processes may
 * do this at once, and one that was killed leaves nothing that is taken for whole.
 *
 * @param options which build, and who is told about the progress
 * @returns where the libraries are; at once if a whole installation is there
 * @throws {InstallError} with a `code` and words that say what to do
 *
 * @example
 * ```ts
 * import { installTensorFlow } from "trocar/engine";
 * const stop = new AbortController();
 * const installation = installTensorFlow({
 *   signal: stop.signal,
 *   onProgress: ({ stage, done, total }) => console.log(stage, Math.round(100 * done / total), "%"),
 * });
 * stop.abort(); // so that this example downloads nothing
 * await installation.then(({ folder }) => console.log(folder), (error) => console.log(error.name));
 * ```
 */
export async function installTensorFlow(
  options: InstallOptions = {},
): Promise<TensorFlowLocation> {
  return await runInstall(options);
}

/**
 * Finds TensorFlow, and installs it if there is none: what the first command that needs the engine
 * calls.
 *
 * @param options which build, and who is told about the progress
 * @returns where the libraries are
 * @throws {InstallError} with a `code` and words that say what to do
 *
 * @example
 * ```ts
 * import { ensureTensorFlow, findTensorFlow } from "trocar/engine";
 * if (await findTensorFlow()) { // so that this example downloads nothing
 *   const { version, source } = await ensureTensorFlow();
 *   console.log(`TensorFlow ${version} from ${source}`);
 * }
 * ```
 */
export async function ensureTensorFlow(
  options: InstallOptions = {},
): Promise<TensorFlowLocation> {
  if (options.force !== true) {
    const { found } = await searchTensorFlow({ cuda: options.cuda ?? false });
    if (found !== undefined) return found;
  }
  return await installTensorFlow(options);
}
