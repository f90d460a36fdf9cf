import { DATAGRAM_ROWS } from "../_clocks.ts";
import { SENSOR_VALUES } from "../_sensor.ts";
import type { PhantomView } from "../scene.ts";
import type { PhantomLayoutTraits } from "./layout.ts";
import type { RecordingSource, SensorSource } from "./source.ts";

/** From the robot to the receiver. */
const NETWORK_SECONDS = 0.0015;
/** A receiver that polls looks this often; all messages of one look share its time. */
const POLL_SECONDS = 0.025;
/** From the last row of a datagram to its departure. */
const SENDING_SECONDS = 0.0003;

const AXES = ["x", "y", "z", "a", "b", "r"];
const JOINTS = [1, 2, 3, 4, 5, 6];
const RECEIVER_COLUMNS = [
  ...JOINTS.map((i) => `joint_${i}`),
  ...AXES.map((axis) => `pose_${axis}`),
];
const CONTROLLER_COLUMNS = [
  ...JOINTS.map((i) => `joint_angle_${i}`),
  ...AXES.map((axis) => `EE_${axis}`),
];

/** The robot log as it will be written; `source` is each row's number before any fault. */
export interface RobotTable {
  source: Int32Array;
  recv: Float64Array;
  origin: Float64Array;
  send: Float64Array;
  /** `(rows·6)` */
  pose: Float64Array;
  /** `(rows·6)` */
  joints: Float64Array;
  /** Cells left empty: column 0 to 5 joints, 6 to 11 pose. */
  blanks: { row: number; column: number }[];
}

/** The frames of a camera that will be written. */
export interface FrameList {
  readonly view: PhantomView;
  time: Float64Array;
  frame: (k: number) => Uint8Array;
}

/** The sensor rows that will be written. */
export interface SensorRows {
  source: Int32Array;
  time: Float64Array;
  /** When the row's datagram was sent, seconds on the sensor's clock. */
  sendTime: Float64Array;
  /** Number of the row's datagram, from 0. */
  datagram: Int32Array;
  /** `(end − start)·1026` */
  read: (start: number, end: number) => Float32Array;
}

/** One recording while faults are put into it. */
export interface Take {
  readonly source: RecordingSource;
  /** Names of the columns of joints and pose in the robot log. */
  readonly columns: readonly string[];
  robot: RobotTable;
  cameras: FrameList[];
  sensor: SensorRows | null;
  rightEyes: boolean;
  clockOffsets: { camera: number; sensor: number };
  receiverOffset: number;
}

/** A recording as it happened, without faults. */
export function createTake(source: RecordingSource, traits: PhantomLayoutTraits): Take {
  return {
    source,
    columns: traits.receiver === "none" ? CONTROLLER_COLUMNS : RECEIVER_COLUMNS,
    robot: createRobot(source, traits.receiver === "poll"),
    cameras: source.cameras.map((camera) => ({
      view: camera.view,
      time: camera.time.slice(),
      frame: (k) => camera.frame(k),
    })),
    sensor: traits.hasSensor && source.sensor !== null ? createSensor(source.sensor) : null,
    rightEyes: traits.rightEyes === "always",
    clockOffsets: { camera: source.clockOffsets.camera, sensor: source.clockOffsets.sensor },
    receiverOffset: source.receiverOffset,
  };
}

function createRobot(source: RecordingSource, polls: boolean): RobotTable {
  const { time, origin, pose, joints } = source.robot;
  return {
    source: Int32Array.from(time, (_, row) => row),
    recv: time.map((send) => {
      const arrival = send + NETWORK_SECONDS - source.startTime;
      const seen = polls ? Math.ceil(arrival / POLL_SECONDS) * POLL_SECONDS : arrival;
      return source.startTime + seen + source.receiverOffset;
    }),
    origin: origin.slice(),
    send: time.slice(),
    pose: pose.slice(),
    joints: joints.slice(),
    blanks: [],
  };
}

function createSensor(source: SensorSource): SensorRows {
  const { time } = source;
  const datagram = source.index.map((row) => Math.floor(row / DATAGRAM_ROWS));
  const sendTime = new Float64Array(time.length);
  for (let end = time.length - 1, row = end; row >= 0; row--) {
    if (datagram[row] !== datagram[end]) end = row;
    sendTime[row] = time[end]! + SENDING_SECONDS;
  }
  return {
    source: Int32Array.from(time, (_, row) => row),
    time: time.slice(),
    sendTime,
    datagram,
    read: (start, end) => source.rows(start, end),
  };
}

/** Keeps some rows of the robot log, in the order given; a row may be kept twice. */
export function selectRobotRows(robot: RobotTable, rows: readonly number[]): RobotTable {
  const pick = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
  const pickSix = (values: Float64Array) => {
    const picked = new Float64Array(rows.length * 6);
    rows.forEach((row, at) => picked.set(values.subarray(6 * row, 6 * row + 6), 6 * at));
    return picked;
  };
  return {
    source: Int32Array.from(rows, (row) => robot.source[row]!),
    recv: pick(robot.recv),
    origin: pick(robot.origin),
    send: pick(robot.send),
    pose: pickSix(robot.pose),
    joints: pickSix(robot.joints),
    blanks: robot.blanks,
  };
}

/** Keeps the frames that `isKept` wants. */
export function filterFrames(frames: FrameList, isKept: (k: number) => boolean): FrameList {
  const kept = Array.from(frames.time.keys()).filter(isKept);
  const { view, time, frame } = frames;
  return { view, time: Float64Array.from(kept, (k) => time[k]!), frame: (k) => frame(kept[k]!) };
}

/** Keeps the sensor rows that `isKept` wants. */
export function filterSensor(sensor: SensorRows, isKept: (row: number) => boolean): SensorRows {
  const kept = Int32Array.from(Array.from(sensor.time.keys()).filter(isKept));
  const read = (start: number, end: number) => {
    const target = new Float32Array((end - start) * SENSOR_VALUES);
    for (let row = start; row < end;) {
      let next = row + 1; // rows that followed each other are read together
      while (next < end && kept[next]! === kept[next - 1]! + 1) next++;
      target.set(sensor.read(kept[row]!, kept[next - 1]! + 1), (row - start) * SENSOR_VALUES);
      row = next;
    }
    return target;
  };
  return {
    source: kept.map((row) => sensor.source[row]!),
    time: Float64Array.from(kept, (row) => sensor.time[row]!),
    sendTime: Float64Array.from(kept, (row) => sensor.sendTime[row]!),
    datagram: kept.map((row) => sensor.datagram[row]!),
    read,
  };
}
