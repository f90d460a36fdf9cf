import { basename, dirname, join, resolve, sep } from "node:path";
import { isFile } from "../formats/_path.ts";
import { type AlignedRecording, type AlignOptions, alignRecording } from "./align.ts";
import { readDataPkl } from "../formats/data_pkl.ts";
import { exportDataPkl } from "./data_pkl.ts";
import { DamagedSensorError } from "./damaged_sensor_error.ts";
import { discoverRecordings, type FoundRecording } from "./discover.ts";
import { type ReadOptions, readRecording } from "./read_recording.ts";
import type { Recording } from "./recording.ts";
import { type AlignmentReport, alignmentReport } from "./report.ts";
import { actionRepresentation } from "./manifest.ts";
import { refuseForeignFiles, sourceOfEpisode, writeEpisode } from "./write_episode.ts";

/** What is written for each recording. */
export type PreprocessFormat = "container" | "data-pkl" | "both";

/** How recordings become episodes. */
export interface PreprocessOptions extends AlignOptions, ReadOptions {
  /** Folder for all episodes; default: `episode` beside each recording's own files. */
  readonly output?: string;
  /** What is written; default container. */
  readonly format?: PreprocessFormat;
  /** This process's part of the recordings, every `count`th from `index`; default all of them. */
  readonly share?: { readonly index: number; readonly count: number };
  /** Stops between blocks, leaving finished episodes. */
  readonly signal?: AbortSignal;
  /** Called before each recording. */
  readonly onRecording?: (path: string, done: number, total: number) => void;
}

/** What became of one recording. */
export interface PreprocessedEpisode {
  /** The recording. */
  readonly path: string;
  /** Its layout; `unknown` where a root held nothing. */
  readonly layout: string;
  /** Its task; null if it could not be read. */
  readonly task: string | null;
  /** What the policy is told; null if it could not be read. */
  readonly instruction: string | null;
  /** Whether an episode was written. */
  readonly ok: boolean;
  /** Why not; null if it was. */
  readonly error: string | null;
  /** Folder that was written; null if none was. */
  readonly output: string | null;
  /** The alignment report; null if it did not come that far. */
  readonly report: AlignmentReport | null;
  /** Bytes written. */
  readonly bytes: number;
  /** Wall time. */
  readonly seconds: number;
}

/**
 * Step 0 for every recording below some roots: finds them, aligns them, writes one episode each.
 * A recording that cannot be used is reported with the reason, and the others go on.
 *
 * @param roots recordings, folders of them, or wildcards
 * @param options where to, which format, how to align
 * @returns what became of each recording, in order of their paths
 * @throws {DOMException} `AbortError` when the signal fires
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preprocess } from "./preprocess.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/recv_all_20251027_170308`);
 * const [outcome] = await preprocess([root]);
 * assert.equal(outcome!.ok, false);
 * assert.match(outcome!.error!, /robot_state/);
 * ```
 */
export async function preprocess(
  roots: readonly string[],
  options: PreprocessOptions = {},
): Promise<PreprocessedEpisode[]> {
  const { recordings, empty } = discoverRecordings(roots);
  const { index, count } = options.share ?? { index: 0, count: 1 };
  const outcomes: PreprocessedEpisode[] = index > 0 ? [] : empty.map(({ root, error }) => ({
    ...failed(root, "unknown", error),
  }));
  const targets = outputFolders(recordings, options.output && resolve(options.output));
  for (const [k, found] of recordings.entries()) {
    if (k % count !== index) continue;
    options.signal?.throwIfAborted();
    options.onRecording?.(found.path, k, recordings.length);
    const start = performance.now();
    const outcome = await preprocessOne(found, targets[k]!, options);
    outcomes.push({ ...outcome, seconds: (performance.now() - start) / 1000 });
  }
  return outcomes;
}

function failed(path: string, layout: string, error: string): PreprocessedEpisode {
  return {
    path,
    layout,
    task: null,
    instruction: null,
    ok: false,
    error,
    output: null,
    report: null,
    bytes: 0,
    seconds: 0,
  };
}

/**
 * Folder per recording. With `output` it is named after the recording, with as many of the folders above
 * in front as tell recordings of one name apart.
 */
function outputFolders(recordings: readonly FoundRecording[], output?: string): string[] {
  const parts = recordings.map(({ path, layout }) => {
    const above = dirname(path).split(sep).filter((part) => part !== "");
    const isFile = layout.name === "meca500-log";
    return [...above, isFile ? basename(path).replace(/\.csv$/, "") : basename(path)];
  });
  const nameOf = (k: number, depth: number) => parts[k]!.slice(-depth).join("__");
  const depthOf = (k: number) => {
    let depth = 1;
    const isShared = (other: number) => other !== k && nameOf(other, depth) === nameOf(k, depth);
    while (depth < parts[k]!.length && parts.some((_, other) => isShared(other))) depth++;
    return depth;
  };
  return recordings.map(({ path, layout }, k) => {
    if (output === undefined) {
      if (layout.name !== "meca500-log") return join(path, "episode");
      const siblings = recordings.filter((each) =>
        each.layout === layout && dirname(each.path) === dirname(path)
      );
      return join(dirname(path), siblings.length > 1 ? `${parts[k]!.at(-1)}.episode` : "episode");
    }
    // Where an earlier run has put it, it stays: one recording must not become two episodes.
    const names = parts[k]!.map((_, depth) => join(output, nameOf(k, depth + 1)));
    const earlier = names.find((folder) => sourceOfEpisode(folder) === path);
    return earlier ?? names[depthOf(k) - 1]!;
  });
}

async function preprocessOne(
  found: FoundRecording,
  target: string,
  options: PreprocessOptions,
): Promise<PreprocessedEpisode> {
  let report: AlignmentReport | null = null;
  let recording: Recording | undefined;
  try {
    recording = readRecording(found, options);
    const { sensorWindow = 0.1, format = "container" } = options;
    const aligned = alignRecording(recording, options);
    report = alignmentReport(recording, aligned, sensorWindow);
    if (report.actions === 0) {
      throw new RangeError(
        `Cannot make an episode of ${found.path}: no two rows of the robot log lie ` +
          `${1 / (options.actionHz ?? 10)} s apart, within ${
            (options.tolerance ?? 0.02) * 1000
          } ms; ` +
          `current rate is ${report.robot.hz.toFixed(2)} Hz, rows ${aligned.robotTime.length}.`,
      );
    }
    const bytes = await write(recording, aligned, report, target, { ...options, format });
    const { path, layout, task, instruction } = recording;
    return {
      path,
      layout,
      task,
      instruction,
      ok: true,
      error: null,
      output: target,
      report,
      bytes,
      seconds: 0,
    };
  } catch (error) {
    if (options.signal?.aborted || isBug(error)) throw error;
    const isFound = error instanceof DamagedSensorError && options.withoutSensor === undefined;
    if (isFound && options.damagedSensor === "drop") {
      return await preprocessOne(found, target, { ...options, withoutSensor: error.message });
    }
    return { ...failed(found.path, found.layout.name, (error as Error).message), report };
  } finally {
    recording?.close();
  }
}

/** Errors of the data and of the disk are reported; anything else is ours. */
function isBug(error: unknown): boolean {
  const isExpected = error instanceof SyntaxError || error instanceof RangeError ||
    error instanceof TypeError || error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied ||
    (error as { code?: string }).code !== undefined;
  return !isExpected;
}

async function write(
  recording: Recording,
  aligned: AlignedRecording,
  report: AlignmentReport,
  target: string,
  options: PreprocessOptions & { readonly format: PreprocessFormat },
): Promise<number> {
  const { format, signal } = options;
  const pickle = (folder: string) =>
    exportDataPkl(join(folder, "data.pkl"), recording, aligned, options.actionHz ?? 10);
  if (format === "data-pkl") {
    refuseForeignFiles(target, recording.path);
    refuseForeignPickle(target, recording);
    Deno.mkdirSync(target, { recursive: true });
    return pickle(target);
  }
  return await writeEpisode(target, {
    facts: {
      name: recording.name,
      task: recording.task,
      instruction: recording.instruction,
      layout: recording.layout,
      action: actionRepresentation(options),
      clock: `robot ${recording.robot.clock}`,
      rates: {
        robot: report.robot.hz,
        sensor: report.sensor?.hz ?? 0,
        views: Object.fromEntries(Object.entries(report.views).map(([name, { hz }]) => [name, hz])),
      },
      sensorWindow: options.sensorWindow ?? 0.1,
      report,
    },
    source: recording.path,
    aligned,
    readSensor: recording.sensor?.readRowsInto.bind(recording.sensor) ?? null,
    ...(format === "both" ? { also: pickle } : {}),
  }, signal);
}

/** A pickle beside nothing else tells by its images which recording it was made of. */
function refuseForeignPickle(target: string, recording: Recording): void {
  const path = join(target, "data.pkl");
  if (sourceOfEpisode(target) !== undefined || !isFile(path)) return;
  const [first] = [...readDataPkl(path).image.values()].flat();
  if (first === undefined || first.startsWith(recording.path + sep)) return;
  throw new TypeError(
    `Cannot write ${path}: it holds another recording's actions, with images such as ${first}. ` +
      "Choose another --output, or delete it.",
  );
}
