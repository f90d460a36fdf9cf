import { basename } from "node:path";
import { withoutDamagedImages } from "./_check_images.ts";
import { DamagedSensorError } from "./damaged_sensor_error.ts";
import { type FoundRecording, taskOf } from "./discover.ts";
import { instructionOf } from "./instruction.ts";
import { type Metadata, readMetadata } from "./layouts/_metadata.ts";
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
  /** Leaves the sensor out for this reason, which is reported; default undefined, it is read. */
  readonly withoutSensor?: string;
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
  const metadata: Metadata = isFile ? { clockOffsets: {} } : readMetadata(path);
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
  let damage = options.withoutSensor;
  try {
    if (damage === undefined) sensor = contents.openSensor();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const damaged = new DamagedSensorError(error.message);
    if (options.damagedSensor !== "drop") throw damaged;
    damage = damaged.message;
  }
  if (damage !== undefined) {
    findings.push({
      severity: "warning",
      code: "sensor.damaged",
      where: path,
      message: `${damage} The episode is made without the sensor.`,
    });
  } else if (sensor === null && !isFile) {
    findings.push({
      severity: layout.name === "captures" ? "info" : "warning",
      code: "sensor.missing",
      where: path,
      message: "There is no sensor file: the episode has no sensor.",
    });
  }
  const spoken = task.replaceAll("_", " ");
  const fallback = layout.fallbackInstruction?.(spoken);
  const written = options.instruction ?? metadata.instruction;
  const known = instructionOf(task, { fallback: fallback ?? "" });
  if (written === undefined && known === "") {
    findings.push({
      severity: "warning",
      code: "instruction.generic",
      where: path,
      message:
        `No rule knows the task "${task}" (the name of the folder above), so the policy is ` +
        `told "${instructionOf(task)}". Give --instruction, or name the folder after the task.`,
    });
  }
  return {
    name: isFile ? basename(path).replace(/\.csv$/, "") : basename(path),
    path,
    layout: layout.name,
    task,
    instruction: written ?? (known === "" ? instructionOf(task) : known),
    robot: contents.robot,
    views,
    sensor,
    clockOffsets: metadata.clockOffsets,
    findings,
    close: () => sensor?.close(),
  };
}
