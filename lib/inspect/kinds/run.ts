import { basename, join } from "node:path";
import { openCheckpoint } from "../../checkpoints/open.ts";
import {
  isPointerFile,
  POINTER_NAMES,
  pointerPath,
  readPointer,
} from "../../checkpoints/pointer.ts";
import { isFile } from "../../formats/_path.ts";
import { FloatAccumulator } from "../_accumulate.ts";
import { readRun } from "../../runs/read_run.ts";
import {
  CONFIG,
  METRICS,
  MOST_METRICS_BYTES,
  readJsonFile,
  SUMMARY,
} from "../../training/run/_json_file.ts";
import { readMetrics } from "../../training/run/metrics_log.ts";
import { folderBytes, forEachFile } from "../../formats/_folder_files.ts";
import type { InspectOptions, Kind, TensorEntry } from "../inspection.ts";

/** The folder of a training run, finished or not: what is there is shown. */
export const run: Kind = {
  name: "run",
  summary: "a folder with metrics.jsonl, or with pointers to checkpoints: a training run",
  claims: ({ isFolder, path, entries }) =>
    isFolder && (entries.includes(METRICS) || isPointedAt(path, entries)),
  inspect: ({ path, entries }, options) => {
    const metrics = isFile(join(path, METRICS)) ? metricsOf(join(path, METRICS)) : undefined;
    const tensors = metrics === undefined
      ? []
      : [...metrics.columns].map(([name, values]) => describeMetric(name, values, options));
    const json = (name: string) => entries.includes(name) ? readJson(join(path, name)) : undefined;
    const summary = json(SUMMARY);
    const { training, validation, seed } = { ...json("split.json") as Record<string, unknown> };
    const known = readRun(path);
    const facts = {
      ...known,
      ...{ name: undefined, path: undefined, bytes: undefined, settings: undefined }, // told elsewhere
      problems: known.problems.length === 0 ? undefined : known.problems,
      isFinished: summary !== undefined,
      config: json(CONFIG),
      summary,
      split: entries.includes("split.json")
        ? { seed, training: countOf(training), validation: countOf(validation) }
        : undefined,
      metrics: metrics && { lines: metrics.lines, hasTornLastLine: metrics.isTorn },
      tensorBoardFiles: countEvents(path),
      checkpoints: describeCheckpoints(path),
    };
    return {
      tensors,
      bytes: known.bytes,
      details: Object.fromEntries(
        Object.entries(facts).filter(([, fact]) => fact !== undefined && fact !== null),
      ),
    };
  },
};

function isPointedAt(folder: string, entries: readonly string[]): boolean {
  return POINTER_NAMES.map((name) => pointerPath(folder, name))
    .some((path) => entries.includes(basename(path)) && isPointerFile(path));
}

/** Values of each metric, in the order of the lines that have it. */
function metricsOf(path: string) {
  const columns = new Map<string, number[]>();
  const { size } = Deno.statSync(path);
  if (size > MOST_METRICS_BYTES) return { columns, lines: null, isTorn: false };
  const records = readMetrics(path);
  for (const [name, value] of records.flatMap((record) => Object.entries(record))) {
    if (typeof value !== "number") continue;
    const column = columns.get(name) ?? [];
    columns.set(name, column);
    column.push(value);
  }
  return { columns, lines: records.length, isTorn: isTorn(path, size) };
}

/** Whether the last line has no end: a killed process has left it half-written. */
function isTorn(path: string, size: number): boolean {
  using file = Deno.openSync(path);
  const last = new Uint8Array(1);
  file.seekSync(Math.max(0, size - 1), Deno.SeekMode.Start);
  return file.readSync(last) !== null && last[0] !== 10;
}

function describeMetric(
  name: string,
  values: readonly number[],
  { stats }: InspectOptions,
): TensorEntry {
  const entry = { name, dtype: "float64", shape: [values.length], bytes: 8 * values.length };
  if (!stats) return entry;
  const figures = new FloatAccumulator();
  figures.add(Float64Array.from(values));
  return { ...entry, statistics: figures.result() };
}

function readJson(path: string): unknown {
  try {
    return readJsonFile(path);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read ${path}: ${error.message}. It was cut short or edited.`);
  }
}

function countOf(list: unknown): number | null {
  return Array.isArray(list) ? list.length : null;
}

function countEvents(folder: string): number {
  let count = 0;
  forEachFile(folder, (_, name) => {
    if (name.includes(".tfevents.")) count++;
  });
  return count;
}

/** A row per checkpoint, with the pointers that name it; one that cannot be read says why. */
function describeCheckpoints(folder: string): Record<string, unknown>[] {
  const names = pointedNames(folder);
  const places = new Set(names.keys());
  forEachFile(folder, (path, name) => {
    if (name === "checkpoint.json") places.add(join(path, ".."));
  });
  return [...places].sort().map((path) => {
    const pointers = (names.get(path) ?? []).join(", ");
    const bytes = isFile(join(path, "checkpoint.json")) ? folderBytes(path) : null;
    const row = { checkpoint: path.slice(folder.length + 1), pointers, bytes };
    try {
      using opened = openCheckpoint(path);
      const { epoch, globalStep, losses } = opened;
      return { ...row, epoch, globalStep, validationLoss: losses.validation };
    } catch (error) {
      return { ...row, problem: (error as Error).message };
    }
  });
}

function pointedNames(folder: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const name of POINTER_NAMES.filter((name) => isFile(pointerPath(folder, name)))) {
    let target: string;
    try {
      target = readPointer(folder, name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      target = pointerPath(folder, name); // what it names is gone
    }
    names.set(target, [...names.get(target) ?? [], name]);
  }
  return names;
}
