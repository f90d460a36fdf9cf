import { join, resolve } from "node:path";
import { type Episode, openEpisode, readManifest } from "../episode.ts";
import type { EpisodeManifest } from "../manifest.ts";
import { checkActions, checkSegments, checkTimes } from "./_container_actions.ts";
import { checkArrays } from "./_container_arrays.ts";
import { checkImageChoice, checkImageFiles, checkSensorChoice } from "./_container_choice.ts";
import { repeatFindings } from "./_container_report.ts";
import { type CheckOptions, isDataError, namesIn, type Report } from "./_report.ts";
import { checkSensorRows } from "./_sensor_rows.ts";

/** Files whose change makes an episode outdated. */
const INPUTS =
  /^(robot_state_.*\.csv|robot_states\.csv|robot_rt_.*\.csv|clock_offsets\.json|metadata\.json)$/;
const RAW_SENSOR = /^sensor_data_.*\.npz$/;
/** Clocks of file systems are this coarse, in milliseconds. */
const MTIME_TOLERANCE_MS = 2000;

/** Figures of one container for the summary. */
export interface ContainerFigures {
  readonly path: string;
  readonly name: string;
  readonly task: string;
  readonly actions: number;
  readonly segments: number;
  /** The recording it was made from, absolute. */
  readonly source: string;
}

/** Every check of one container; undefined if it cannot be opened. */
export async function checkContainer(
  folder: string,
  report: Report,
  options: CheckOptions,
): Promise<ContainerFigures | undefined> {
  const manifest = attempt(
    () => readManifest(folder),
    (message) => report("error", "episode.manifest", join(folder, "episode.json"), message),
  );
  if (manifest === undefined) return undefined;
  const isWell = await checkArrays(folder, manifest, report, options);
  checkSource(folder, manifest, report);
  repeatFindings(folder, manifest, report);
  using episode = attempt(() => openEpisode(folder), (message) => {
    if (isWell) report("error", "episode.unreadable", folder, message);
  });
  if (episode === undefined) return undefined;
  await checkContents(episode, report, options);
  const { name, task } = manifest;
  const { segment } = episode;
  const segments = new Set(segment).size;
  const source = resolve(folder, manifest.source);
  return { path: folder, name, task, actions: segment.length, segments, source };
}

function attempt<T>(action: () => T, onError: (message: string) => void): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!isDataError(error)) throw error;
    onError(error.message);
    return undefined;
  }
}

async function checkContents(
  episode: Episode,
  report: Report,
  options: CheckOptions,
): Promise<void> {
  if (episode.robotTime.length === 0) {
    report(
      "warning",
      "episode.untimed",
      episode.path,
      "It should hold the robot's rows, but has none, as data.pkl has none: its actions have no " +
        "times, and neither images nor sensor rows belong to them. Put the data.pkl beside its " +
        "robot log and convert it again.",
    );
  }
  checkTimes(episode, report);
  checkActions(episode, report);
  checkSegments(episode, report);
  checkImageChoice(episode, report);
  checkSensorChoice(episode, report);
  checkImageFiles(episode, report);
  if (episode.sensor === null) return;
  const { rows, readRowsInto } = episode.sensor;
  const file = join(episode.path, "sensor.npy");
  await checkSensorRows({ file, rows, readRowsInto }, "episode.sensor-", report, options);
}

/** The recording that a container was made from: is it newer, and is its sensor used? */
function checkSource(folder: string, manifest: EpisodeManifest, report: Report): void {
  const source = resolve(folder, manifest.source);
  const status = statusOf(source);
  if (status === undefined) {
    report(
      "info",
      "episode.source-missing",
      join(folder, "episode.json at source"),
      `The recording it was made from is not at ${source}. It can be used, but not made again.`,
    );
    return;
  }
  const names = status.isDirectory ? namesIn(source) : [];
  const raw = names.filter((name) => RAW_SENSOR.test(name));
  const sensor = raw.length > 0 ? raw : names.filter((name) => name === "sensor_data.npz");
  if (sensor.length > 0 && manifest.arrays.sensor === undefined) {
    report(
      "warning",
      "episode.no-sensor",
      folder,
      `It has no sensor rows, but ${join(source, sensor[0]!)} is there. Make the episode again ` +
        "with: deno task preprocess",
    );
  }
  const inputs = status.isDirectory
    ? [...names.filter((name) => INPUTS.test(name)), ...sensor].map((name) => join(source, name))
    : [source];
  const made = mtimeOf(join(folder, "episode.json"));
  const newer = inputs.filter((file) => mtimeOf(file) > made + MTIME_TOLERANCE_MS);
  if (newer.length === 0) return;
  report(
    "warning",
    "episode.stale",
    folder,
    `It is older than ${newer.join(", ")}, from which it was made. Make it again with: deno task ` +
      `preprocess --data ${source}`,
  );
}

function statusOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function mtimeOf(path: string): number {
  return statusOf(path)?.mtime?.getTime() ?? 0;
}
