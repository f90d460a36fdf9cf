/** Step 0, in part or as a whole. */
import {
  ACTION_WIDTH,
  type AlignmentReport,
  alignmentReport,
  alignRecording,
  discoverRecordings,
  extractActions,
  preprocess,
  readRecording,
} from "../episodes/mod.ts";
import { readRobotCsv, RECORDER_COLUMNS } from "../episodes/layouts/_robot_csv.ts";
import { checksum } from "./_checksums.ts";
import type { Subject } from "./_subject.ts";

/** Past sensor window of an action, in seconds: the command's default. */
const SENSOR_WINDOW = 0.1;

/** How much of step 0. */
export interface PreprocessConfig {
  /**
   * `actions`: from arrays in memory; `csv+actions`: from the robot's file; `align`: all streams,
   * up to the report; `write`: the command, with what it writes.
   */
  readonly part: "actions" | "csv+actions" | "align" | "write";
  /** The recording's folder, and the robot's file in it. */
  readonly recording: string;
  readonly robotFile: string;
  /** Whether images are listed only, or opened and checked too. */
  readonly images: "none" | "listed" | "checked";
  /** What `write` writes, and where. */
  readonly format: "none" | "container" | "data-pkl";
  readonly output: string;
}

/** What a part found. */
export interface PreprocessFacts {
  readonly actions: number;
  /** CRC-32 of the actions, float32; absent where they went to a file. */
  readonly checksum?: number;
  readonly images?: number;
}

/** What a part makes. */
interface Made {
  readonly actions: number;
  readonly action?: Float32Array;
  readonly images?: number;
}

/** Does the part once. */
export async function preprocessSubject(config: PreprocessConfig): Promise<Subject> {
  const run = bodyOf(config);
  const { action, ...found } = await run();
  const facts: PreprocessFacts = { ...found, ...(action && { checksum: checksum(action) }) };
  return { facts: { ...facts }, run: async () => void await run(), repeats: 1, release: () => {} };
}

function bodyOf(config: PreprocessConfig): () => Made | Promise<Made> {
  const { part, robotFile } = config;
  const readRobot = () => readRobotCsv(robotFile, RECORDER_COLUMNS, []);
  switch (part) {
    case "actions": {
      const { time, state } = readRobot();
      return () => extracted(time, state);
    }
    case "csv+actions":
      return () => {
        const { time, state } = readRobot();
        return extracted(time, state);
      };
    case "align":
      return () => align(config);
    case "write":
      return () => write(config);
  }
}

function extracted(time: Float64Array, state: Float32Array): Made {
  const { action } = extractActions(time, state);
  return { actions: action.length / ACTION_WIDTH, action };
}

function align({ recording, images }: PreprocessConfig): Made {
  const found = discoverRecordings([recording]).recordings[0]!;
  const read = readRecording(found, { checkImages: images === "checked" });
  try {
    const aligned = alignRecording(read);
    const report = alignmentReport(read, aligned, SENSOR_WINDOW);
    return {
      actions: report.actions,
      action: aligned.actions.action,
      images: countImages(report),
    };
  } finally {
    read.close();
  }
}

async function write(config: PreprocessConfig): Promise<Made> {
  const { recording, output, format, images } = config;
  const [outcome] = await preprocess([recording], {
    output,
    format: format === "data-pkl" ? format : "container",
    checkImages: images === "checked",
  });
  if (!outcome?.report || outcome.error !== null) {
    throw new Error(outcome?.error ?? `Cannot preprocess ${recording}: it holds no recording.`);
  }
  return { actions: outcome.report.actions, images: countImages(outcome.report) };
}

function countImages({ views }: AlignmentReport): number {
  return Object.values(views).reduce((sum, { recorded }) => sum + recorded, 0);
}
