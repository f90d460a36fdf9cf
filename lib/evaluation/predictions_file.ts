import type { ChunkPredictions, RotationKind, WindowFlags } from "./chunk_predictions.ts";
import { isRecord } from "../formats/_is_record.ts";
import { member } from "./_member.ts";
import { findDoubts } from "./_predictions_doubts.ts";

/** Predictions made by another program, ready for `evaluateChunks`. */
export interface PredictionsFile {
  /** Predictions and truth; all dimensions count. */
  readonly chunks: ChunkPredictions;
  /** Groups are the episodes, if there are several. */
  readonly flags: WindowFlags;
  /** Where the mean action comes from. */
  readonly meanSource: string;
  /** What the file says of itself. */
  readonly about: readonly (readonly [name: string, value: string])[];
  /** What is doubtful in it. */
  readonly warnings: readonly string[];
}

/** Files that are larger are refused, bytes: some 36,000 windows. */
const MAX_BYTES = 128 * 2 ** 20;
/** Between windows, and between actions: 10 Hz. */
const ACTION_SECONDS = 0.1;
const NAMES = ["dx", "dy", "dz", "r1", "r2", "r3", "gripper"];
const UNITS: Readonly<Record<string, string>> = {
  dx: "mm",
  dy: "mm",
  dz: "mm",
  rx: "rad",
  ry: "rad",
  rz: "rad",
  da: "deg",
  db: "deg",
  dr: "deg",
  gripper: "1",
};

/**
 * Reads a JSON file with `samples[].gt_delta_actions` and `samples[].pred_delta_actions`, as
 * evaluation scripts of the field write it.
 *
 * @param path of the file, at most 128 MiB
 * @returns predictions and truth
 * @throws {SyntaxError} naming the sample, if something is missing, ragged or not finite
 * @throws {Deno.errors.NotFound} if there is no such file
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readPredictionsFile } from "./predictions_file.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/predictions.json`;
 * Deno.writeTextFileSync(path, `{"samples": [{"gt_delta_actions": [[1, 2]]}]}`);
 * assert.throws(() => readPredictionsFile(path), /samples\[0\]\.pred_delta_actions/);
 * ```
 */
export function readPredictionsFile(path: string): PredictionsFile {
  const { size, isFile } = stat(path);
  if (!isFile) refuse(path, "it must be a file", "a folder", "Pass the JSON file");
  if (size > MAX_BYTES) {
    refuse(path, `it must have at most ${MAX_BYTES} bytes`, size, "Evaluate fewer windows at once");
  }
  return parsePredictions(parseJson(path, Deno.readTextFileSync(path)), path);
}

/**
 * The same as {@linkcode readPredictionsFile}, of a value that is already there.
 *
 * The mean action is the file's own, hold-last repeats the first true action of the window before,
 * and the first window of an episode has none.
 *
 * @param value what the JSON holds
 * @param path for messages; default `predictions`
 * @returns predictions and truth
 * @throws {SyntaxError} as {@linkcode readPredictionsFile}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePredictions } from "./predictions_file.ts";
 *
 * const sample = { gt_delta_actions: [[1, 2]], pred_delta_actions: [[1, 2, 3]] };
 * assert.throws(() => parsePredictions({ samples: [sample] }), /\[0\] must hold 2 numbers/);
 * ```
 */
export function parsePredictions(value: unknown, path = "predictions"): PredictionsFile {
  const file = isRecord(value)
    ? value
    : refuse(path, "it must be an object", describe(value), EXPECTED);
  const samples = Array.isArray(file.samples)
    ? file.samples as unknown[]
    : refuse(path, "samples must be a list", describe(file.samples), EXPECTED);
  const first = Array.isArray(member(samples[0], "gt_delta_actions"))
    ? member(samples[0], "gt_delta_actions") as unknown[]
    : [];
  const horizon = first.length, width = Array.isArray(first[0]) ? first[0].length : 0;
  if (samples.length === 0) refuse(path, "samples must not be empty", "[]", EXPECTED);
  if (horizon === 0 || width === 0) {
    const found = describe(member(samples[0], "gt_delta_actions"));
    refuse(path, "samples[0].gt_delta_actions must be a list of actions", found, EXPECTED);
  }
  const truth = new Float64Array(samples.length * horizon * width);
  const predicted = new Float64Array(truth.length);
  const ids: string[] = [];
  samples.forEach((sample, i) => {
    const at = i * horizon * width;
    fillChunk(truth, at, sample, "gt_delta_actions", i, horizon, width, path);
    fillChunk(predicted, at, sample, "pred_delta_actions", i, horizon, width, path);
    const id = member(sample, "episode_id");
    ids.push(typeof id === "string" ? id : "");
  });
  const { dimensions, units, rotation } = describeDimensions(file, width);
  const episode = numberEpisodes(ids);
  const chunks: ChunkPredictions = {
    windows: samples.length,
    horizon,
    dimensions,
    units,
    rotation,
    counted: dimensions.map((_, d) => d),
    predicted,
    truth,
    mask: new Uint8Array(samples.length * horizon).fill(1),
    episode,
    lastAction: previousFirst(truth, episode, horizon, width),
    meanAction: columnMeans(truth, width),
    time: startTimes(episode),
  };
  return {
    chunks,
    flags: new Set(ids).size > 1 ? { group: ids } : {},
    meanSource: "this file's own mean",
    about: describeFile(file),
    warnings: [...findDoubts(file, chunks)],
  };
}

function stat(path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
    throw new Deno.errors.NotFound(
      `Cannot read the predictions ${path}: there is no such file. Check the path`,
    );
  }
}

const EXPECTED =
  "Write {samples: [{gt_delta_actions, pred_delta_actions}]} with lists of actions: " +
  "samples[].gt_delta_actions and samples[].pred_delta_actions, each (actions, dimensions)";

/** JSON, and NaN as Python writes it, so that the message can say in which sample it is. */
function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    try {
      return JSON.parse(text.replace(/-?\b(NaN|Infinity)\b/g, '"$&"'));
    } catch {
      const reason = (error as Error).message.replace(/\s+/g, " ");
      refuse(path, "it must be a JSON file", reason, EXPECTED);
    }
  }
}

function fillChunk(
  target: Float64Array,
  at: number,
  sample: unknown,
  key: string,
  index: number,
  horizon: number,
  width: number,
  path: string,
): void {
  const place = `samples[${index}].${key}`;
  const rows = member(sample, key);
  if (!Array.isArray(rows) || rows.length !== horizon) {
    const found = Array.isArray(rows) ? rows.length : describe(rows);
    return refuse(path, `${place} must hold ${horizon} actions, as samples[0]`, found, EXPECTED);
  }
  rows.forEach((row: unknown, step) => {
    if (!Array.isArray(row) || row.length !== width) {
      const found = Array.isArray(row) ? row.length : describe(row);
      return refuse(path, `${place}[${step}] must hold ${width} numbers`, found, EXPECTED);
    }
    row.forEach((value: unknown, d) => {
      if (typeof value !== "number" || !Number.isFinite(value)) {
        const found = describe(value);
        return refuse(path, `${place}[${step}][${d}] must be a finite number`, found, EXPECTED);
      }
      target[at + step * width + d] = value;
    });
  });
}

function describeDimensions(
  file: Record<string, unknown>,
  width: number,
): { dimensions: string[]; units: string[]; rotation: RotationKind | null } {
  const own = isRecord(file.rmse_per_dimension) ? Object.keys(file.rmse_per_dimension) : [];
  const dimensions = own.length === width
    ? own
    : Array.from({ length: width }, (_, d) => width === NAMES.length ? NAMES[d]! : `d${d}`);
  const units = dimensions.map((name) => Object.hasOwn(UNITS, name) ? UNITS[name]! : "");
  const isVector = units.slice(3, 6).join() === "rad,rad,rad";
  const isEuler = units.slice(3, 6).join() === "deg,deg,deg";
  return { dimensions, units, rotation: isVector ? "vector" : isEuler ? "euler" : null };
}

/** Numbers episodes in the order of the file; one that comes back later counts as another. */
function numberEpisodes(ids: readonly string[]): Int32Array {
  let number = 0;
  return Int32Array.from(ids, (id, i) => i > 0 && id !== ids[i - 1] ? ++number : number);
}

/** As if each window began one action after the one before. */
function startTimes(episode: Int32Array): Float64Array {
  const time = new Float64Array(episode.length);
  for (let i = 1; i < episode.length; i++) {
    time[i] = episode[i] === episode[i - 1] ? time[i - 1]! + ACTION_SECONDS : 0;
  }
  return time;
}

function previousFirst(
  truth: Float64Array,
  episode: Int32Array,
  horizon: number,
  width: number,
): Float64Array {
  const last = new Float64Array(episode.length * width).fill(NaN);
  for (let i = 1; i < episode.length; i++) {
    const before = (i - 1) * horizon * width;
    if (episode[i] === episode[i - 1]) last.set(truth.subarray(before, before + width), i * width);
  }
  return last;
}

function columnMeans(values: Float64Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < values.length; i++) sums[i % width]! += values[i]!;
  return sums.map((sum) => sum * width / values.length);
}

function describeFile(file: Record<string, unknown>): [string, string][] {
  const about: [string, string][] = [];
  for (const [name, key] of [["episode", "episode_id"], ["checkpoint", "checkpoint"]] as const) {
    const value = file[key];
    if (typeof value === "string") about.push([name, value]);
  }
  const epoch = member(file.checkpoint_meta, "epoch");
  if (typeof epoch === "number") about.push(["epoch", String(epoch)]);
  return about;
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function refuse(path: string, state: string, found: string | number, advice: string): never {
  throw new SyntaxError(
    `Cannot read the predictions ${path}: ${state}, current value is ${found}. ${advice}`,
  );
}
