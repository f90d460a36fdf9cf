import { join, relative, resolve } from "node:path";
import { discoverRecordings, type FoundRecording } from "../discover.ts";

/** A recording, and the folder below OUTPUT that belongs to it. */
export interface RecordingTarget {
  readonly found: FoundRecording;
  readonly folder: string;
}

/** Recordings below INPUT; each has the place below OUTPUT that it has below INPUT. */
export function recordingTargets(input: string, output: string): RecordingTarget[] {
  const { recordings, empty } = discoverRecordings([input]);
  if (empty.length > 0) throw new SyntaxError(empty[0]!.error);
  return recordings.filter(({ layout }) => layout.name !== "meca500-log").map((found) => ({
    found,
    folder: join(output, relative(resolve(input), found.path)),
  }));
}
