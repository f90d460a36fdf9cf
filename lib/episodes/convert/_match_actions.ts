import { breathe } from "../_breathe.ts";
import type { ActionOptions } from "../actions.ts";
import { type AlignedRecording, alignRecording } from "../align.ts";
import { discoverRecordings } from "../discover.ts";
import { readMetadata } from "../layouts/_metadata.ts";
import type { LayoutContents } from "../layouts/layout.ts";
import type { Finding, RecordedView, Recording, RobotClock } from "../recording.ts";

/** The recording that a list of actions was made from, with their times. */
export interface MatchedRecording {
  /** The recording, with the views it was given. */
  readonly recording: Recording;
  /** It, aligned as the list's maker did. */
  readonly aligned: AlignedRecording;
  /** How the list was made. */
  readonly made: { readonly angles: "wrapped" | "raw"; readonly compat: boolean };
}

/** What is known of a recording besides its own files. */
export interface KnownFacts {
  readonly action: Float32Array;
  readonly actionHz: number;
  readonly name: string;
  readonly task: string;
  readonly instruction: string;
  readonly views: readonly RecordedView[];
}

const WAYS = [
  { angles: "wrapped", compat: false },
  { angles: "raw", compat: false },
  { angles: "raw", compat: true },
] as const;

/**
 * Replays step 0 on the robot log in a folder, in every way that it is done (our list, with and
 * without wrapped angles, and the Python reference's, on either clock), and gives the one whose list
 * of actions is equal bit for bit.
 *
 * @returns null without a recording, or with one that no way fits
 * @throws {SyntaxError} when the recording's sensor file is damaged
 */
export async function matchActions(
  folder: string,
  facts: KnownFacts,
  findings: Finding[],
  signal?: AbortSignal,
): Promise<MatchedRecording | null> {
  const found = discoverRecordings([folder]).recordings
    .find(({ path, layout }) => path === folder && layout.name !== "meca500-log");
  if (found === undefined) return null;
  for (const clock of [undefined, "recv", "send"] as const) {
    await breathe(signal);
    const noticed: Finding[] = [];
    const contents = readContents(() => found.layout.read(folder, { findings: noticed, clock }));
    if (contents === null) continue;
    const made = WAYS.find((way) => isSame(contents, way, facts));
    if (made === undefined) continue;
    findings.push(...noticed);
    const recording = recordingOf(found.path, found.layout.name, contents, facts, findings);
    const options = { ...made, actionHz: facts.actionHz };
    return { recording, aligned: alignRecording(recording, options), made };
  }
  findings.push({
    severity: "warning",
    code: "action.no-match",
    where: folder,
    message: "The robot log here does not give these actions, in whichever way they are made.",
  });
  return null;
}

/** A log that is missing, damaged, or without this clock is no match. */
function readContents(read: () => LayoutContents): LayoutContents | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isSame(
  { robot }: LayoutContents,
  way: Pick<ActionOptions, "angles"> & { readonly compat: boolean },
  { action, actionHz }: KnownFacts,
): boolean {
  const bare: Recording = {
    name: "",
    path: "",
    layout: "recv-all",
    task: "",
    instruction: "",
    robot,
    views: [],
    sensor: null,
    clockOffsets: {},
    findings: [],
    close() {},
  };
  try {
    const { actions } = alignRecording(bare, { ...way, actionHz });
    return actions.action.length === action.length &&
      actions.action.every((value, i) => Object.is(value, action[i]));
  } catch (error) {
    if (error instanceof RangeError) return false; // fewer than two rows
    throw error;
  }
}

function recordingOf(
  path: string,
  layout: Recording["layout"],
  contents: LayoutContents,
  { name, task, instruction, views }: KnownFacts,
  findings: Finding[],
): Recording {
  const sensor = contents.openSensor();
  return {
    name,
    path,
    layout,
    task,
    instruction,
    robot: contents.robot,
    views,
    sensor,
    clockOffsets: readMetadata(path).clockOffsets,
    findings,
    close: () => sensor?.close(),
  };
}

/** Clock name for a manifest. */
export function robotClockName(clock: RobotClock): string {
  return `robot ${clock}`;
}
