import { join, resolve } from "node:path";
import { recoverFolder } from "../formats/atomic_write.ts";
import { readNpy } from "../formats/npy.ts";
import { openNpy } from "../formats/npy_reader.ts";
import type { NpyData } from "../formats/npy_types.ts";
import { ACTION_WIDTH, STATE_WIDTH } from "./actions.ts";
import { SENSOR_WIDTH } from "./layouts/_sensor.ts";
import { EPISODE_FORMAT, EPISODE_VERSION, type EpisodeManifest } from "./manifest.ts";

/** The images of one view of an episode. */
export interface EpisodeView {
  /** Name of the view. */
  readonly view: string;
  /** (F) times, in seconds, strictly ascending. */
  readonly time: Float64Array;
  /**
   * Path of an image.
   *
   * @param index of the image, 0 to F − 1
   */
  file(index: number): string;
}

/** The sensor of an episode; its rows stay on disk. */
export interface EpisodeSensor {
  /** Path of the rows, an `.npy` file of (M, 1026) float32. */
  readonly file: string;
  /** (M) times, in seconds, strictly ascending. */
  readonly time: Float64Array;
  /** (N, 2) first row of each action's past window and the row after its last. */
  readonly range: Int32Array;
  /** M. */
  readonly rows: number;
  /**
   * Reads rows of 1026 values: force, then the A-line.
   *
   * @param start first row
   * @param target (rows, 1026), filled
   * @throws {RangeError} when rows are asked for that are not there
   */
  readRowsInto(start: number, target: Float32Array): void;
}

/**
 * An episode: n robot rows, N actions, V views, M sensor rows. Everything but sensor rows and images
 * is in memory; all times are on one clock.
 */
export interface Episode extends Disposable {
  /** Folder of the container, absolute. */
  readonly path: string;
  /** `episode.json`. */
  readonly manifest: EpisodeManifest;
  /** (n) times of the robot's rows, in seconds. */
  readonly robotTime: Float64Array;
  /** (n, 12) joints 1–6 in deg, x y z in mm, a b r in deg. */
  readonly robotState: Float32Array;
  /** (N, 7) Δx Δy Δz in mm, Δa Δb Δr in deg, 1.0. */
  readonly action: Float32Array;
  /** (N, 3) rotation vector in the tool frame at the start, in degrees. */
  readonly actionRotation: Float32Array;
  /** (N, 2) first and last robot row. */
  readonly actionIndex: Int32Array;
  /** (N, 2) start and end, in seconds. */
  readonly actionTime: Float64Array;
  /** (N) actions with equal numbers follow each other without a hole. */
  readonly segment: Int32Array;
  /** Views, in the order of the columns of `imageIndex`. */
  readonly images: readonly EpisodeView[];
  /** (N, V) newest image at or before the action's start; −1 if there is none. */
  readonly imageIndex: Int32Array;
  /** (N, V) its age at the action's start, in seconds; NaN if there is none. */
  readonly imageAge: Float32Array;
  /** The sensor, or null. */
  readonly sensor: EpisodeSensor | null;
  /** Closes files; closing twice is harmless. */
  close(): void;
}

/**
 * Opens an episode container.
 *
 * @param folder the container, or the recording that holds it as `episode`
 * @returns the episode; close it, or hold it with `using`
 * @throws {Deno.errors.NotFound} when there is no container
 * @throws {SyntaxError} when a file of it is missing, damaged, or does not fit the others
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openEpisode } from "./episode.ts";
 *
 * assert.throws(() => openEpisode(Deno.makeTempDirSync()), /deno task preprocess/);
 * ```
 */
export function openEpisode(folder: string): Episode {
  const path = findContainer(folder);
  const manifest = readManifest(path);
  const n = shapeOf(path, manifest, "robot_time")[0]!;
  const count = shapeOf(path, manifest, "segment")[0]!;
  const width = manifest.views.length;
  const read = <D extends "float64" | "float32" | "int32">(
    name: string,
    dtype: D,
    shape: readonly number[],
  ) => readNpy(join(path, `${name}.npy`), { dtype, shape }).data as NpyData<D>;
  const images = openImages(path, manifest);
  const partial = {
    path,
    manifest,
    robotTime: read("robot_time", "float64", [n]),
    robotState: read("robot_state", "float32", [n, STATE_WIDTH]),
    action: read("action", "float32", [count, ACTION_WIDTH]),
    actionRotation: read("action_rotation", "float32", [count, 3]),
    actionIndex: read("action_index", "int32", [count, 2]),
    actionTime: read("action_time", "float64", [count, 2]),
    segment: read("segment", "int32", [count]),
    images,
    imageIndex: read("image_index", "int32", [count, width]),
    imageAge: read("image_age", "float32", [count, width]),
  };
  if (manifest.arrays.sensor === undefined) {
    return { ...partial, sensor: null, close() {}, [Symbol.dispose]() {} };
  }
  const rows = shapeOf(path, manifest, "sensor_time")[0]!;
  const time = read("sensor_time", "float64", [rows]);
  const range = read("sensor_range", "int32", [count, 2]);
  const file = join(path, "sensor.npy");
  const reader = openNpy(file, {
    dtype: "float32",
    shape: [rows, SENSOR_WIDTH],
  });
  return {
    ...partial,
    sensor: {
      file,
      time,
      range,
      rows,
      readRowsInto: (start, target) => reader.readRowsInto(start, target),
    },
    close: () => reader.close(),
    [Symbol.dispose]: () => reader.close(),
  };
}

function findContainer(folder: string): string {
  const path = resolve(folder);
  for (const candidate of [path, join(path, "episode")]) {
    recoverFolder(candidate);
    try {
      if (Deno.statSync(join(candidate, "episode.json")).isFile) return candidate;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
        throw error;
      }
    }
  }
  throw new Deno.errors.NotFound(
    `Cannot open the episode ${folder}: neither it nor its folder episode holds an episode.json. ` +
      "Make it with: deno task preprocess --data FOLDER",
  );
}

/**
 * Reads and checks the manifest of a container.
 *
 * @param folder the container
 * @returns the manifest
 * @throws {SyntaxError} when it is no manifest, or one of another version
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readManifest } from "./episode.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * Deno.writeTextFileSync(`${folder}/episode.json`, '{"format":"something"}');
 * assert.throws(() => readManifest(folder), SyntaxError);
 * ```
 */
export function readManifest(folder: string): EpisodeManifest {
  const path = join(folder, "episode.json");
  const manifest = readObject(path) as Partial<EpisodeManifest>;
  if (manifest.format !== EPISODE_FORMAT) {
    fail(path, "format", JSON.stringify(EPISODE_FORMAT), manifest.format);
  }
  if (manifest.version !== EPISODE_VERSION) {
    fail(path, "version", String(EPISODE_VERSION), manifest.version);
  }
  for (const member of ["name", "task", "instruction", "layout", "source", "clock"] as const) {
    if (typeof manifest[member] !== "string") fail(path, member, "a text", manifest[member]);
  }
  for (const member of ["action", "arrays", "rates", "clockOffsets"] as const) {
    if (typeof manifest[member] !== "object" || manifest[member] === null) {
      fail(path, member, "an object", manifest[member]);
    }
  }
  if (typeof manifest.action!.hz !== "number") fail(path, "action.hz", "a number", undefined);
  const { views, segments } = manifest;
  if (!Array.isArray(views) || views.some((view) => typeof view !== "string")) {
    fail(path, "views", "a list of names", views);
  }
  if (!Array.isArray(segments)) fail(path, "segments", "a list", segments);
  return manifest as EpisodeManifest;
}

function openImages(path: string, manifest: EpisodeManifest): EpisodeView[] {
  const file = join(path, "images.json");
  const listed = readObject(file) as Record<string, { folder?: unknown; files?: unknown }>;
  return manifest.views.map((view) => {
    const { folder, files } = Object.hasOwn(listed, view) ? listed[view]! : {};
    if (typeof folder !== "string" || !Array.isArray(files)) {
      fail(file, view, "{folder, files}", listed[view]);
    }
    const time = readNpy(join(path, `image_time_${view}.npy`), {
      dtype: "float64",
      shape: [files.length],
    }).data;
    return { view, time, file: (index) => resolve(path, folder, String(files[index])) };
  });
}

function shapeOf(path: string, manifest: EpisodeManifest, name: string): readonly number[] {
  const shape = manifest.arrays[name]?.shape;
  if (!Array.isArray(shape) || !Number.isSafeInteger(shape[0])) {
    fail(join(path, "episode.json"), `arrays.${name}.shape`, "a shape", shape);
  }
  return shape;
}

function readObject(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new SyntaxError(`Cannot read ${path}: there is no such file. ${AGAIN}`);
    }
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read ${path}: it is no JSON: ${error.message}. ${AGAIN}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError(`Cannot read ${path}: it should hold an object. ${AGAIN}`);
  }
  return value as Record<string, unknown>;
}

const AGAIN = "Make the episode again with: deno task preprocess";

function fail(path: string, place: string, expected: string, found: unknown): never {
  throw new SyntaxError(
    `Cannot read ${path} at ${place}: it should be ${expected}, current value is ` +
      `${JSON.stringify(found)}. ${AGAIN}`,
  );
}
