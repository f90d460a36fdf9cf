import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { TensorFlowLocation } from "./locate.ts";
import type { TensorFlowProof } from "./prove.ts";

/** Machines and libraries that are remembered in one cache folder (it may be shared). */
const KEPT = 32;

type Remembered = Record<string, TensorFlowProof>;

/**
 * What was proved of these libraries on this machine, if nothing has changed since: starting
 * TensorFlow takes 0.3 to 2 s, more with a GPU, and a second set-up shall take none.
 */
export async function recallProof(
  location: TensorFlowLocation,
  cache: string,
): Promise<TensorFlowProof | undefined> {
  const key = await keyOf(location);
  const proof = (await read(cache))[key];
  const known = typeof proof?.version === "string" && Array.isArray(proof.devices);
  return known ? proof : undefined;
}

/** Remembers a proof; a cache folder that cannot be written only costs time. */
export async function rememberProof(
  location: TensorFlowLocation,
  cache: string,
  proof: TensorFlowProof,
): Promise<void> {
  const folder = join(cache, "tensorflow");
  const draft = join(folder, `proofs.json.${crypto.randomUUID()}`);
  try {
    const others = Object.entries(await read(cache)).slice(-KEPT + 1);
    const all = { ...Object.fromEntries(others), [await keyOf(location)]: proof };
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(draft, JSON.stringify(all, null, 2) + "\n");
    await Deno.rename(draft, join(folder, "proofs.json"));
  } catch {
    await Deno.remove(draft).catch(() => {});
  }
}

async function read(cache: string): Promise<Remembered> {
  try {
    const text = await Deno.readTextFile(join(cache, "tensorflow", "proofs.json"));
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed as Remembered : {};
  } catch {
    return {};
  }
}

/** The libraries, the machine, its GPUs: what a list of devices depends on. */
async function keyOf({ libraries }: TensorFlowLocation): Promise<string> {
  const parts: unknown[] = [hostname(), Deno.env.get("CUDA_VISIBLE_DEVICES") ?? ""];
  for (const path of [libraries.framework, libraries.cc]) {
    const { size, mtime } = await Deno.stat(path);
    parts.push(path, size, mtime?.getTime());
  }
  parts.push(nvidiaDevices());
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** Names of NVIDIA's device files, e.g. `nvidia0`; empty without a driver. */
export function nvidiaDevices(): string[] {
  try {
    return [...Deno.readDirSync("/dev")].map((entry) => entry.name)
      .filter((name) => /^nvidia\d+$/.test(name)).sort();
  } catch {
    return [];
  }
}
