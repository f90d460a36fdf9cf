import { discoverRecordings } from "../discover.ts";
import type { Finding } from "../recording.ts";
import { checkContainer, type ContainerFigures } from "./_container.ts";
import { findPlaces } from "./_places.ts";
import { checkRecording, type RecordingFigures } from "./_recording.ts";
import type { Report } from "./_report.ts";
import { checkSiblings } from "./_siblings.ts";

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
  /** Actions of 0.1 s in it. */
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
}

const ORDER = ["error", "warning", "info"];

/**
 * Looks at recordings of all layouts and at episode containers below some folders: whether they are
 * whole, agree with themselves and with each other, and are fit for training. Changes nothing.
 *
 * Of a recording: files, image bytes, rates, clocks, motion, sensor values, what other programs
 * derived from it. Of a container: manifest and checksums; actions computed again from the robot's
 * rows; times, segments; that no image and no sensor row is later than its action's start.
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
  const { containers, leftovers } = findPlaces(roots);
  // A container in a folder of its own has the recording's name.
  const found = recordings.filter(({ path }) => !containers.includes(path));
  const notes = new Notes();
  for (const { root, error } of empty) {
    if (findPlaces([root]).containers.length > 0) continue;
    notes.report("error", "data.none", root, error);
  }
  for (const path of leftovers) {
    notes.report(
      "info",
      "leftover.partial",
      path,
      "A process that was killed while it wrote left this behind. It is not read; the next write " +
        "to the same place removes it, or delete it.",
    );
  }
  const total = found.length + containers.length;
  const health: RecordingHealth[] = [];
  const facts: RecordingFigures[] = [];
  for (const each of found) {
    signal?.throwIfAborted();
    onPlace?.(each.path, health.length, total);
    const mark = notes.mark();
    const figures = await checkRecording(each, notes.report, { quick, signal });
    if (figures !== undefined) facts.push(figures);
    health.push({ ...recordingHealth(each, figures), ...notes.since(mark) });
  }
  checkSiblings(facts, notes.report);
  const episodes: EpisodeHealth[] = [];
  for (const path of containers) {
    signal?.throwIfAborted();
    onPlace?.(path, found.length + episodes.length, total);
    const mark = notes.mark();
    const figures = await checkContainer(path, notes.report, { quick, signal });
    episodes.push({ ...episodeHealth(path, figures), ...notes.since(mark) });
  }
  const findings = notes.sorted();
  const ok = findings.every(({ severity }) => severity !== "error");
  return { ok, findings, recordings: health, episodes };
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

/** Takes findings down. */
class Notes {
  readonly #findings: Finding[] = [];

  readonly report: Report = (severity, code, where, message) => {
    this.#findings.push({ severity, code, where, message });
  };

  mark(): number {
    return this.#findings.length;
  }

  since(mark: number): { errors: number; warnings: number } {
    const of = (severity: string) =>
      this.#findings.slice(mark).filter((finding) => finding.severity === severity).length;
    return { errors: of("error"), warnings: of("warning") };
  }

  sorted(): Finding[] {
    const rank = ({ severity }: Finding) => ORDER.indexOf(severity);
    return this.#findings.toSorted((a, b) => rank(a) - rank(b));
  }
}
