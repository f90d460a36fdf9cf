/** Which process of which cluster this is, from the environment variable that TensorFlow defines. */

/** One process of a cluster. */
export interface ClusterMember {
  /** Processes of the cluster. */
  readonly size: number;
  /** This process's number, 0 to size − 1: the chief first, then the workers in their order. */
  readonly rank: number;
  /** `host:port` of every process, by rank. */
  readonly addresses: readonly string[];
  /** What TensorFlow calls each process, by rank. */
  readonly tasks: readonly { readonly type: "chief" | "worker"; readonly index: number }[];
}

/**
 * The place of this process in its cluster, read from `TF_CONFIG`; nothing is connected.
 *
 * @returns The place; null where `TF_CONFIG` is absent, empty, or names no cluster.
 * @throws {SyntaxError} If `TF_CONFIG` is not what {@link parseTfConfig} takes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { clusterFromEnvironment } from "trocar/engine";
 *
 * Deno.env.delete("TF_CONFIG");
 * assert.equal(clusterFromEnvironment(), null);
 * ```
 */
export function clusterFromEnvironment(): ClusterMember | null {
  return parseTfConfig(Deno.env.get("TF_CONFIG"));
}

/**
 * Reads the text of a `TF_CONFIG`: the addresses of all processes, and which of them this is.
 *
 * Format: https://www.tensorflow.org/guide/distributed_training#setting_up_the_tf_config_environment_variable
 *
 * @param text JSON such as `{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}`.
 * @returns The place; null where the text is absent or empty, or names no cluster.
 * @throws {SyntaxError} Naming what is wrong, where, and what is expected there.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTfConfig } from "trocar/engine";
 *
 * const cluster = { chief: ["a:1"], worker: ["b:1", "c:1"] };
 * const member = parseTfConfig(JSON.stringify({ cluster, task: { type: "worker", index: 1 } }));
 * assert.equal(member?.rank, 2);
 * assert.equal(member.addresses[member.rank], "c:1");
 * ```
 */
export function parseTfConfig(text: string | undefined): ClusterMember | null {
  if (text === undefined || text.trim() === "") return null;
  const { cluster, task } = record(parseJson(text), "the whole");
  if (cluster === undefined || Object.keys(record(cluster, "cluster")).length === 0) return null;
  const { chief, worker, ...others } = record(cluster, "cluster");
  for (const job of Object.keys(others)) {
    fail(`cluster.${job}`, "absent: only chief and worker train together here", others[job]);
  }
  const chiefs = addressesOf(chief ?? [], "cluster.chief");
  if (chiefs.length > 1) fail("cluster.chief", "one address", chief);
  const workers = addressesOf(worker ?? [], "cluster.worker");
  const addresses = [...chiefs, ...workers];
  if (addresses.length === 0) fail("cluster", "at least one address under worker", cluster);
  addresses.forEach((address, i) => {
    if (addresses.indexOf(address) < i) fail("cluster", "a different address for each", address);
  });
  return {
    size: addresses.length,
    rank: rankOf(task, chiefs.length, workers.length),
    addresses,
    tasks: [
      ...chiefs.map((_, index) => ({ type: "chief" as const, index })),
      ...workers.map((_, index) => ({ type: "worker" as const, index })),
    ],
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail("the whole", `JSON (${(error as Error).message})`, text);
  }
}

function record(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return fail(where, "an object", value);
}

function addressesOf(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) fail(where, 'a list of addresses, such as ["host:2222"]', value);
  return (value as unknown[]).map((address, i) => {
    const [, port] = typeof address === "string" && /^[^\s/:]+:(\d{1,5})$/.exec(address) ||
      typeof address === "string" && /^\[[\da-fA-F:.%]+\]:(\d{1,5})$/.exec(address) || [];
    if (port !== undefined && Number(port) > 0 && Number(port) < 65536) return address as string;
    return fail(`${where}[${i}]`, '"host:port" with a port from 1 to 65535', address);
  });
}

function rankOf(value: unknown, chiefs: number, workers: number): number {
  if (value === undefined) fail("task", 'there, such as {"type": "worker", "index": 0}', value);
  const { type, index } = record(value, "task");
  if (type !== "chief" && type !== "worker") fail("task.type", '"worker" or "chief"', type);
  const count = type === "chief" ? chiefs : workers;
  if (count === 0) fail("task.type", `a job of the cluster, which has no ${type}`, type);
  if (!(Number.isSafeInteger(index) && (index as number) >= 0 && (index as number) < count)) {
    fail("task.index", `an integer from 0 to ${count - 1}, as cluster.${type} has ${count}`, index);
  }
  return (type === "chief" ? 0 : chiefs) + (index as number);
}

function fail(where: string, expected: string, found: unknown): never {
  const shown = typeof found === "string" ? found : JSON.stringify(found) ?? "nothing";
  throw new SyntaxError(
    `Cannot read TF_CONFIG: ${where} should be ${expected}, current value is ${
      shown.slice(0, 200)
    }`,
  );
}
