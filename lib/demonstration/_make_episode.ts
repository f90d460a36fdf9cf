/** One episode of the demonstration, from simulator to container. */
import { join } from "node:path";
import { openEpisode, preprocess } from "../episodes/mod.ts";
import { isThere } from "../formats/_path.ts";
import { type PhantomTask, recordPhantom } from "../phantom/mod.ts";

/** Files of a recording whose contents are in its episode. */
const COPIED = /^(sensor_data_.*\.npz|robot_state_.*\.csv)$/;
/** Folder in which recordings are made; whatever stands there belongs to nobody. */
const WORKSHOP = "unfinished";

/** An episode to be made. */
export interface EpisodeOrder {
  /** Folder of the demonstration. */
  readonly folder: string;
  /** Seed. */
  readonly seed: number;
  /** Task. */
  readonly task: PhantomTask;
  /** Factor by which pictures are smaller than 640 × 360. */
  readonly raster: number;
  /** JPEG quality. */
  readonly quality: number;
}

/** Seconds that the two steps took. */
export interface EpisodeSeconds {
  /** Simulating and writing the recording. */
  readonly recording: number;
  /** Preprocessing it. */
  readonly preprocessing: number;
}

/** Where what is left of a recording stands, with its episode in it. */
export function recordingPath({ folder, task, seed }: EpisodeOrder): string {
  return join(folder, task, `seed_${seed}`);
}

/** Where an episode stands. */
export function episodePath(order: EpisodeOrder): string {
  return join(recordingPath(order), "episode");
}

/** Whether an episode is there. */
export function isMade(order: EpisodeOrder): boolean {
  try {
    openEpisode(episodePath(order)).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Removes what a killed process has left; nobody else may be at work in the folder. */
export function clearWorkshop(folder: string): void {
  const workshop = join(folder, WORKSHOP);
  if (isThere(workshop)) Deno.removeSync(workshop, { recursive: true });
}

/**
 * Simulates an insertion, writes it as a recording and preprocesses it. Then the log and the sensor's
 * rows, which the episode holds, go from the recording, and what is whole now takes its place in one
 * step.
 */
export async function makeEpisode(
  order: EpisodeOrder,
  signal?: AbortSignal,
): Promise<EpisodeSeconds> {
  const { folder, seed } = order;
  const start = performance.now();
  const workshop = join(folder, WORKSHOP, String(seed));
  const stop = signal === undefined ? {} : { signal };
  // This layout stores each sensor row once, and its folders name the task.
  const options = { ...order, ...stop, output: workshop, layouts: ["new-dataset2"] as const };
  const [path] = await Array.fromAsync(recordPhantom(options), ({ path }) => path);
  const recorded = performance.now();
  const [outcome] = await preprocess([path!], stop);
  if (outcome?.ok !== true) {
    throw new Error(
      `Cannot make the demonstration: its recording of seed ${seed} cannot be preprocessed, ` +
        `current state is: ${outcome?.error}`,
    );
  }
  for (const { name } of [...Deno.readDirSync(path!)]) {
    if (COPIED.test(name)) Deno.removeSync(join(path!, name));
  }
  const target = recordingPath(order);
  Deno.mkdirSync(join(target, ".."), { recursive: true });
  if (isThere(target)) Deno.removeSync(target, { recursive: true }); // a damaged one
  Deno.renameSync(path!, target);
  return {
    recording: (recorded - start) / 1000,
    preprocessing: (performance.now() - recorded) / 1000,
  };
}
