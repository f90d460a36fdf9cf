import { basename, dirname } from "node:path";
import { discoverRecordings } from "../discover.ts";
import type { Finding } from "../recording.ts";
import { checkContainer, type ContainerFigures } from "./_container.ts";
import { ownersAmong } from "./_owners.ts";
import { checkPickleFolder } from "./_pickle.ts";
import { findPlaces } from "./_places.ts";
import { checkRecording, type RecordingFigures } from "./_recording.ts";
import type { Report } from "./_report.ts";
import { checkSiblings, checkSources } from "./_siblings.ts";

/** How thoroughly data are looked at. */
export interface DiagnoseDataOptions {
  /** Leave out checksums and the bytes of images; default false. */
  readonly quick?: boolean;
  /** Stops the work. */
  readonly signal?: AbortSignal;
  /** Called before each recording and container. */
  readonly onPlace?: (path: string, done: number, total: number) => void;
}

/** What was found in one recording. */
export interface RecordingHealth {
  /** Its folder or file. */
  readonly path: string;
  /** Its layout. */
  readonly layout: string;
  /** Its task; empty if it cannot be read. */
  readonly task: string;
  /** 1 / median interval of the robot log, in hertz; 0 if it cannot be read. */
  readonly robotHz: number;
  /** Rows of the robot log. */
  readonly rows: number;
  /** Actions of 0.1 s that preprocess makes of it; 0 if it refuses it. */
  readonly actions: number;
  /** Rate of the sensor, in hertz; 0 without one. */
  readonly sensorHz: number;
  /** Views. */
  readonly views: readonly string[];
  /** Findings of severity `error`. */
  readonly errors: number;
  /** Findings of severity `warning`. */
  readonly warnings: number;
}

/** What was found in one episode container. */
export interface EpisodeHealth {
  /** Its folder. */
  readonly path: string;
  /** Its name; empty if it cannot be opened. */
  readonly name: string;
  /** Its task. */
  readonly task: string;
  /** Its actions. */
  readonly actions: number;
  /** Its segments. */
  readonly segments: number;
  /** Findings of severity `error`. */
  readonly errors: number;
  /** Findings of severity `warning`. */
  readonly warnings: number;
}

/** What was found in a `data.pkl` that lies in a folder of its own. */
export interface PickleHealth {
  /** Its folder. */
  readonly path: string;
  /** Its actions; 0 if it cannot be read. */
  readonly actions: number;
  /** Number of its views. */
  readonly views: number;
  /** Whether it holds sensor rows. */
  readonly hasSensor: boolean;
  /** Findings of severity `error`. */
  readonly errors: number;
  /** Findings of severity `warning`. */
  readonly warnings: number;
}

/** The data-quality report of some folders. */
export interface DataDiagnosis {
  /** No finding is an `error`. */
  readonly ok: boolean;
  /** Errors first, then warnings, then the rest. */
  readonly findings: readonly Finding[];
  /** Recordings, sorted by path. */
  readonly recordings: readonly RecordingHealth[];
  /** Episode containers, sorted by path. */
  readonly episodes: readonly EpisodeHealth[];
  /** Folders with a `data.pkl` alone, sorted by path. */
  readonly pickles: readonly PickleHealth[];
  /** Roots that hold nothing of all this, as they were given. */
  readonly empty: readonly string[];
}

const ORDER = ["error", "warning", "info"];
const LEFT_BEHIND =
  "A process that was killed while it wrote left this behind. It is not read; the next write to " +
  "the same place removes it, or delete it.";

/**
 * Looks at recordings of all layouts and at episode containers below some folders: whether they are
 * whole, agree with themselves and with each other, and are fit for training. Changes nothing.
 *
 * Of a recording: files, image bytes, rates, clocks, motion, sensor values, what other programs
 * derived from it. Of a container: manifest and checksums; actions computed again from the robot's
 * rows; times, segments; that no image and no sensor row is later than its action's start; with the
 * warnings that its maker noticed. Of a `data.pkl` alone: that it can be read and finds its images.
 *
 * @param roots recordings, containers, folders of them, or wildcards
 * @param options how thoroughly
 * @returns what was found
 * @throws {DOMException} `AbortError` when the signal fires
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { diagnoseData } from "./mod.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/Eye_trocar/recv_all_20251027_170308`, { recursive: true });
 * const { ok, findings } = await diagnoseData([root]);
 * assert.equal(ok, false);
 * assert.equal(findings[0]!.code, "recording.unreadable");
 * assert.match(findings[0]!.message, /it should hold one robot_state_\*\.csv/);
 * ```
 */
export async function diagnoseData(
  roots: readonly string[],
  options: DiagnoseDataOptions = {},
): Promise<DataDiagnosis> {
  const { quick = false, signal, onPlace } = options;
  const { recordings, empty } = discoverRecordings(roots);
  const { containers, pickles, leftovers } = findPlaces(roots);
  // Containers and pickles in a folder of their own have the recording's name.
  const found = recordings.filter(({ path }) =>
    !containers.includes(path) && !pickles.includes(path)
  );
  const findings: Finding[] = [];
  const report: Report = (severity, code, where, message) => {
    findings.push({ severity, code, where, message });
  };
  const nothing = empty.filter(({ root }) => {
    const places = findPlaces([root]);
    return places.containers.length + places.pickles.length === 0;
  });
  for (const { root, error } of nothing) report("error", "data.none", root, error);
  for (const path of leftovers) report("info", "leftover.partial", path, LEFT_BEHIND);

  const alone = pickles.filter((path) => !isDerived(path, found));
  const total = found.length + containers.length + alone.length;
  let done = 0;
  const goOn = (path: string) => {
    signal?.throwIfAborted();
    onPlace?.(path, done++, total);
  };
  const figures = new Map<string, RecordingFigures>();
  for (const each of found) {
    goOn(each.path);
    const facts = await checkRecording(each, report, { quick, signal });
    if (facts !== undefined) figures.set(each.path, facts);
  }
  checkSiblings([...figures.values()], report);
  const opened = new Map<string, ContainerFigures>();
  for (const path of containers) {
    goOn(path);
    const facts = await checkContainer(path, report, { quick, signal });
    if (facts !== undefined) opened.set(path, facts);
  }
  checkSources([...opened.values()], report);
  const unpickled = alone.map((path) => {
    goOn(path);
    return checkPickleFolder(path, report);
  });

  const count = counter(findings, [...found.map(({ path }) => path), ...containers, ...alone]);
  return {
    ok: findings.every(({ severity }) => severity !== "error"),
    findings: findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)),
    recordings: found.map((each) => ({
      ...recordingHealth(each, figures.get(each.path)),
      ...count(each.path),
    })),
    episodes: containers.map((path) => ({
      ...episodeHealth(path, opened.get(path)),
      ...count(path),
    })),
    pickles: alone.map((path, k) => {
      const { actions = 0, views = 0, hasSensor = false } = unpickled[k] ?? {};
      return { path, actions, views, hasSensor, ...count(path) };
    }),
    empty: nothing.map(({ root }) => root),
  };
}

/** Whether a recording's own check looks at the pickle: it lies in the recording's `episode`. */
function isDerived(path: string, found: readonly { readonly path: string }[]): boolean {
  return basename(path) === "episode" && found.some((each) => each.path === dirname(path));
}

function recordingHealth(
  { path, layout }: { readonly path: string; readonly layout: { readonly name: string } },
  figures: RecordingFigures | undefined,
) {
  const { task = "", robotHz = 0, rows = 0, actions = 0, sensorHz = 0, views = [] } = figures ?? {};
  return { path, layout: layout.name, task, robotHz, rows, actions, sensorHz, views };
}

function episodeHealth(path: string, figures: ContainerFigures | undefined) {
  const { name = "", task = "", actions = 0, segments = 0 } = figures ?? {};
  return { path, name, task, actions, segments };
}

/** Counts the findings of each place. */
function counter(findings: readonly Finding[], paths: readonly string[]) {
  const byOwner = Map.groupBy(findings, ownersAmong(paths));
  return (path: string) => {
    const own = byOwner.get(path) ?? [];
    const of = (wanted: string) => own.filter(({ severity }) => severity === wanted).length;
    return { errors: of("error"), warnings: of("warning") };
  };
}
