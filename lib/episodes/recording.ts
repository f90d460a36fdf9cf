/** On-disk layouts of recordings. */
export const LAYOUTS = [
  "recv-all",
  "captures",
  "new-dataset",
  "new-dataset2",
  "meca500-log",
] as const;
/** One of {@linkcode LAYOUTS}. */
export type LayoutName = typeof LAYOUTS[number];

/** Something that a reader of the data should know. */
export interface Finding {
  /** `error`: not usable; `warning`: usable with loss; `info`: worth knowing. */
  readonly severity: "error" | "warning" | "info";
  /** Short stable name, e.g. `sensor.missing`. */
  readonly code: string;
  /** File or folder, with the place in it. */
  readonly where: string;
  /** What was expected and found, and what to do. */
  readonly message: string;
}

/** Which column of the robot's log gives the time. */
export type RobotClock = "origin" | "send" | "recv" | "timestamp";

/** The robot's log as recorded: n rows in file order. */
export interface RobotLog {
  /** Path of the file. */
  readonly file: string;
  /** Which clock `time` is. */
  readonly clock: RobotClock;
  /** (n) times, in seconds, on that clock. */
  readonly time: Float64Array;
  /** (n) times of the receiver's clock; null where the log has none. */
  readonly recvTime: Float64Array | null;
  /**
   * How far this clock is ahead of the robot's own (`origin`), in seconds, with the way in between;
   * recorded offsets of other streams are against the robot's own. Default 0.
   */
  readonly aheadOfOrigin?: number;
  /** (n, 12) joints 1–6 in deg, x y z in mm, a b r in deg. */
  readonly state: Float32Array;
  /** Where the pose comes from. */
  readonly pose: "recorded" | "forward kinematics";
  /** Rows left out because a cell was blank or not a number. */
  readonly blankRows: number;
}

/** The images of one view, in order of time. */
export interface RecordedView {
  /** Name, such as `View1_left` (ZED, left eye), `View5` (hand camera). */
  readonly name: string;
  /** Folder that holds the images. */
  readonly folder: string;
  /** File names in that folder. */
  readonly files: readonly string[];
  /** (files) capture times by the names, in seconds of the cameras' clock. */
  readonly time: Float64Array;
  /** Images left out because their name holds no time. */
  readonly withoutTime: number;
}

/** The OCT and force sensor's rows, read from disk when asked for. */
export interface SensorSource {
  /** Path of the file. */
  readonly file: string;
  /** `raw`: rows; `windowed`: overlapping windows of rows, from which the rows are rebuilt. */
  readonly variant: "raw" | "windowed";
  /** (M) times, in seconds of the sensor's clock, in file order. */
  readonly time: Float64Array;
  /** (M) times at which rows were sent, same clock; null where the file has none. */
  readonly sendTime: Float64Array | null;
  /** Rows that were lost at places that the file does not tell; 0 for raw files. */
  readonly lostInWindows: number;
  /**
   * Reads rows of 1026 values: force, then the A-line.
   *
   * @param start first row
   * @param target (rows, 1026), filled
   */
  readRowsInto(start: number, target: Float32Array): void;
  /** Closes the file. */
  close(): void;
}

/** How far a stream's clock is ahead of the robot's. */
export interface ClockOffset {
  /** Stream's clock minus robot's clock, in seconds; subtracted from the stream's times. */
  readonly seconds: number;
  /** `recorded` beside the data, `given` by the user, or `assumed` to be zero. */
  readonly source: "recorded" | "given" | "assumed";
}

/** Streams whose clocks may differ from the robot's. */
export type OffsetStream = "camera" | "sensor";

/** One recording, whichever layout it is stored in. */
export interface Recording {
  /** Folder name, or file name without extension. */
  readonly name: string;
  /** Folder or file. */
  readonly path: string;
  /** How it is stored. */
  readonly layout: LayoutName;
  /** Name of the task: the folder above. */
  readonly task: string;
  /** What the policy is told. */
  readonly instruction: string;
  /** The robot's log. */
  readonly robot: RobotLog;
  /** Views, sorted by name. */
  readonly views: readonly RecordedView[];
  /** Sensor, or null. */
  readonly sensor: SensorSource | null;
  /** Offsets that were recorded with the data, in seconds. */
  readonly clockOffsets: Readonly<Partial<Record<OffsetStream, number>>>;
  /** What was noticed while reading. */
  readonly findings: readonly Finding[];
  /** Closes files. */
  close(): void;
}
