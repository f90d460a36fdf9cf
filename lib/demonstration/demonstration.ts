import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { cacheFolder } from "../engine/install/cache_folder.ts";
import { openEpisode } from "../episodes/mod.ts";
import {
  buildFeatures,
  defaultFeatureCache,
  type FeaturePlan,
  FeatureStore,
  missingFeatures,
  pixel2048,
  planFeatures,
} from "../features/mod.ts";
import { PHANTOM_TASKS, type PhantomTask } from "../phantom/mod.ts";
import { lockFolder } from "./_folder_lock.ts";
import {
  clearWorkshop,
  type EpisodeOrder,
  episodePath,
  isMade,
  recordingPath,
} from "./_make_episode.ts";
import { makeEpisodes } from "./_make_episodes.ts";

/**
 * Version of what is made: to be raised whenever simulator, recorder or preprocessing make something
 * else of the same parameters. Older versions' folders are left alone.
 */
const VERSION = 1;
/** Validation seeds are so far from training seeds. */
const VALIDATION_SEEDS = 4000;
/** More threads than this wait for the disk. */
const MOST_THREADS = 4;

/** What the demonstration is made of. */
export interface DemonstrationOptions {
  /** Where it is kept; default `demonstration` in trocar's cache folder. */
  readonly folder?: string;
  /** Feature cache; default `features` in trocar's cache folder. */
  readonly features?: string;
  /** Episodes to train on; default 36. */
  readonly trainEpisodes?: number;
  /** Episodes to validate on; default 6. */
  readonly valEpisodes?: number;
  /**
   * Seed of the first training episode, the next has the next; those to validate on begin 4000 later.
   * Default 1000.
   */
  readonly seed?: number;
  /** Tasks, which the episodes have in turn; default `Blue_point` only. */
  readonly tasks?: readonly PhantomTask[];
  /** Factor by which pictures are smaller than 640 × 360, 1 or 5; default 5. */
  readonly raster?: 1 | 5;
  /** JPEG quality; default 90. */
  readonly quality?: number;
  /** Threads that make recordings; default one for each processor, at most 4. */
  readonly threads?: number;
  /** Stops the work; what is done stays, and the next call goes on from there. */
  readonly signal?: AbortSignal;
  /** Told what is done and how long it took, line by line. */
  readonly note?: (line: string) => void;
  /** Told how far it is. */
  readonly onProgress?: (line: string) => void;
}

/** An episode of the demonstration. */
export interface DemonstrationEpisode {
  /** Seed it follows from. */
  readonly seed: number;
  /** Task. */
  readonly task: PhantomTask;
  /** What is left of the recording: pictures, and the simulator's truth. */
  readonly recording: string;
  /** Folder of the episode, for `openEpisode`. */
  readonly path: string;
}

/** What was made, or found. */
export interface Demonstration {
  /** Folder below which all episodes stand, each with the pictures of its recording. */
  readonly folder: string;
  /** Folder of the feature cache. */
  readonly features: string;
  /** Episodes to train on. */
  readonly train: readonly DemonstrationEpisode[];
  /** Episodes to validate on. */
  readonly val: readonly DemonstrationEpisode[];
  /** Episodes that were made now. */
  readonly madeEpisodes: number;
  /** Features that were made now. */
  readonly madeFeatures: number;
  /** Wall time. */
  readonly seconds: number;
}

/**
 * Sees to it that the demonstration is there: simulated recordings of needle insertions in the layout
 * of the field's recorders, an episode of each, and the features pixel-2048 of their pictures. What
 * is missing is made; what is there stays, also that of a call that was interrupted or killed, and
 * calls with other numbers of episodes share theirs. Several processes may call it at once.
 *
 * An episode takes 24 MB. The log and the sensor's rows are removed from a recording once its
 * episode, which holds them, is whole.
 *
 * @param options where, how many, how coarse
 * @returns where everything is
 * @throws {RangeError} if an option is out of range
 * @throws {DOMException} `AbortError` when the signal fires
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ensureDemonstration } from "./mod.ts";
 *
 * const root = Deno.makeTempDirSync();
 * const options = { folder: `${root}/data`, features: `${root}/features`, valEpisodes: 0 };
 * const { train, madeEpisodes } = await ensureDemonstration({ ...options, trainEpisodes: 1 });
 * assert.equal(madeEpisodes, 1);
 * assert(Deno.statSync(`${train[0]!.path}/sensor.npy`).isFile);
 * assert.equal((await ensureDemonstration({ ...options, trainEpisodes: 1 })).madeEpisodes, 0);
 * Deno.removeSync(root, { recursive: true });
 * ```
 */
export async function ensureDemonstration(
  options: DemonstrationOptions = {},
): Promise<Demonstration> {
  const start = performance.now();
  const { trainEpisodes = 36, valEpisodes = 6, seed = 1000, raster = 5, quality = 90 } = options;
  const tasks = options.tasks ?? ["Blue_point"];
  const threads = options.threads ?? Math.min(MOST_THREADS, availableParallelism());
  assertOptions({ trainEpisodes, valEpisodes, seed, quality, threads }, tasks, raster);
  const root = resolve(options.folder ?? join(cacheFolder(), "demonstration"));
  const features = resolve(options.features ?? defaultFeatureCache());
  const folder = join(root, `version-${VERSION}-raster-${raster}-quality-${quality}`);
  const ordersFrom = (first: number, count: number) =>
    Array.from({ length: count }, (_, i): EpisodeOrder => {
      return { folder, seed: first + i, task: tasks[i % tasks.length]!, raster, quality };
    });
  const train = ordersFrom(seed, trainEpisodes);
  const val = ordersFrom(seed + VALIDATION_SEEDS, valEpisodes);
  const orders = [...train, ...val];
  let madeEpisodes = await ensureEpisodes(folder, orders, () => false, threads, options);
  let plan = await planOf(orders, features, options);
  if (plan.failures.length > 0) { // pictures are gone, or cannot be read
    const broken = new Set(plan.failures.map(({ episode }) => episode));
    const isBroken = (order: EpisodeOrder) => broken.has(episodePath(order));
    madeEpisodes += await ensureEpisodes(folder, orders, isBroken, threads, options);
    plan = await planOf(orders, features, options);
  }
  const madeFeatures = await ensureFeatures(plan, features, options);
  const describe = (order: EpisodeOrder): DemonstrationEpisode => ({
    seed: order.seed,
    task: order.task,
    recording: recordingPath(order),
    path: episodePath(order),
  });
  return {
    folder,
    features,
    train: train.map(describe),
    val: val.map(describe),
    madeEpisodes,
    madeFeatures,
    seconds: (performance.now() - start) / 1000,
  };
}

/** Makes the episodes that are missing or broken; returns their number. */
async function ensureEpisodes(
  folder: string,
  orders: readonly EpisodeOrder[],
  isBroken: (order: EpisodeOrder) => boolean,
  threads: number,
  { note, onProgress, signal }: DemonstrationOptions,
): Promise<number> {
  const start = performance.now();
  const find = () => orders.filter((order) => isBroken(order) || !isMade(order));
  const there = () => note?.(`demonstration: ${orders.length} episodes are there, in ${folder}`);
  if (find().length === 0) return there(), 0;
  Deno.mkdirSync(folder, { recursive: true });
  using _lock = await lockFolder(
    folder,
    () => note?.(`demonstration: another process works in ${folder}; waiting for it`),
    signal,
  );
  const missing = find(); // the other process may have made them
  if (missing.length === 0) return there(), 0;
  clearWorkshop(folder);
  const count = missing.length, found = orders.length - count;
  note?.(
    `demonstration: simulating and preprocessing ${count} of ${orders.length} insertions in ${folder}`,
  );
  const spent = await makeEpisodes(missing, {
    threads,
    signal,
    onEpisode: (done) =>
      onProgress?.(`demonstration: ${found + done} of ${orders.length} episodes`),
  });
  clearWorkshop(folder);
  note?.(
    `demonstration: ${count} episodes made in ${seconds(start)} s ` +
      `(recordings ${spent.recording.toFixed(1)} s, step 0 ${spent.preprocessing.toFixed(1)} s, ` +
      "all threads together)",
  );
  return count;
}

/** Which features the episodes need. */
async function planOf(
  orders: readonly EpisodeOrder[],
  cache: string,
  { signal }: DemonstrationOptions,
): Promise<FeaturePlan> {
  const episodes = orders.map((order) => {
    const episode = openEpisode(episodePath(order));
    episode.close(); // only the sensor's file stays open, which is not needed here
    return episode;
  });
  return await planFeatures(episodes, pixel2048(), cache, signal ? { signal } : {});
}

/** Makes the features that are missing; returns their number. */
async function ensureFeatures(
  plan: FeaturePlan,
  cache: string,
  { note, onProgress, signal }: DemonstrationOptions,
): Promise<number> {
  const start = performance.now();
  const isComplete = () => {
    using store = FeatureStore.open(cache);
    return missingFeatures(plan, store).missing.length === 0;
  };
  if (plan.failures.length === 0 && isComplete()) {
    note?.(`features: ${plan.items.length} are there, in ${cache}`);
    return 0;
  }
  using store = await FeatureStore.openForWriting(cache);
  const { built, failures } = await buildFeatures(plan, store, {
    ...(signal && { signal }),
    onProgress: (done, total) => onProgress?.(`features: ${done} of ${total}`),
  });
  if (failures.length > 0) {
    const { episode, step, message } = failures[0]!;
    throw new Error(
      `Cannot make the features of the demonstration: ${failures.length} failed, the first is that ` +
        `of ${episode} step ${step}: ${message} Delete the folder of this recording and try again.`,
    );
  }
  note?.(`features: ${built} made in ${seconds(start)} s, in ${cache}`);
  return built;
}

function seconds(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}

type Numbers = Readonly<
  Record<"trainEpisodes" | "valEpisodes" | "seed" | "quality" | "threads", number>
>;

function assertOptions(
  numbers: Numbers,
  tasks: readonly string[],
  raster: number,
): void {
  const { trainEpisodes, valEpisodes, seed, quality, threads } = numbers;
  const refuse = (state: string, value: unknown): never => {
    throw new RangeError(`Cannot make a demonstration: ${state}, current value is ${value}.`);
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 0) refuse(`${name} must be a whole number`, value);
  }
  if (trainEpisodes > VALIDATION_SEEDS) {
    refuse(`trainEpisodes must be at most ${VALIDATION_SEEDS}`, trainEpisodes);
  }
  if (trainEpisodes + valEpisodes === 0) refuse("it must have an episode", "none");
  const last = 2 ** 32 - 1 - VALIDATION_SEEDS - Math.max(trainEpisodes, valEpisodes);
  if (seed > last) refuse(`seed must be at most ${last}`, seed);
  if (threads < 1) refuse("threads must be 1 or more", threads);
  if (quality < 1 || quality > 100) refuse("quality must be from 1 to 100", quality);
  if (raster !== 1 && raster !== 5) refuse("raster must be 1 or 5", raster);
  const unknown = tasks.find((task) => !(PHANTOM_TASKS as readonly string[]).includes(task));
  if (unknown !== undefined || tasks.length === 0) {
    refuse(`tasks must be some of ${PHANTOM_TASKS.join(", ")}`, unknown ?? "none");
  }
}
