import { type ClockMode, simulateEpisode } from "../episode.ts";
import { PHANTOM_TASKS, type PhantomTask } from "../scene.ts";
import { Stream } from "../_stream.ts";
import { truthRecord } from "../truth_record.ts";
import { firstSeconds } from "./_first_seconds.ts";
import type { Fault } from "./fault.ts";
import { PHANTOM_LAYOUT_TRAITS, type PhantomLayout } from "./layout.ts";
import type { RecordingSource } from "./source.ts";
import { writeRecording, type WrittenRecording } from "./write_recording.ts";

/** The receiver's clock is drawn from this stream of the seed. */
const RECEIVER_STREAM = 891;

/** Options of {@linkcode recordPhantom}. */
export interface RecordPhantomOptions {
  /** Folder below which the recordings are written. */
  readonly output: string;
  /** Layouts to write. */
  readonly layouts: readonly PhantomLayout[];
  /** Recordings of each layout; default 1. */
  readonly episodes?: number;
  /** Seed of the first recording of a layout, the next one has the next; default 1000. */
  readonly seed?: number;
  /** Task; `each` the tasks in turn, `layout` (default) what the layout's recordings show. */
  readonly task?: PhantomTask | "each" | "layout";
  /** Faults to put into every recording whose layout can show them; default none. */
  readonly faults?: readonly Fault[];
  /** Clocks of cameras and sensor; default `true`, all clocks are one. */
  readonly clock?: ClockMode;
  /** Record only the first so many seconds of each episode; default all of it. */
  readonly seconds?: number | undefined;
  /** Whether the sensor is recorded; default true. */
  readonly hasSensor?: boolean;
  /** Whether measured clock offsets are recorded; default true. */
  readonly recordsClockOffsets?: boolean;
  /** Factor by which pictures are smaller than 640 × 360, a divisor of both; default 1. */
  readonly raster?: number;
  /** JPEG quality; default 75. */
  readonly quality?: number;
  /** Replace folders that this program did not write; default false. */
  readonly force?: boolean;
  /** Stops the work; recordings that are done stay, the one that is not goes. */
  readonly signal?: AbortSignal;
  /** Told after each picture. */
  readonly onProgress?: (progress: RecordProgress) => void;
}

/** How far a recording is. */
export interface RecordProgress {
  /** Its layout. */
  readonly layout: PhantomLayout;
  /** Pictures done. */
  readonly done: number;
  /** Pictures in all. */
  readonly images: number;
}

/**
 * Simulates insertions and writes them as recordings, one after the other.
 *
 * @param options where, how many, in which layouts, with which faults
 * @returns each recording when it is whole
 * @throws {RangeError} when a fault has no room in an episode
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFaults, recordPhantom } from "../mod.ts";
 *
 * const recordings = recordPhantom({
 *   output: Deno.makeTempDirSync(),
 *   layouts: ["new-dataset2"],
 *   faults: parseFaults("gap:2,missing-sensor"),
 *   raster: 40,
 * });
 * for await (const { path, injected } of recordings) {
 *   assert.match(path, /New_dataset2\/Blue_point\/data_collection_\d{8}_\d{6}$/);
 *   assert.equal(injected.gap!.places!.length, 2);
 * }
 * ```
 */
export async function* recordPhantom(
  options: RecordPhantomOptions,
): AsyncGenerator<WrittenRecording, void, void> {
  const { output, layouts, episodes = 1, seed = 1000, onProgress } = options;
  for (const layout of layouts) {
    for (let index = 0; index < episodes; index++) {
      options.signal?.throwIfAborted();
      const source = simulate(options, layout, seed + index, index);
      yield await writeRecording(output, source, {
        ...options,
        layout,
        number: index + 1,
        onImage: onProgress && ((done, images) => onProgress({ layout, done, images })),
      });
    }
  }
}

function simulate(
  { task = "layout", clock = "true", raster = 1, hasSensor = true, seconds }: RecordPhantomOptions,
  layout: PhantomLayout,
  seed: number,
  index: number,
): RecordingSource {
  const episode = simulateEpisode({
    seed,
    task: task === "layout"
      ? PHANTOM_LAYOUT_TRAITS[layout].defaultTask
      : task === "each"
      ? PHANTOM_TASKS[index % PHANTOM_TASKS.length]!
      : task,
    clock,
    raster,
    robotQuantise: true,
  });
  const hasSeveralClocks = clock !== "true";
  const source: RecordingSource = {
    ...episode,
    sensor: hasSensor ? episode.sensor : null,
    clockOffsets: episode.truth.clockOffset,
    receiverOffset: hasSeveralClocks ? new Stream(seed, RECEIVER_STREAM).uniform(-0.25, 0.25) : 0,
    hasSeveralClocks,
    truth: { duration_s: episode.duration, ...truthRecord(episode) },
  };
  return seconds === undefined ? source : firstSeconds(source, seconds);
}
