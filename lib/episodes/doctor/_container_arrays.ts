import { join } from "node:path";
import { crc32 } from "node:zlib";
import { openNpy } from "../../formats/npy_reader.ts";
import { openRandomAccess } from "../../formats/random_access_file.ts";
import { breathe } from "../_breathe.ts";
import { PICKLED_SENSOR } from "../convert/_untimed.ts";
import { SENSOR_WIDTH } from "../layouts/_sensor.ts";
import type { ArrayEntry, EpisodeManifest } from "../manifest.ts";
import { type CheckOptions, isDataError, namesIn, type Report } from "./_report.ts";

const BLOCK_BYTES = 4 << 20;
const AGAIN = "Make the episode again with: deno task preprocess";
/** Arrays that every container has, and those that belong to a sensor. */
const ALWAYS = [
  "robot_time",
  "robot_state",
  "action",
  "action_rotation",
  "action_index",
  "action_time",
  "segment",
  "image_index",
  "image_age",
];
const WITH_SENSOR = ["sensor_time", "sensor", "sensor_range"];

/**
 * Every array file of a container against the manifest: dtype, shape, CRC-32.
 *
 * @returns whether all are as they should be
 */
export async function checkArrays(
  folder: string,
  manifest: EpisodeManifest,
  report: Report,
  options: CheckOptions,
): Promise<boolean> {
  const files = namesIn(folder);
  let isWell = true;
  const fail = (code: string, name: string, message: string) => {
    isWell = false;
    report("error", code, join(folder, `${name}.npy`), `${message} ${AGAIN}`);
  };
  for (const name of requiredArrays(manifest)) {
    if (Object.hasOwn(manifest.arrays, name)) continue;
    fail("episode.array-missing", name, "The manifest should list this array, but does not.");
  }
  for (const [name, entry] of Object.entries(manifest.arrays)) {
    if (!isEntry(entry)) {
      fail(
        "episode.manifest",
        name,
        "The manifest should give its dtype, shape and CRC-32, current value is " +
          `${JSON.stringify(entry)}.`,
      );
    } else if (!files.includes(`${name}.npy`)) {
      fail("episode.array-missing", name, "There is no such file, but the manifest lists it.");
    } else {
      try {
        await checkArray(folder, name, entry, fail, options);
      } catch (error) {
        if (options.signal?.aborted || !isDataError(error)) throw error;
        fail("episode.array", name, error.message);
      }
    }
  }
  for (const file of files) {
    const name = file.replace(/\.npy$/, "");
    if (!file.endsWith(".npy") || Object.hasOwn(manifest.arrays, name)) continue;
    if (file === PICKLED_SENSOR && manifest.layout === "data-pkl") {
      checkPickledSensor(folder, manifest, fail);
      continue;
    }
    report(
      "info",
      "episode.unlisted",
      join(folder, file),
      "The manifest does not list this array, and nobody reads it.",
    );
  }
  return isWell;
}

function requiredArrays({ arrays, views }: EpisodeManifest): readonly string[] {
  const hasSensor = WITH_SENSOR.some((name) => Object.hasOwn(arrays, name));
  return [
    ...ALWAYS,
    ...views.map((view) => `image_time_${view}`),
    ...(hasSensor ? WITH_SENSOR : []),
  ];
}

function isEntry(entry: Partial<ArrayEntry> | null): entry is ArrayEntry {
  return typeof entry?.dtype === "string" && Array.isArray(entry.shape) &&
    entry.shape.every((size) => Number.isSafeInteger(size) && size >= 0) &&
    typeof entry.crc32 === "number";
}

async function checkArray(
  folder: string,
  name: string,
  entry: ArrayEntry,
  fail: (code: string, name: string, message: string) => void,
  { quick, signal }: CheckOptions,
): Promise<void> {
  const path = join(folder, `${name}.npy`);
  const { dtype, shape } = headerOf(path);
  if (dtype !== entry.dtype || shape.join() !== entry.shape.join()) {
    return fail(
      "episode.array",
      name,
      `It should be ${entry.dtype} (${entry.shape.join(", ")}) by the manifest, current value is ` +
        `${dtype} (${shape.join(", ")}).`,
    );
  }
  if (quick) return;
  const size = Number(/\d+$/.exec(dtype)?.[0]) / 8;
  const found = await checksum(path, shape.reduce((product, n) => product * n, size), signal);
  if (found === entry.crc32) return;
  fail(
    "episode.checksum",
    name,
    `The CRC-32 of its values should be ${hex(entry.crc32)} by the manifest, current value is ` +
      `${hex(found)}: it was changed after it was written, or the disk or a copy failed.`,
  );
}

/** Sensor rows that came with a data.pkl, one per action: kept for the way back, not an array of ours. */
function checkPickledSensor(
  folder: string,
  { arrays }: EpisodeManifest,
  fail: (code: string, name: string, message: string) => void,
): void {
  const name = PICKLED_SENSOR.replace(/\.npy$/, "");
  try {
    const { dtype, shape } = headerOf(join(folder, PICKLED_SENSOR));
    const expected = [arrays.action?.shape?.[0] ?? 0, SENSOR_WIDTH];
    if (dtype === "float32" && shape.join() === expected.join()) return;
    fail(
      "episode.array",
      name,
      `It should be float32 (${expected.join(", ")}), current value is ${dtype} (${
        shape.join(", ")
      }).`,
    );
  } catch (error) {
    if (!isDataError(error)) throw error;
    fail("episode.array", name, error.message);
  }
}

function headerOf(path: string) {
  using reader = openNpy(path);
  return { dtype: reader.dtype, shape: reader.shape };
}

/** CRC-32 of the last bytes of a file: the values, of which an open header has told the length. */
async function checksum(path: string, bytes: number, signal?: AbortSignal): Promise<number> {
  using file = openRandomAccess(path);
  const block = new Uint8Array(Math.min(bytes, BLOCK_BYTES));
  let crc = 0;
  for (let at = file.bytes - bytes; at < file.bytes;) {
    const part = block.subarray(0, Math.min(block.length, file.bytes - at));
    file.readInto(part, at);
    crc = crc32(part, crc);
    at += part.length;
    await breathe(signal);
  }
  return crc;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
