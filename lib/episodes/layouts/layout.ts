import type {
  Finding,
  LayoutName,
  RecordedView,
  RobotClock,
  RobotLog,
  SensorSource,
} from "../recording.ts";

/** A folder as a layout sees it before it reads anything. */
export interface FolderView {
  /** Name of the folder. */
  readonly name: string;
  /** Names of the files in it. */
  readonly files: readonly string[];
}

/** What a layout reads; times as recorded. */
export interface LayoutContents {
  /** The robot's log. */
  readonly robot: RobotLog;
  /** Views, sorted by name. */
  readonly views: readonly RecordedView[];
  /** Opens the sensor file, if there is one. */
  readonly openSensor: () => SensorSource | null;
}

/** How a layout is asked to read. */
export interface LayoutOptions {
  /** Where it reports what it notices. */
  readonly findings: Finding[];
  /** Clock of the robot log; default the layout's first. */
  readonly clock?: RobotClock | undefined;
}

/** One way in which recordings lie on disk. */
export interface Layout {
  /** Its name. */
  readonly name: LayoutName;
  /** Whether a folder is a recording of this layout, by its name or its files. */
  readonly claims: (folder: FolderView) => boolean;
  /** Reads one recording. */
  readonly read: (path: string, options: LayoutOptions) => LayoutContents;
  /** Instruction of a task that no rule knows. */
  readonly fallbackInstruction?: (task: string) => string;
}
