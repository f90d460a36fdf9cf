import { createHash } from "node:crypto";
import { breathe } from "../episodes/_breathe.ts";
import { rowBlocks } from "../formats/_row_blocks.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { describeStored } from "../inspect/_stored.ts";
import type { TensorStatistics } from "../inspect/inspection.ts";
import type { TensorSpec } from "../policies/layers/tensor_spec.ts";
import type { OpenCheckpoint } from "./open.ts";

/** What the values of a checkpoint's tensors show. */
export interface ValueFindings {
  /** Tensors with NaN or infinite values. */
  readonly nonFinite: readonly string[];
  /** Tensors of nothing but zeros that do not begin as zeros. */
  readonly allZero: readonly string[];
  /** Variances, of batches or of gradients, that are below zero: their root is NaN. */
  readonly negative: readonly string[];
  /** Tensors with the same bytes, constant ones left out. */
  readonly duplicated: readonly (readonly string[])[];
}

/** Keys of what is never below zero. */
const VARIANCE = /\.running_var$|^(max_)?exp_avg_sq\./;

/** How values are read. */
export interface ValueOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Reads all values of a checkpoint, its moments too, a few megabytes at a time. */
export async function readValues(
  checkpoint: OpenCheckpoint,
  specs: readonly TensorSpec[],
  { signal, onProgress }: ValueOptions,
): Promise<ValueFindings> {
  const moments = [...checkpoint.training() ?? []];
  const all = [...checkpoint.tensors, ...moments];
  const zeroAtFirst = new Set(
    specs.filter(({ initial }) => initial.distribution === "constant" && initial.value === 0)
      .map(({ key }) => key),
  );
  const nonFinite: string[] = [], allZero: string[] = [], negative: string[] = [];
  const alike = new Map<string, string[]>();
  for (const [done, [key, tensor]] of all.entries()) {
    if (done > 0) onProgress?.(done, all.length);
    const options = { stats: true, ...(signal === undefined ? {} : { signal }) };
    const { statistics } = await describeStored(key, tensor, options);
    await breathe(signal);
    if (!statistics) continue;
    if (statistics.nan + statistics.infinite > 0) nonFinite.push(key);
    if (VARIANCE.test(key) && Number(statistics.min) < 0) negative.push(key);
    if (!checkpoint.tensors.has(key)) continue; // moments may be anything finite
    if (isZero(statistics) && !zeroAtFirst.has(key)) allZero.push(key);
    if (statistics.min === statistics.max) continue;
    const figures = JSON.stringify([tensor.dtype, tensor.shape, statistics]);
    alike.set(figures, [...alike.get(figures) ?? [], key]);
  }
  const duplicated: string[][] = [];
  for (const keys of alike.values()) {
    if (keys.length > 1) duplicated.push(...await sameBytes(checkpoint.tensors, keys, signal));
  }
  return { nonFinite, allZero, negative, duplicated };
}

function isZero({ count, nan, infinite, min, max }: TensorStatistics): boolean {
  return count > 0 && nan + infinite === 0 && min === 0 && max === 0;
}

async function sameBytes(
  tensors: ReadonlyMap<string, StoredTensor>,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[][]> {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const digest = await digestOf(key, tensors.get(key)!, signal);
    groups.set(digest, [...groups.get(digest) ?? [], key]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

async function digestOf(
  key: string,
  tensor: StoredTensor,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash("sha256");
  for (const [start, end] of rowBlocks(key, tensor)) {
    const { buffer, byteOffset, byteLength } = tensor.readRows(start, end);
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    await breathe(signal);
  }
  return hash.digest("hex");
}
