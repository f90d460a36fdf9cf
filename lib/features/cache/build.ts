import { extractAll } from "./_extract.ts";
import { writePlanIndex } from "./_plan_index.ts";
import { assertRoom } from "./_room.ts";
import { recordBytes } from "./_record.ts";
import type { FeaturePlan, PlanItem } from "./plan.ts";
import { partOf, type Share } from "./rank.ts";
import type { CacheReport } from "./report.ts";
import type { FeatureStore } from "./store.ts";

/** How features are built. */
export interface BuildOptions {
  /** This process's part of the plan; default all of it. */
  readonly share?: Share;
  /** Features made and stored at once; default 32. */
  readonly batch?: number;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
  /** Called with keys when they are on the disk. */
  readonly onStored?: (keys: readonly string[]) => void;
  /** Called after each batch; the time left is measured on what was made so far. */
  readonly onProgress?: (done: number, total: number, secondsLeft: number) => void;
}

/**
 * The part of a plan that is not in a store yet, and the bytes it will take.
 *
 * @param plan which features
 * @param store where they may be
 * @param share part of the plan; default all of it
 * @returns features of the share, those missing, and the bytes these will take
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { FeatureStore, missingFeatures, pixel2048, planFeatures } from "../mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const plan = await planFeatures([], pixel2048(), folder);
 * using store = FeatureStore.open(folder);
 * assert.deepEqual(missingFeatures(plan, store), { planned: [], missing: [], bytes: 0 });
 * ```
 */
export function missingFeatures(
  { items, extractor: { width, dtype } }: FeaturePlan,
  store: FeatureStore,
  share: Share = { index: 0, count: 1 },
): { planned: readonly PlanItem[]; missing: readonly PlanItem[]; bytes: number } {
  const planned = partOf(items, share, ({ tokens }) => tokens);
  const missing = planned.filter(({ key }) => !store.has(key));
  const bytes = missing.reduce((sum, { tokens }) => sum + recordBytes(tokens, width, dtype), 0);
  return { planned, missing, bytes };
}

/**
 * Makes the features of a plan that are not there yet. Several processes may build one plan at once,
 * with shares of it or without. Killed at any moment it leaves whole features only, and the next
 * build goes on from there.
 *
 * @param plan which features
 * @param store where they go, open for writing
 * @param options share, batch size, progress
 * @returns what was done; what failed is in `failures`, the others were built all the same
 * @throws {RangeError} before anything is made, when the cache would grow beyond its limit
 * @throws {DOMException} `AbortError` when the signal fires; what was built stays
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { buildFeatures, FeatureStore, pixel2048, planFeatures } from "../mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * using store = await FeatureStore.openForWriting(folder);
 * const plan = await planFeatures([], pixel2048(), folder);
 * assert.equal((await buildFeatures(plan, store)).built, 0);
 * ```
 */
export async function buildFeatures(
  plan: FeaturePlan,
  store: FeatureStore,
  options: BuildOptions = {},
): Promise<CacheReport> {
  const { share, batch = 32, signal, onStored, onProgress } = options;
  const start = performance.now(), before = store.counts.written;
  const { planned, missing, bytes } = missingFeatures(plan, store, share);
  const damaged = store.quarantined;
  assertRoom(plan.folder, store, bytes);
  // Before anything is built, so that garbage collection knows that it is needed.
  for (const episode of plan.episodes) writePlanIndex(plan, episode);
  const failures = [...plan.failures];
  let built = 0, done = planned.length - missing.length;
  const work = tokensOf(missing), begin = performance.now();
  let worked = 0;
  for (const items of batches(missing, batch, share === undefined)) {
    signal?.throwIfAborted();
    store.refresh(); // another process may have been faster
    const todo = items.filter(({ key }) => !store.has(key));
    const features = await extractAll(plan, todo, failures);
    store.write(features, plan.extractor);
    built += features.length;
    done += items.length;
    onStored?.(features.map(({ key }) => key));
    worked += tokensOf(items);
    const seconds = (performance.now() - begin) / 1000;
    onProgress?.(done, planned.length, seconds / worked * (work - worked));
  }
  const failed = failures.length;
  return {
    planned: planned.length + plan.failures.length,
    hit: planned.length - built - (failed - plan.failures.length),
    built,
    failed,
    quarantined: planned.filter(({ key }) => damaged.has(key)).length,
    bytes: store.counts.written - before,
    seconds: (performance.now() - start) / 1000,
    failures,
  };
}

/** Tokens of some items, which their time goes by. */
function tokensOf(items: readonly PlanItem[]): number {
  return items.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** Features of equal length together; from anywhere in the list, so that two processes rarely meet. */
function* batches(
  items: readonly PlanItem[],
  size: number,
  fromAnywhere: boolean,
): Generator<readonly PlanItem[]> {
  const start = fromAnywhere ? Math.floor(Math.random() * items.length) : 0;
  const order = [...items.slice(start), ...items.slice(0, start)];
  const groups = Map.groupBy(order, ({ tokens }) => tokens);
  for (const group of groups.values()) {
    for (let i = 0; i < group.length; i += size) yield group.slice(i, i + size);
  }
}
