/** PyTorch, NumPy and pandas, which trocar is measured against where Python has them. */
import { fileURLToPath } from "node:url";
import { BenchProcess } from "./_process.ts";

const MODULES = {
  NumPy: "numpy",
  PyTorch: "torch",
  pandas: "pandas",
  transformers: "transformers",
} as const;

/** A Python library that trocar is measured against. */
export type PeerLibrary = keyof typeof MODULES;

/** A Python process with NumPy, and with the other libraries that are installed. */
export interface Peer {
  readonly process: BenchProcess;
  /** Versions of the libraries. */
  readonly versions: Readonly<Partial<Record<PeerLibrary, string>>>;
}

/** A peer, if there is one; and what is missing, a sentence that says how to get it. */
export interface FoundPeer {
  readonly peer?: Peer;
  readonly missing?: string;
}

/**
 * Starts `python3` with the script for PyTorch and NumPy beside this file.
 *
 * @param threads CPU threads of its libraries
 * @returns the peer, whose process the caller disposes of, if there is NumPy; and what is missing
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startPeer } from "./peer.ts";
 * const { peer, missing } = await startPeer(1);
 * assert(peer !== undefined || missing !== undefined);
 * await peer?.process[Symbol.asyncDispose]();
 * ```
 */
export async function startPeer(threads: number): Promise<FoundPeer> {
  return await startScript("./peer.py", threads, ["NumPy", "PyTorch"]);
}

/**
 * Starts `python3` with the script for files beside this file. It imports a library only when that is
 * used, so that the peak memory is that of what is measured.
 *
 * @param threads CPU threads of its libraries
 * @param needed libraries without which there is no peer
 * @returns the peer, whose process the caller disposes of, or what is missing
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startFilePeer } from "./peer.ts";
 * const { peer, missing } = await startFilePeer(1, ["NumPy", "pandas"]);
 * assert.equal(peer === undefined, missing !== undefined);
 * await peer?.process[Symbol.asyncDispose]();
 * ```
 */
export async function startFilePeer(
  threads: number,
  needed: readonly PeerLibrary[],
): Promise<FoundPeer> {
  return await startWhole("./peer_files.py", threads, needed);
}

/**
 * Starts `python3` with the script for Qwen2.5-VL beside this file.
 *
 * @param threads CPU threads of its libraries
 * @returns the peer, whose process the caller disposes of, or what is missing
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startVisionLanguagePeer } from "./peer.ts";
 * const { peer, missing } = await startVisionLanguagePeer(1);
 * assert.equal(peer === undefined, missing !== undefined);
 * await peer?.process[Symbol.asyncDispose]();
 * ```
 */
export async function startVisionLanguagePeer(threads: number): Promise<FoundPeer> {
  return await startWhole("./peer_vision_language.py", threads, [
    "NumPy",
    "PyTorch",
    "transformers",
  ]);
}

/** A peer with all of the libraries, or none. */
async function startWhole(
  script: string,
  threads: number,
  needed: readonly PeerLibrary[],
): Promise<FoundPeer> {
  const found = await startScript(script, threads, needed);
  const { peer, missing } = found;
  if (peer === undefined || missing === undefined) return found;
  await peer.process[Symbol.asyncDispose]();
  return { missing };
}

/** The first of the libraries is indispensable, the others may be missing. */
async function startScript(
  script: string,
  threads: number,
  libraries: readonly PeerLibrary[],
): Promise<FoundPeer> {
  const install = `python3 -m pip install ${libraries.map((name) => MODULES[name]).join(" ")}`;
  const missing = (state: string, remedy = "Run") =>
    `The peer is missing, so figures come without ratios: ${state}. ${remedy}: ${install}`;
  let process: BenchProcess;
  try {
    process = new BenchProcess({
      // -B: nothing is written beside the scripts
      command: ["python3", "-B", "-u", fileURLToPath(import.meta.resolve(script)), `${threads}`],
      name: "the peer (python3)",
      remedy: "Use --no-peer to measure without it.",
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { missing: missing("there is no python3", "Install Python 3, then run") };
  }
  try {
    const found = await process.receive<Readonly<Record<string, string | null>>>();
    const versions = Object.fromEntries(
      libraries.flatMap((name) => {
        const version = found[MODULES[name]];
        return typeof version === "string" ? [[name, version]] : [];
      }),
    );
    const absent = libraries.filter((name) => versions[name] === undefined)
      .map((name) => MODULES[name]);
    const complaint = absent.length === 0
      ? {}
      : { missing: missing(`python3 has no module ${absent[0]}`) };
    if (versions[libraries[0]!] !== undefined) return { peer: { process, versions }, ...complaint };
    await process[Symbol.asyncDispose]();
    return complaint;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: missing(`python3 cannot start it: ${reason}`) };
  }
}
