/** Runs `deno task bench` as a child process. */
import { fileURLToPath } from "node:url";
import { findTensorFlow } from "../../lib/engine/install/mod.ts";
import { startPeer } from "../../lib/benchmarks/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const SCRIPT = fileURLToPath(import.meta.resolve("../../scripts/bench.ts"));

/** Why PyTorch cannot be compared with here; undefined if it can. */
export const missingPeer: string | undefined = await findMissingPeer();

/** The engine that tests measure: nothing is downloaded for them. */
export const engineName: "tensorflow" | "wasm" = await findTensorFlow() ? "tensorflow" : "wasm";

async function findMissingPeer(): Promise<string | undefined> {
  const { peer, missing } = await startPeer(1);
  await peer?.process[Symbol.asyncDispose]();
  return missing;
}

/** Runs it with these arguments, and with other environment variables if given. */
export async function runBench(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", SCRIPT, ...args],
    // PyTorch's compiler leaves its files.
    env: { NO_COLOR: "1", TORCHINDUCTOR_CACHE_DIR: temporaryFolder(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Declares a test that needs PyTorch; without it the test is ignored and its name says why. */
export function peerTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: missingPeer === undefined ? name : `${name} (${missingPeer})`,
    ignore: missingPeer !== undefined,
    fn,
  });
}

/** Declares a test that needs PyTorch and the native engine. */
export function nativePeerTest(name: string, fn: () => Promise<void>): void {
  if (engineName === "tensorflow") peerTest(name, fn);
  else Deno.test({ name: `${name} (TensorFlow is missing: deno task setup)`, ignore: true, fn });
}
