/** PyTorch and NumPy, which trocar is measured against where Python has them. */
import { fileURLToPath } from "node:url";
import { BenchProcess } from "./_process.ts";

/** A Python process with NumPy, and with PyTorch if it is installed. */
export interface Peer {
  readonly process: BenchProcess;
  /** Versions of the libraries. */
  readonly versions: { readonly NumPy: string; readonly PyTorch?: string };
}

const INSTALL = "python3 -m pip install numpy torch";

/**
 * Starts `python3` with the peer script beside this file.
 *
 * @param threads CPU threads of its libraries
 * @returns the peer, whose process the caller disposes of, if there is one; and what is missing, a
 * sentence that says how to get it
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
export async function startPeer(
  threads: number,
): Promise<{ readonly peer?: Peer; readonly missing?: string }> {
  const script = fileURLToPath(import.meta.resolve("./peer.py"));
  let process: BenchProcess;
  try {
    process = new BenchProcess({
      command: ["python3", "-u", script, String(threads)],
      name: "the peer (python3)",
      remedy: "Use --no-peer to measure without it.",
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { missing: missing("there is no python3", `Install Python 3, then run: ${INSTALL}`) };
  }
  try {
    const { numpy, torch } = await process.receive<
      { readonly numpy: string | null; readonly torch: string | null }
    >();
    if (numpy === null) {
      await process[Symbol.asyncDispose]();
      return { missing: missing("python3 has no module numpy", `Run: ${INSTALL}`) };
    }
    const versions = { NumPy: numpy, ...(torch === null ? {} : { PyTorch: torch }) };
    if (torch !== null) return { peer: { process, versions } };
    return {
      peer: { process, versions },
      missing: missing("python3 has no module torch", `Run: ${INSTALL}`),
    };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: missing(`python3 cannot start it: ${reason}`, `Run: ${INSTALL}`) };
  }
}

function missing(state: string, remedy: string): string {
  return `The peer is missing, so figures come without ratios: ${state}. ${remedy}`;
}
