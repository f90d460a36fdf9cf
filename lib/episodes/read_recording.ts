import { basename } from "node:path";
import { withoutDamagedImages } from "./_check_images.ts";
import { type FoundRecording, taskOf } from "./discover.ts";
import { instructionOf } from "./instruction.ts";
import { readMetadata } from "./layouts/_metadata.ts";
import type { Finding, Recording, RobotClock, SensorSource } from "./recording.ts";

/** How recordings are read. */
export interface ReadOptions {
  /** Clock of the robot log; default the robot's own, `origin_timestamp`. */
  readonly clock?: RobotClock;
  /** Replaces the instruction that the task's name gives. */
  readonly instruction?: string;
  /**
   * A sensor file that cannot be read: `error` refuses the recording, `drop` goes on without the
   * sensor and reports it. Default error.
   */
  readonly damagedSensor?: "error" | "drop";
  /** Look at every image's first and last bytes and leave damaged ones out; default true. */
  readonly checkImages?: boolean;
}

/**
 * Reads a recording: the robot's log, the images' names and times, and the sensor's times; A-lines and
 * images stay on disk.
 *
 * @param found what {@linkcode discoverRecordings} found
 * @param options clock, instruction, what to do with damage
 * @returns the recording; close it after use
 * @throws {SyntaxError} when a file is missing or damaged, naming it and the place
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { discoverRecordings } from "./discover.ts";
 * import { readRecording } from "./read_recording.ts";
 *
 * const root = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${root}/recv_all_20251027_170308`);
 * const [found] = discoverRecordings([root]).recordings;
 * assert.throws(() => readRecording(found!), /it should hold one robot_state_\*\.csv/);
 * ```
 */
export function readRecording(found: FoundRecording, options: ReadOptions = {}): Recording {
  const { path, layout } = found;
  const findings: Finding[] = [];
  const contents = layout.read(path, { findings, clock: options.clock });
  const isFile = layout.name === "meca500-log";
  const metadata = isFile ? { clockOffsets: {} } : readMetadata(path);
  if (contents.views.length === 0 && !isFile) {
    throw new SyntaxError(
      `Cannot use the recording ${path}: it should hold images in folders View1 … View5, ` +
        "current value is none.",
    );
  }
  const views = options.checkImages === false
    ? contents.views
    : contents.views.map((view) => withoutDamagedImages(view, findings));
  const task = taskOf(path);
  let sensor: SensorSource | null = null;
  try {
    sensor = contents.openSensor();
  } catch (error) {
    if (!(error instanceof SyntaxError) || options.damagedSensor !== "drop") throw error;
    findings.push({
      severity: "error",
      code: "sensor.damaged",
      where: path,
      message: `${error.message} The episode is made without the sensor.`,
    });
  }
  if (sensor === null && findings.every(({ code }) => code !== "sensor.damaged") && !isFile) {
    findings.push({
      severity: layout.name === "captures" ? "info" : "warning",
      code: "sensor.missing",
      where: path,
      message: "There is no sensor file: the episode has no sensor.",
    });
  }
  const spoken = task.replaceAll("_", " ");
  const fallback = layout.fallbackInstruction?.(spoken);
  return {
    name: isFile ? basename(path).replace(/\.csv$/, "") : basename(path),
    path,
    layout: layout.name,
    task,
    instruction: options.instruction ??
      ("instruction" in metadata ? metadata.instruction! : undefined) ??
      instructionOf(task, fallback === undefined ? {} : { fallback }),
    robot: contents.robot,
    views,
    sensor,
    clockOffsets: metadata.clockOffsets,
    findings,
    close: () => sensor?.close(),
  };
}
