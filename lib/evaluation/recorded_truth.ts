import { join } from "node:path";
import type { EpisodeManifest } from "../episodes/manifest.ts";
import { isRecord } from "../formats/_is_record.ts";

/** What a simulated recording tells about itself. None of it may be an input of a policy. */
export interface RecordedTruth {
  /** When the expert changes its mind: slows down, punctures, stops; on the episode's clock, s. */
  readonly events: readonly number[];
  /** Pushes, on the episode's clock, s: samples that they touch have wrong labels. */
  readonly disturbances: readonly (readonly [start: number, end: number])[];
}

/**
 * Reads the ground truth beside the recording of an episode: `truth.json`, or `truth` in
 * `metadata.json`. Real recordings have none.
 *
 * @param episode path of the container and its manifest
 * @returns the truth; null if there is none, or the episode is not on the robot's own clock
 * @throws {SyntaxError} if there is one and it is damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readRecordedTruth } from "./recorded_truth.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const truth = { generator: "trocar phantom", start_time: 100, t_dec: 3, t_pun: 5, t_stop: 6,
 *   disturbances: [[1, 1.2]] };
 * Deno.writeTextFileSync(`${folder}/truth.json`, JSON.stringify(truth));
 * const manifest = { source: "..", clock: "robot origin" };
 * assert.deepEqual(readRecordedTruth({ path: `${folder}/episode`, manifest })?.events, [103, 105, 106]);
 * assert.equal(readRecordedTruth({ path: "/nowhere/episode", manifest }), null);
 * ```
 */
export function readRecordedTruth(
  episode: {
    readonly path: string;
    readonly manifest: Partial<Pick<EpisodeManifest, "source" | "clock">>;
  },
): RecordedTruth | null {
  const { source, clock } = episode.manifest;
  if (source === undefined || clock !== "robot origin") return null;
  for (const file of ["truth.json", "metadata.json"]) {
    const path = join(episode.path, source, file);
    const truth = parse(path, file);
    if (truth !== null) return fromRecord(path, truth);
  }
  return null;
}

/** The simulator's record in a file; null if there is no such file or it is not the simulator's. */
function parse(path: string, file: string): Record<string, unknown> | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return null;
    }
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (file === "metadata.json") return null; // of the recorder; step 0 reports it
    throw new SyntaxError(
      `Cannot read the ground truth ${path}: ${(error as Error).message}. Record it again`,
    );
  }
  if (!isRecord(value)) return null;
  const truth = file === "metadata.json" ? value.truth : value;
  return isRecord(truth) && truth.generator === "trocar phantom" ? truth : null;
}

function fromRecord(path: string, truth: Record<string, unknown>): RecordedTruth {
  const refuse = (name: string): never => {
    throw new SyntaxError(
      `Cannot read the ground truth ${path}: ${name} must be seconds, current value is ` +
        `${JSON.stringify(truth[name])}. Record it again`,
    );
  };
  const seconds = (name: string) => {
    const value = truth[name];
    return typeof value === "number" && Number.isFinite(value) ? value : refuse(name);
  };
  const start = seconds("start_time");
  const intervals = truth.disturbances;
  if (!Array.isArray(intervals) || !intervals.every(isInterval)) return refuse("disturbances");
  return {
    // An event beyond the end of a short recording is null or missing: it did not happen.
    events: ["t_dec", "t_pun", "t_stop"].filter((name) => truth[name] != null)
      .map((name) => start + seconds(name)),
    disturbances: intervals.map(([from, to]) => [start + from, start + to] as const),
  };
}

function isInterval(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}
