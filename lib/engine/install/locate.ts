import { search } from "./_search.ts";

/** Where a TensorFlow came from. */
export type TensorFlowSource = "TROCAR_TENSORFLOW" | "cache" | "python" | "system";

/** TensorFlow's libraries on this machine. */
export interface TensorFlowLocation {
  /** E.g. `2.21.0`; `unknown` when nothing beside the libraries tells. */
  readonly version: string;
  /** The folder that holds the libraries. */
  readonly folder: string;
  /** Where it came from. */
  readonly source: TensorFlowSource;
  /** Absolute paths. */
  readonly libraries: { readonly framework: string; readonly cc: string };
  /** Whether it is a CUDA build. */
  readonly cuda: boolean;
}

/** A TensorFlow that was looked at and passed over. */
export interface RejectedTensorFlow {
  /** Where it came from. */
  readonly source: TensorFlowSource;
  /** The folder that was looked at. */
  readonly folder: string;
  /** Why it does not serve. */
  readonly reason: string;
}

/** What {@linkcode searchTensorFlow} returns. */
export interface TensorFlowSearch {
  /** Undefined when there is none. */
  readonly found: TensorFlowLocation | undefined;
  /** In the order in which they were looked at. */
  readonly rejected: readonly RejectedTensorFlow[];
}

/** Options of {@linkcode findTensorFlow}. */
export interface FindOptions {
  /** Accept only a CUDA build with NVIDIA's libraries; default false: any build. */
  readonly cuda?: boolean;
}

/**
 * Looks for TensorFlow's libraries, version 2.16 or later, without loading them: in the folder that
 * `TROCAR_TENSORFLOW` names, in trocar's cache folder, in the Python package `tensorflow` or
 * `tensorflow-cpu`, among the system's libraries.
 *
 * @param options which builds are accepted
 * @returns the first that serves, and those that were passed over before it
 * @throws {InstallError} `bad-setting` when `TROCAR_TENSORFLOW` is set but does not serve
 *
 * @example
 * ```ts
 * import { searchTensorFlow } from "trocar/engine";
 * const { found, rejected } = await searchTensorFlow();
 * console.log(found?.version ?? "none", rejected.length);
 * ```
 */
export async function searchTensorFlow(options: FindOptions = {}): Promise<TensorFlowSearch> {
  return await search({ cuda: options.cuda ?? false });
}

/**
 * Like {@linkcode searchTensorFlow}, for those who only want to know what was found.
 *
 * @param options which builds are accepted
 * @returns the libraries, or `undefined` when there are none
 * @throws {InstallError} `bad-setting` when `TROCAR_TENSORFLOW` is set but does not serve
 *
 * @example
 * ```ts
 * import { findTensorFlow } from "trocar/engine";
 * const location = await findTensorFlow();
 * console.log(location?.libraries.cc ?? "deno task setup fetches it");
 * ```
 */
export async function findTensorFlow(
  options: FindOptions = {},
): Promise<TensorFlowLocation | undefined> {
  return (await searchTensorFlow(options)).found;
}
