/** Which part of the work is this process's. */
export interface Share {
  /** 0 to count − 1. */
  readonly index: number;
  /** Processes. */
  readonly count: number;
}

/**
 * Reads a share from text.
 *
 * @param text `i/n`: part i of n, i from 0
 * @returns the share
 * @throws {RangeError} when it is not of this form, or i is not below n
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseShare } from "./rank.ts";
 *
 * assert.deepEqual(parseShare("1/4"), { index: 1, count: 4 });
 * assert.throws(() => parseShare("4/4"), RangeError);
 * ```
 */
export function parseShare(text: string): Share {
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (index !== undefined && Number(index) < Number(count)) {
    return { index: Number(index), count: Number(count) };
  }
  throw new RangeError(
    `Cannot share the work: a share should be i/n with i from 0 to n - 1, such as 0/4, ` +
      `current value is "${text}".`,
  );
}

/**
 * The share that TensorFlow's environment variable gives to this process: its place among the chief
 * and the workers of the cluster.
 *
 * Format: `TF_CONFIG` of TensorFlow's distributed training.
 *
 * @param text value of `TF_CONFIG`; undefined or empty where there is no cluster
 * @returns the share; undefined where there is no cluster
 * @throws {RangeError} when it is no such value, or names no worker of its cluster
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { shareOfTfConfig } from "./rank.ts";
 *
 * const cluster = { chief: ["a:1"], worker: ["b:1", "c:1"] };
 * const text = JSON.stringify({ cluster, task: { type: "worker", index: 1 } });
 * assert.deepEqual(shareOfTfConfig(text), { index: 2, count: 3 });
 * ```
 */
export function shareOfTfConfig(text: string | undefined): Share | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  let config: {
    cluster?: { chief?: unknown; worker?: unknown };
    task?: { type?: unknown; index?: unknown };
  };
  try {
    config = JSON.parse(text) ?? {};
  } catch {
    fail(text);
  }
  const { cluster = {}, task = {} } = config;
  if (cluster.chief === undefined && cluster.worker === undefined) return undefined;
  const sizes = [cluster.chief ?? [], cluster.worker ?? []].map((list) =>
    Array.isArray(list) ? list.length : fail(text)
  );
  const role = ["chief", "worker"].indexOf(String(task.type));
  const { index } = task;
  if (role < 0 || !Number.isSafeInteger(index) || !((index as number) < sizes[role]!)) fail(text);
  if ((index as number) < 0) fail(text);
  return {
    index: (role === 1 ? sizes[0]! : 0) + (index as number),
    count: sizes[0]! + sizes[1]!,
  };
}

function fail(text: string): never {
  throw new RangeError(
    "Cannot share the work: TF_CONFIG should hold {cluster: {worker: [...]}, task: {type, index}} " +
      `with a chief or worker of the cluster, current value is ${text.slice(0, 200)}.`,
  );
}

/**
 * The part of a list that is a share's: consecutive, because neighbours have images in common, and
 * about equal in weight. The parts of all shares together are the list.
 *
 * @param items the whole list, the same in every process
 * @param share which part
 * @param weight of an item, not negative
 * @returns the part
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { partOf } from "./rank.ts";
 *
 * const parts = [0, 1].map((index) => partOf([5, 1, 1, 3], { index, count: 2 }, (item) => item));
 * assert.deepEqual(parts, [[5], [1, 1, 3]]);
 * ```
 */
export function partOf<T>(
  items: readonly T[],
  { index, count }: Share,
  weight: (item: T) => number,
): T[] {
  const total = items.reduce((sum, item) => sum + weight(item), 0);
  let before = 0;
  return items.filter((item) => {
    const middle = before + weight(item) / 2;
    before += weight(item);
    return Math.min(count - 1, Math.floor(middle / total * count)) === index;
  });
}
