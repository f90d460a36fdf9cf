import type { Feature } from "../extractor.ts";
import { loadRequest } from "./_request.ts";
import type { FeatureFailure, FeaturePlan, PlanItem } from "./plan.ts";
import type { CacheReport } from "./report.ts";
import type { FeatureStore } from "./store.ts";

/** How thoroughly a cache is verified. */
export interface VerifyOptions {
  /** Features that are made again and compared; default 32. */
  readonly sample?: number;
  /** Chooses them; default 0. */
  readonly seed?: number;
  /** Stops between features. */
  readonly signal?: AbortSignal;
  /** Called now and then. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What verifying found. */
export interface VerifyReport extends CacheReport {
  /** Features that are not there. */
  readonly missing: number;
  /** Features that were made again and compared. */
  readonly compared: number;
}

/** What was stored and what is made must point in one direction, and differ by no more in any value. */
const LEAST_COSINE = 0.999;
/** Largest difference relative to the largest value: of bfloat16, and of models on other devices. */
const MOST_DIFFERENCE = 0.02;

/**
 * Reads every feature of a plan and checks it; makes some of them again and compares. What does not
 * hold goes into quarantine, so that the next build makes it again.
 *
 * @param plan which features
 * @param store where they are
 * @param options how many are made again
 * @returns what was found; all is well when `hit` equals `planned` and nothing failed
 * @throws {DOMException} `AbortError` when the signal fires
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { FeatureStore, pixel2048, planFeatures, verifyFeatures } from "../mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const plan = await planFeatures([], pixel2048(), folder);
 * using store = FeatureStore.open(folder);
 * const { missing, quarantined } = await verifyFeatures(plan, store);
 * assert.deepEqual([missing, quarantined], [0, 0]);
 * ```
 */
export async function verifyFeatures(
  plan: FeaturePlan,
  store: FeatureStore,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const { sample = 32, seed = 0, signal, onProgress } = options;
  const start = performance.now();
  const present = plan.items.filter(({ key }) => store.has(key));
  const failures: FeatureFailure[] = [...plan.failures];
  const chosen = choose(present, sample, seed);
  let hit = 0, bytes = 0, compared = 0;
  for (const [done, item] of present.entries()) {
    if (done % 64 === 0) {
      await new Promise((resume) => setTimeout(resume));
      signal?.throwIfAborted();
      onProgress?.(done, present.length);
    }
    const stored = store.read(item.key, plan.extractor);
    if (stored === undefined) continue;
    bytes += stored.values.byteLength;
    if (chosen.has(item)) {
      const made = await again(plan, item, failures);
      if (made === undefined) continue;
      compared++;
      const problem = difference(stored, made);
      if (problem !== undefined) {
        store.quarantine(item.key, problem);
        continue;
      }
    }
    hit++;
  }
  const damaged = store.quarantined;
  return {
    planned: plan.items.length + plan.failures.length,
    hit,
    built: 0,
    failed: failures.length,
    quarantined: plan.items.filter(({ key }) => damaged.has(key)).length,
    bytes,
    seconds: (performance.now() - start) / 1000,
    failures,
    missing: plan.items.filter(({ key }) => !store.has(key)).length,
    compared,
  };
}

/** Some items, the same for the same seed. */
function choose(items: readonly PlanItem[], count: number, seed: number): Set<PlanItem> {
  const rest = [...items], chosen = new Set<PlanItem>();
  let state = seed >>> 0;
  while (rest.length > 0 && chosen.size < count) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' generator
    chosen.add(rest.splice(Math.floor(state / 2 ** 32 * rest.length), 1)[0]!);
  }
  return chosen;
}

async function again(
  plan: FeaturePlan,
  item: PlanItem,
  failures: FeatureFailure[],
): Promise<Feature | undefined> {
  try {
    const [made] = await plan.extractor.extract([loadRequest(plan, item, new Map())]);
    return made;
  } catch (error) {
    const { episode, observations } = plan.episodes[item.episode]!;
    const { step } = observations[item.observation]!;
    failures.push({ episode: episode.path, step, message: (error as Error).message });
    return undefined;
  }
}

function difference(stored: Feature, made: Feature): string | undefined {
  const a = stored.values, b = made.values;
  if (a.length !== b.length) {
    return `made again it has ${b.length} values, current value is ${a.length}`;
  }
  let product = 0, squaresA = 0, squaresB = 0, most = 0, largest = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
    most = Math.max(most, Math.abs(a[i]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  const cosine = product / Math.sqrt(squaresA * squaresB);
  if (cosine >= LEAST_COSINE && most <= MOST_DIFFERENCE * largest) return undefined;
  return `made again it should have a cosine of at least ${LEAST_COSINE} and values within ` +
    `${MOST_DIFFERENCE} of the largest, current value is ${cosine} and ${most / largest}`;
}
