import { extractAll } from "./_extract.ts";
import { costOf, groupsOf } from "./_groups.ts";
import { costsOf, TimeModel } from "./_time_model.ts";
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
  /** Features made and stored at once, fewer where a model is slow; default 32. */
  readonly batch?: number;
  /** Stops between batches. */
  readonly signal?: AbortSignal;
  /** Called with keys when they are on the disk. */
  readonly onStored?: (keys: readonly string[]) => void;
  /**
   * Called after each batch; the time left, in seconds, is measured on what was made so far. Null after
   * the first batch: it may have compiled a model.
   */
  readonly onProgress?: (done: number, total: number, secondsLeft: number | null) => void;
}

/** Features of a slow model are stored after so many seconds. */
const BATCH_SECONDS = 10;
const WHOLE: Share = { index: 0, count: 1 };

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
  plan: FeaturePlan,
  store: FeatureStore,
  share: Share = WHOLE,
): { planned: readonly PlanItem[]; missing: readonly PlanItem[]; bytes: number } {
  const { width, dtype } = plan.extractor;
  const planned = partOf(groupsOf(plan), share, costOf).flat();
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
 * @throws when the extractor cannot be made ready, such as a model whose weights were changed
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
  // A model that cannot be loaded fails the build, not each of its features.
  if (missing.length > 0) await plan.extractor.prepare?.();
  const failures = [...plan.failures];
  let built = 0, done = planned.length - missing.length;
  const groups = partOf(groupsOf(plan), share ?? WHOLE, costOf);
  const time = new TimeModel();
  const left = costsOf(missing);
  const wanted = new Set(missing);
  // A slow model's features are stored every few seconds, which is all that a killed process loses.
  const slow = plan.extractor.prepare !== undefined;
  const size = () => slow ? Math.min(batch, Math.max(1, BATCH_SECONDS / time.each)) : batch;
  for (const batched of batches(groups, size, share === undefined)) {
    signal?.throwIfAborted();
    const begun = batched.flat().filter((item) => wanted.has(item));
    if (begun.length === 0) continue;
    store.refresh(); // another process may have been faster
    const isMissing = ({ key }: { readonly key: string }) => !store.has(key);
    const todo = batched.filter((group) => group.some(isMissing)).flat();
    const start = performance.now();
    const features = (await extractAll(plan, todo, failures)).filter(isMissing);
    store.write(features, plan.extractor);
    built += features.length;
    done += begun.length;
    for (const [cost, count] of costsOf(begun)) left.set(cost, left.get(cost)! - count);
    onStored?.(features.map(({ key }) => key));
    time.add(todo, (performance.now() - start) / 1000);
    onProgress?.(done, planned.length, time.count < 2 ? null : time.seconds(left));
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

/** Groups of equal cost together; from anywhere in the list, so that two processes rarely meet. */
function* batches(
  groups: readonly (readonly PlanItem[])[],
  size: () => number,
  fromAnywhere: boolean,
): Generator<readonly (readonly PlanItem[])[]> {
  const start = fromAnywhere ? Math.floor(Math.random() * groups.length) : 0;
  let batch: (readonly PlanItem[])[] = [], items = 0;
  for (const group of [...groups.slice(start), ...groups.slice(0, start)]) {
    const last = batch.at(-1);
    // Behind a shorter group an extractor would divide the items otherwise.
    const fits = last === undefined || (items + group.length <= size() &&
      last[0]!.cost === group[0]!.cost && last.length >= group.length);
    if (!fits) {
      yield batch;
      [batch, items] = [[], 0];
    }
    batch.push(group);
    items += group.length;
  }
  if (batch.length > 0) yield batch;
}
