import { folderDigest } from "../../formats/folder_digest.ts";
import { type AlignedRecording, type AlignOptions, alignRecording } from "../align.ts";
import { discoverRecordings } from "../discover.ts";
import { type ReadOptions, readRecording } from "../read_recording.ts";
import type { Recording } from "../recording.ts";
import { type AlignmentReport, alignmentReport } from "../report.ts";

/** A recording, what step 0 would make of it, and how good it is. */
export interface ExaminedRecording extends Disposable {
  /** As recorded. */
  readonly recording: Recording;
  /** On one clock, with its actions. */
  readonly aligned: AlignedRecording;
  /** Rates, gaps, jitter, delays, what was left out. */
  readonly report: AlignmentReport;
  /** SHA-256 of all its files. */
  readonly digest: string;
}

/**
 * Reads a recording and says how good it is, without writing anything: what a notebook begins with.
 *
 * @param path of one recording
 * @param options how it is read and aligned; `sensorWindow` default 0.1 s
 * @returns everything about it; close it, or hold it with `using`
 * @throws {RangeError} if there is no recording at the path, or more than one
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { examineRecording } from "./examine_recording.ts";
 *
 * assert.throws(() => examineRecording(Deno.makeTempDirSync()), /no recording of a known layout/);
 * ```
 */
export function examineRecording(
  path: string,
  options: AlignOptions & ReadOptions = {},
): ExaminedRecording {
  const { recordings, empty } = discoverRecordings([path]);
  if (recordings.length !== 1) {
    throw new RangeError(
      empty[0]?.error ?? `Cannot examine ${path}: it must be one recording, current value is ` +
          `${recordings.length}. Name one of them: ${recordings[0]?.path}`,
    );
  }
  const recording = readRecording(recordings[0]!, options);
  try {
    const aligned = alignRecording(recording, options);
    const report = alignmentReport(recording, aligned, options.sensorWindow ?? 0.1);
    const digest = folderDigest(recordings[0]!.path);
    return { recording, aligned, report, digest, [Symbol.dispose]: () => recording.close() };
  } catch (error) {
    recording.close();
    throw error;
  }
}
