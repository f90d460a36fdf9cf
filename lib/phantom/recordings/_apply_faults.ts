import { Stream } from "../_stream.ts";
import { turnAngle, wrapRows } from "./_angle_wrap.ts";
import { backwardJumps, blankCells, duplicates, gaps, jitter } from "./_robot_faults.ts";
import { cameraGaps, datagramsIn, loseDatagrams, loseFrames } from "./_stream_faults.ts";
import type { RobotTable, SensorRows, Take } from "./_take.ts";
import { type Fault, type FaultName, FAULTS } from "./fault.ts";
import type { FaultPlace, Injected, InjectedFault } from "./injected.ts";

/** Faults draw from these streams of the episode's seed, each from its own. */
const FIRST_STREAM = 900;
const ORDER: readonly FaultName[] = [
  "missing-sensor",
  "missing-view",
  "right-eyes",
  "clock-offset",
  "clock-offset-camera",
  "clock-offset-recv",
  "jitter",
  "gap",
  "gap-sensor",
  "packet-loss",
  "gap-camera",
  "frame-loss",
  "duplicates",
  "backward-jump",
  "angle-wrap",
  "blank-cell",
];

/** The random numbers of a fault. */
export function faultStream(seed: number, name: FaultName): Stream {
  return new Stream(seed, FIRST_STREAM + Object.keys(FAULTS).indexOf(name));
}

/**
 * Puts the faults into a recording that concern its streams, not its files.
 *
 * @throws {RangeError} when it has no room for one, or not the stream
 */
export function applyFaults(take: Take, faults: readonly Fault[]): Injected {
  const late: (() => void)[] = [];
  const injected: Injected = {};
  for (const name of ORDER) {
    for (const fault of faults.filter((each) => each.name === name)) {
      const result = apply(take, fault);
      // Later faults move rows: places are counted when all is done.
      if (typeof result === "function") late.push(() => injected[name] = result());
      else injected[name] = merge(injected[name], result);
    }
  }
  for (const finish of late) finish();
  return injected;
}

function apply(take: Take, fault: Fault): InjectedFault | (() => InjectedFault) {
  const { name, value: seconds = 0, count = 0 } = fault;
  const random = faultStream(take.source.seed, name);
  switch (name) {
    case "missing-sensor":
      take.sensor = null;
      return { count: 1 };
    case "missing-view":
      take.cameras = take.cameras.filter(({ view }) => view !== fault.view);
      return { count: 1, places: [{ view: fault.view! }] };
    case "right-eyes":
      take.rightEyes = true;
      return { count: 1 };
    case "clock-offset": {
      const sensor = sensorOf(take, name);
      sensor.time = sensor.time.map((time) => time + seconds);
      sensor.sendTime = sensor.sendTime.map((time) => time + seconds);
      take.clockOffsets.sensor += seconds;
      return { seconds };
    }
    case "clock-offset-camera":
      for (const camera of take.cameras) camera.time = camera.time.map((time) => time + seconds);
      take.clockOffsets.camera += seconds;
      return { seconds };
    case "clock-offset-recv":
      take.robot.recv = take.robot.recv.map((time) => time + seconds);
      take.receiverOffset += seconds;
      return { seconds };
    case "jitter":
      return { seconds, largest: jitter(take.robot, seconds, random) };
    case "gap": {
      const before = take.robot.send.length;
      const numbers = gaps(take, seconds, count, random);
      const lost = before - take.robot.send.length;
      return () => ({ count, lost, places: holes(take.robot, numbers) });
    }
    case "gap-sensor":
    case "packet-loss": {
      const length = name === "packet-loss" ? 1 : datagramsIn(seconds);
      const sensor = sensorOf(take, name);
      const { lost, rows } = loseDatagrams(take, sensor, { count, length, random, what: name });
      return () => ({ count, lost, places: sensorHoles(take.sensor!, rows) });
    }
    case "gap-camera": {
      const { lost, starts } = cameraGaps(take, seconds, count, random);
      return { count, lost, places: starts.map((time) => ({ time, seconds })) };
    }
    case "frame-loss": {
      const places = loseFrames(take, count, random);
      return { count, lost: places.length, places };
    }
    case "duplicates": {
      const numbers = duplicates(take, count, random);
      return () => ({ count, places: rowsOf(take.robot, numbers, 1) });
    }
    case "backward-jump": {
      const numbers = backwardJumps(take, seconds, count, random);
      return () => ({ count, seconds, places: rowsOf(take.robot, numbers, 0) });
    }
    case "angle-wrap": {
      const turn = turnAngle(take.robot, count);
      const places = wrapRows(take.robot, 3).map((row) => ({ row, time: take.robot.send[row]! }));
      return { count, ...turn, places };
    }
    case "blank-cell": {
      blankCells(take, count, random);
      const places = take.robot.blanks.map(({ row, column }) => {
        return { row, time: take.robot.send[row]!, column: take.columns[column]! };
      });
      return { count, places };
    }
    default:
      throw new TypeError(`Cannot inject the fault ${name}: it concerns files, not streams.`);
  }
}

function sensorOf({ sensor }: Take, name: FaultName): SensorRows {
  if (sensor !== null) return sensor;
  throw new RangeError(
    `Cannot inject the fault ${name}: the recording has no sensor rows, current value is none. ` +
      "Leave the fault out, or record the sensor.",
  );
}

/** File rows of rows numbered before any fault; `copy` 1 is the second of a row written twice. */
function rowsOf(robot: RobotTable, numbers: readonly number[], copy: number): FaultPlace[] {
  return numbers.map((number) => {
    const row = robot.source.indexOf(number) + copy;
    return { row, time: robot.send[row]! };
  });
}

function holes(robot: RobotTable, numbers: readonly number[]): FaultPlace[] {
  return rowsOf(robot, numbers, 0).map(({ row, time }) => {
    return { row: row!, time: time!, seconds: time! - robot.send[row! - 1]! };
  });
}

function sensorHoles(sensor: SensorRows, numbers: readonly number[]): FaultPlace[] {
  return numbers.map((number) => {
    const row = sensor.source.indexOf(number);
    const time = sensor.time[row]!;
    return { row, time, seconds: time - sensor.time[row - 1]! };
  });
}

function merge(first: InjectedFault | undefined, second: InjectedFault): InjectedFault {
  if (first === undefined) return second;
  return {
    ...second,
    count: (first.count ?? 0) + (second.count ?? 0),
    places: [...first.places ?? [], ...second.places ?? []],
  };
}
