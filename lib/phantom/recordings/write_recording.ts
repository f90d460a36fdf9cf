import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { replaceFolderAtomic } from "../../formats/atomic_write.ts";
import { applyFaults } from "./_apply_faults.ts";
import { writeCaptures } from "./_captures.ts";
import { damageFiles } from "./_file_faults.ts";
import type { LayoutWriter, WrittenFiles } from "./_layout_writer.ts";
import { writeNewDataset } from "./_new_dataset.ts";
import { writeNewDataset2 } from "./_new_dataset2.ts";
import { writeSensorSession } from "./_sensor_session.ts";
import { createTake, type Take } from "./_take.ts";
import { type Fault, FAULTS } from "./fault.ts";
import type { Injected } from "./injected.ts";
import { PHANTOM_LAYOUT_TRAITS, type PhantomLayout, recordingFolder } from "./layout.ts";
import type { RecordingSource } from "./source.ts";

/** Marks recordings of this program, which it may replace. */
const GENERATOR = "trocar phantom";

/** Options of {@linkcode writeRecording}. */
export interface WriteRecordingOptions {
  /** Which layout. */
  readonly layout: PhantomLayout;
  /** Number of the recording from 1, where the layout counts; default 1. */
  readonly number?: number;
  /** Faults to put in; those the layout cannot show are left out. Default none. */
  readonly faults?: readonly Fault[];
  /** JPEG quality 1 to 100; default 75. */
  readonly quality?: number;
  /** Whether the offsets of the clocks are recorded where there are several; default true. */
  readonly recordsClockOffsets?: boolean;
  /** Replace a folder that this program did not write; default false. */
  readonly force?: boolean;
  /** Stops the work; then no folder is left. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each picture. */
  readonly onImage?: ((done: number, total: number) => void) | undefined;
}

/** What was written. */
export interface WrittenRecording {
  /** Absolute path of the recording's folder. */
  readonly path: string;
  /** Its layout. */
  readonly layout: PhantomLayout;
  /** Seed of the episode. */
  readonly seed: number;
  /** Task of the episode. */
  readonly task: string;
  /** Robot rows, sensor rows and pictures in it. */
  readonly rows: { readonly robot: number; readonly sensor: number; readonly images: number };
  /** The faults in it, with their places. */
  readonly injected: Injected;
}

const WRITERS: Readonly<Record<PhantomLayout, LayoutWriter>> = {
  "white-silicone": writeSensorSession,
  needle: writeSensorSession,
  oct: writeCaptures,
  part1: writeCaptures,
  "new-dataset": writeNewDataset,
  "new-dataset2": writeNewDataset2,
};

/**
 * Writes an episode as the recorder of a layout would have: its folder appears whole or not at all.
 * Ground truth goes into `metadata.json` under `truth`, or into `truth.json` where the layout has no
 * metadata; measured clock offsets likewise under `clock_offsets`, or into `clock_offsets.json`:
 * clock minus robot clock in seconds, of `camera` and `sensor`.
 *
 * @param root folder below which the layout's own folders stand; it is created
 * @param source the episode
 * @param options layout, faults, and more
 * @returns where it is and what is in it
 * @throws {RangeError} when a fault has no room in the episode
 * @throws {Error} when the folder exists and is not a recording of this program
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateEpisode, writeRecording } from "../mod.ts";
 *
 * const source = {
 *   ...simulateEpisode({ seed: 1000, raster: 40 }),
 *   clockOffsets: { camera: 0, sensor: 0 },
 *   receiverOffset: 0.1,
 *   hasSeveralClocks: false,
 *   truth: {},
 * };
 * const root = Deno.makeTempDirSync();
 * const { path } = await writeRecording(root, source, { layout: "oct", number: 3 });
 * assert(path.endsWith("OCT_insertion/Captures3"));
 * assert(Deno.statSync(`${path}/view1/left`).isDirectory);
 * ```
 */
export async function writeRecording(
  root: string,
  source: RecordingSource,
  options: WriteRecordingOptions,
): Promise<WrittenRecording> {
  const { layout, number = 1, quality = 75, recordsClockOffsets = true } = options;
  const target = join(resolve(root), recordingFolder(layout, { ...source, number }));
  if (options.force !== true) refuseForeign(target);
  const faults = (options.faults ?? []).filter(({ name }) => FAULTS[name].appliesTo(layout));
  const take = createTake(source, PHANTOM_LAYOUT_TRAITS[layout]);
  let injected = applyFaults(take, faults);
  let images = 0;
  mkdirSync(dirname(target), { recursive: true });
  await replaceFolderAtomic(target, async (folder) => {
    const { signal, onImage } = options;
    const files = await WRITERS[layout](take, { folder, target, quality, signal, onImage });
    injected = { ...injected, ...damageFiles(folder, take, files, faults) };
    images = files.images.length;
    const offsets = recordsClockOffsets && hasSeveralClocks(take) ? take.clockOffsets : undefined;
    writeFacts(folder, files, offsets, { ...truthOf(take), layout, injected });
    signal?.throwIfAborted();
  }, { sync: false });
  const { seed, task } = source;
  const rows = { robot: take.robot.send.length, sensor: take.sensor?.time.length ?? 0, images };
  return { path: target, layout, seed, task, rows, injected };
}

function hasSeveralClocks({ source, clockOffsets: { camera, sensor } }: Take): boolean {
  return source.hasSeveralClocks || camera !== 0 || sensor !== 0;
}

/** Never an input of a policy. */
function truthOf({ source, clockOffsets, receiverOffset }: Take) {
  return {
    generator: GENERATOR,
    seed: source.seed,
    task: source.task,
    start_time: source.startTime,
    ...source.truth,
    clock_offset_s: { robot: 0, ...clockOffsets, receiver: receiverOffset },
  };
}

function writeFacts(
  folder: string,
  { metadata }: WrittenFiles,
  offsets: Take["clockOffsets"] | undefined,
  truth: Readonly<Record<string, unknown>>,
): void {
  if (metadata !== undefined) {
    const facts = offsets === undefined ? { truth } : { clock_offsets: offsets, truth };
    writeJson(join(folder, "metadata.json"), { ...metadata, ...facts });
    return;
  }
  if (offsets !== undefined) writeJson(join(folder, "clock_offsets.json"), offsets);
  writeJson(join(folder, "truth.json"), truth);
}

function writeJson(path: string, value: unknown): void {
  Deno.writeTextFileSync(path, JSON.stringify(value, null, 2) + "\n");
}

function refuseForeign(target: string): void {
  try {
    Deno.lstatSync(target);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (isOurs(target)) return;
  throw new Error(
    `Cannot write the recording ${target}: this program should have written what stands there, ` +
      "current value is a folder without its ground truth. Choose another --output, or replace it " +
      "with --force.",
  );
}

function isOurs(target: string): boolean {
  const readTruth = (file: string) => JSON.parse(Deno.readTextFileSync(join(target, file)));
  for (const read of [() => readTruth("truth.json"), () => readTruth("metadata.json").truth]) {
    try {
      if (read().generator === GENERATOR) return true;
    } catch {
      // Not there, or not JSON: not ours.
    }
  }
  return false;
}
