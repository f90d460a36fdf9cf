import { crc32 } from "node:zlib";
import { dirname, join, relative, resolve } from "node:path";
import { recoverFolder, replaceFolderAtomic } from "../formats/atomic_write.ts";
import { encodeNpy } from "../formats/npy.ts";
import { createNpyWriter } from "../formats/npy_writer.ts";
import { ACTION_WIDTH, STATE_WIDTH } from "./actions.ts";
import { breathe } from "./_breathe.ts";
import type { AlignedRecording } from "./align.ts";
import { DamagedSensorError } from "./damaged_sensor_error.ts";
import { readManifest } from "./episode.ts";
import { SENSOR_WIDTH } from "./layouts/_sensor.ts";
import {
  type ArrayEntry,
  EPISODE_FORMAT,
  EPISODE_VERSION,
  type EpisodeManifest,
  type Segment,
} from "./manifest.ts";

/** The manifest's members that the arrays do not give. */
export type EpisodeFacts = Omit<
  EpisodeManifest,
  | "format"
  | "version"
  | "source"
  | "views"
  | "segments"
  | "overlaps"
  | "arrays"
  | "clockOffsets"
  | "sensorChannels"
>;

/** Reads the sensor's rows, in the order of the aligned times. */
export type SensorRows = (start: number, target: Float32Array) => void;

/** What goes into a container. */
export interface EpisodeContents {
  /** Name, task, rates. */
  readonly facts: EpisodeFacts;
  /** Path of the recording. */
  readonly source: string;
  /** Streams and actions. */
  readonly aligned: AlignedRecording;
  /** Sensor rows in file order; null without a sensor. */
  readonly readSensor: SensorRows | null;
  /** Writes more files into the folder before it is put in place. */
  readonly also?: (folder: string) => void;
}

/** Rows written at a time: 4 MB. */
const BLOCK_ROWS = 1024;

/**
 * Writes an episode container: `episode.json`, `images.json` and one `.npy` per array. The folder
 * appears, or replaces an older container, in one step: a killed process leaves the old state or the
 * new one.
 *
 * @param folder the container, usually `episode` beside the recording's files
 * @param contents what goes into it
 * @param signal stops the writing, leaving the old state
 * @returns bytes written
 * @throws {TypeError} when the folder holds files that are not a container's
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeEpisode } from "./write_episode.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * Deno.writeTextFileSync(`${folder}/thesis.txt`, "mine");
 * await assert.rejects(writeEpisode(folder, {} as never), /it holds thesis.txt/);
 * ```
 */
export async function writeEpisode(
  folder: string,
  contents: EpisodeContents,
  signal?: AbortSignal,
): Promise<number> {
  refuseForeignFiles(folder, contents.source);
  Deno.mkdirSync(dirname(folder), { recursive: true });
  let bytes = 0;
  await replaceFolderAtomic(folder, async (temporary) => {
    const arrays: Record<string, ArrayEntry> = {};
    for (const [name, dtype, shape, data] of arraysOf(contents.aligned)) {
      // The whole folder is synced before it takes its place, so these need no sync of their own.
      Deno.writeFileSync(join(temporary, `${name}.npy`), encodeNpy({ dtype, shape, data }));
      arrays[name] = { dtype, shape, crc32: crc32(bytesOf(data)) };
    }
    if (contents.aligned.sensor !== null && contents.readSensor !== null) {
      arrays.sensor = await writeSensor(temporary, contents, signal);
    }
    const source = relative(folder, contents.source) || ".";
    writeJson(join(temporary, "images.json"), imagesOf(folder, contents.aligned));
    contents.also?.(temporary);
    writeJson(join(temporary, "episode.json"), manifestOf(contents, source, arrays));
    for (const { name } of Deno.readDirSync(temporary)) {
      bytes += Deno.statSync(join(temporary, name)).size;
    }
  });
  return bytes;
}

/** Nothing but an older container of the same recording is ever replaced. */
export function refuseForeignFiles(folder: string, source: string): void {
  recoverFolder(folder);
  let names: string[];
  try {
    names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    throw new TypeError(
      `Cannot write an episode into ${folder}: it should be a folder, current value is a file. ` +
        "Choose another --output.",
    );
  }
  const foreign = names.find((name) =>
    !/^(episode\.json|images\.json|data\.pkl)$|\.npy$/.test(name) ||
    (name.endsWith(".npy") && !names.includes("episode.json"))
  );
  if (foreign !== undefined) {
    throw new TypeError(
      `Cannot write an episode into ${folder}: only an older episode may be there, but it holds ` +
        `${foreign}. Choose another --output.`,
    );
  }
  const older = sourceOfEpisode(folder);
  if (older !== undefined && older !== resolve(source)) {
    throw new TypeError(
      `Cannot write an episode into ${folder}: it holds that of another recording, ${older}. ` +
        "Choose another --output, or delete it.",
    );
  }
}

/** The recording a container was made of; undefined if there is none, or that cannot be told. */
export function sourceOfEpisode(folder: string): string | undefined {
  try {
    return resolve(folder, readManifest(folder).source);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // none, or damaged and to be replaced
    throw error;
  }
}

type NamedArray = readonly [
  name: string,
  dtype: "float64" | "float32" | "int32",
  shape: number[],
  data: TypedData,
];
type TypedData = Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

function arraysOf(aligned: AlignedRecording): NamedArray[] {
  const { actions, views, sensor, robotTime } = aligned;
  const count = actions.segment.length;
  return [
    ["robot_time", "float64", [robotTime.length], robotTime],
    ["robot_state", "float32", [robotTime.length, STATE_WIDTH], aligned.robotState],
    ["action", "float32", [count, ACTION_WIDTH], actions.action],
    ["action_rotation", "float32", [count, 3], actions.rotation],
    ["action_index", "int32", [count, 2], actions.index],
    ["action_time", "float64", [count, 2], actions.time],
    ["segment", "int32", [count], actions.segment],
    ...views.map(({ name, time }): NamedArray => [
      `image_time_${name}`,
      "float64",
      [time.length],
      time,
    ]),
    ["image_index", "int32", [count, views.length], aligned.imageIndex],
    ["image_age", "float32", [count, views.length], aligned.imageAge],
    ...(sensor === null ? [] : [
      ["sensor_time", "float64", [sensor.time.length], sensor.time],
      ["sensor_range", "int32", [count, 2], sensor.range],
    ] as NamedArray[]),
  ];
}

async function writeSensor(
  folder: string,
  { aligned, readSensor }: EpisodeContents,
  signal: AbortSignal | undefined,
): Promise<ArrayEntry> {
  const { time, clean: { rows } } = aligned.sensor!;
  using writer = createNpyWriter(join(folder, "sensor.npy"), {
    dtype: "float32",
    rowShape: [SENSOR_WIDTH],
  });
  const block = new Float32Array(BLOCK_ROWS * SENSOR_WIDTH);
  let crc = 0;
  for (let done = 0; done < time.length; done += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, time.length - done);
    const part = block.subarray(0, count * SENSOR_WIDTH);
    try {
      readRuns(rows, done, count, part, readSensor!);
    } catch (error) {
      throw error instanceof SyntaxError ? new DamagedSensorError(error.message) : error;
    }
    crc = crc32(bytesOf(part), crc);
    writer.append(part);
    await breathe(signal);
  }
  writer.close();
  return { dtype: "float32", shape: [time.length, SENSOR_WIDTH], crc32: crc };
}

/** Reads rows of the source in as few pieces as their order allows. */
function readRuns(
  rows: Int32Array | null,
  start: number,
  count: number,
  target: Float32Array,
  read: SensorRows,
): void {
  if (rows === null) return read(start, target);
  for (let k = 0; k < count;) {
    let end = k + 1;
    while (end < count && rows[start + end] === rows[start + end - 1]! + 1) end++;
    read(rows[start + k]!, target.subarray(k * SENSOR_WIDTH, end * SENSOR_WIDTH));
    k = end;
  }
}

/** `images.json`: folders relative to the container, so that both move together. */
function imagesOf(folder: string, { views }: AlignedRecording) {
  return Object.fromEntries(
    views.map(({ name, folder: from, files }) => [name, { folder: relative(folder, from), files }]),
  );
}

function manifestOf(
  { facts, aligned }: EpisodeContents,
  source: string,
  arrays: Record<string, ArrayEntry>,
): EpisodeManifest {
  const { name, task, instruction, layout, action, clock, rates, sensorWindow, report } = facts;
  return {
    format: EPISODE_FORMAT,
    version: EPISODE_VERSION,
    name,
    task,
    instruction,
    layout,
    source,
    action,
    clock,
    clockOffsets: aligned.clockOffsets,
    rates,
    views: aligned.views.map((view) => view.name),
    sensorWindow,
    sensorChannels: { force: [0, 1], aline: [1, SENSOR_WIDTH] },
    segments: segmentsOf(aligned),
    overlaps: aligned.actions.overlaps,
    arrays,
    report,
  };
}

function segmentsOf({ actions: { segment, time } }: AlignedRecording): Segment[] {
  const segments: Segment[] = [];
  for (let first = 0; first < segment.length;) {
    let end = first + 1;
    while (end < segment.length && segment[end] === segment[first]) end++;
    segments.push({ first, count: end - first, start: time[2 * first]!, end: time[2 * end - 1]! });
    first = end;
  }
  return segments;
}

function writeJson(path: string, value: unknown): void {
  Deno.writeTextFileSync(path, `${JSON.stringify(value, null, 1)}\n`);
}

function bytesOf(data: TypedData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
