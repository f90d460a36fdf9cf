/** Step 0, in part or as a whole. */
import {
  alignmentReport,
  alignRecording,
  discoverRecordings,
  extractActions,
  preprocess,
  type ReadOptions,
  readRecording,
} from "../episodes/mod.ts";
import { readRobotCsv, RECORDER_COLUMNS } from "../episodes/layouts/_robot_csv.ts";
import { checksum } from "./_checksums.ts";
import type { Subject } from "./_subject.ts";

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

/** Does the part once. */
export async function preprocessSubject(config: PreprocessConfig): Promise<Subject> {
  const run = runOf(config);
  const facts = await run();
  return { facts: { ...facts }, run: async () => void await run(), repeats: 1, release: () => {} };
}

function runOf(config: PreprocessConfig): () => PreprocessFacts | Promise<PreprocessFacts> {
  const { part, recording, robotFile, output } = config;
  const options: ReadOptions = { checkImages: config.images === "checked" };
  const readRobot = () => readRobotCsv(robotFile, RECORDER_COLUMNS, []);
  switch (part) {
    case "actions": {
      const { time, state } = readRobot();
      return () => actionFacts(extractActions(time, state).action);
    }
    case "csv+actions":
      return () => {
        const { time, state } = readRobot();
        return actionFacts(extractActions(time, state).action);
      };
    case "align":
      return () => {
        const found = discoverRecordings([recording]).recordings[0]!;
        const read = readRecording(found, options);
        const aligned = alignRecording(read);
        const report = alignmentReport(read, aligned, 0.1);
        read.close();
        return { ...actionFacts(aligned.actions.action), images: countImages(report) };
      };
    case "write":
      return async () => {
        const format = config.format === "data-pkl" ? "data-pkl" : "container";
        const [outcome] = await preprocess([recording], { ...options, output, format });
        if (outcome === undefined || outcome.error !== null) throw new Error(outcome?.error ?? "");
        const report = outcome.report!;
        return { actions: report.actions, images: countImages(report) };
      };
  }
}

function actionFacts(action: Float32Array): PreprocessFacts {
  return { actions: action.length / 7, checksum: checksum(action) };
}

function countImages({ views }: ReturnType<typeof alignmentReport>): number {
  return Object.values(views).reduce((sum, { recorded }) => sum + recorded, 0);
}
