/** The place of one process among those that train together, and the `TF_CONFIG` that says so. */

/** Which process of how many, and where all of them are. */
export interface Place {
  /** This process's number, from 0. */
  readonly rank: number;
  /** Its number among those on its machine, from 0. */
  readonly localRank: number;
  /** Processes on its machine. */
  readonly localSize: number;
  /** `host:port` of every process, by rank. */
  readonly addresses: readonly string[];
}

/**
 * The value of `TF_CONFIG` for one process.
 *
 * @param place The process's place.
 * @returns JSON.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { tfConfig } from "./place.ts";
 * import { parseTfConfig } from "../engine/mod.ts";
 *
 * const text = tfConfig({ rank: 1, localRank: 1, localSize: 2, addresses: ["a:1", "a:2"] });
 * assert.equal(parseTfConfig(text)?.rank, 1);
 * ```
 */
export function tfConfig({ rank, addresses }: Place): string {
  return JSON.stringify({
    cluster: { worker: addresses },
    task: { type: "worker", index: rank },
  });
}

/**
 * Places on this machine, on ports of the loopback interface that nothing listens on.
 *
 * @param count Processes.
 * @returns One place each, in the order of the ranks.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { localPlaces } from "./place.ts";
 *
 * const [first, second] = localPlaces(2);
 * assert.deepEqual([first!.rank, second!.rank], [0, 1]);
 * assert.notEqual(first!.addresses[0], first!.addresses[1]);
 * ```
 */
export function localPlaces(count: number): Place[] {
  // All at once, so that no port is chosen twice; on all interfaces, as TensorFlow listens.
  const listeners = Array.from({ length: count }, () => Deno.listen({ port: 0 }));
  const addresses = listeners.map(({ addr }) => `127.0.0.1:${(addr as Deno.NetAddr).port}`);
  listeners.forEach((listener) => listener.close());
  return addresses.map((_, rank) => ({ rank, localRank: rank, localSize: count, addresses }));
}

/**
 * What a process must find in its environment: its place, its share of the processors, and its GPU.
 *
 * @param place Its place.
 * @param machine Processors and GPUs of its machine, as TensorFlow counts them.
 * @param inherited The environment that the process inherits.
 * @returns The variables to set.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { localPlaces, workerEnvironment } from "./place.ts";
 *
 * const [, second] = localPlaces(2);
 * const set = workerEnvironment(second!, { cpus: 8, gpus: ["0", "1"] }, {});
 * assert.deepEqual([set.OMP_NUM_THREADS, set.CUDA_VISIBLE_DEVICES], ["4", "1"]);
 * ```
 */
export function workerEnvironment(
  place: Place,
  machine: { readonly cpus: number; readonly gpus: readonly string[] },
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { localRank, localSize } = place;
  const set: Record<string, string> = { TF_CONFIG: tfConfig(place) };
  if (!inherited.OMP_NUM_THREADS) {
    set.OMP_NUM_THREADS = String(Math.max(1, Math.floor(machine.cpus / localSize)));
  }
  const { gpus } = machine;
  // NCCL joins GPUs, so each process needs one of its own.
  if (gpus.length > 1) set.CUDA_VISIBLE_DEVICES = gpus[localRank % gpus.length]!;
  return set;
}

/** The GPUs that this process may use, by CUDA's numbers or names. */
export function visibleGpus(): string[] {
  const chosen = Deno.env.get("CUDA_VISIBLE_DEVICES");
  if (chosen !== undefined) return chosen.split(",").map((text) => text.trim()).filter(Boolean);
  try {
    const devices = [...Deno.readDirSync("/dev")].flatMap(({ name }) =>
      /^nvidia(\d+)$/.exec(name)?.slice(1) ?? []
    );
    return devices.toSorted((a, b) => Number(a) - Number(b));
  } catch {
    return []; // not Linux
  }
}
