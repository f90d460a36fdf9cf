/** The robot's log: what its controller reports at 100 Hz. */
import { inverseKinematics } from "../robot/kinematics.ts";
import { type SimulatedRobot, STEP_SECONDS } from "./_robot.ts";
import { Stream } from "./_stream.ts";
import { wrapDegrees } from "../robot/rotation.ts";

const JITTER = 0.0005; // s
const READ_NOISE = 0.003; // mm, °
const CLOCK_REFRESH = 0.005; // s
const MILLISECOND = 0.001; // s

/** Samples of the robot; times are seconds since the start. */
export interface RobotLog {
  /** `(m,)` when the steps happened. */
  readonly trueTime: Float64Array;
  /** `(m,)` when the pose was read, which is also its stamp; not decreasing. */
  readonly time: Float64Array;
  /** `(m·6)` x, y, z in mm, a, b, r in degrees within [−180, 180), with read-out noise. */
  readonly pose: Float64Array;
  /** `(m·6)` joints of exactly that pose, degrees, continuous in time. */
  readonly joints: Float64Array;
}

/** Reads a robot's motion as its log. */
export function readRobotLog(robot: SimulatedRobot): RobotLog {
  const stream = new Stream(robot.scene.seed, 4);
  const samples = robot.count;
  const jitter = stream.normals(samples), noise = stream.normals(6 * samples);
  const trueTime = Float64Array.from({ length: samples }, (_, i) => i * STEP_SECONDS);
  const time = trueTime.map((seconds, i) => seconds + JITTER * jitter[i]!);
  const pose = new Float64Array(6 * samples), joints = new Float64Array(6 * samples);
  const state = new Float64Array(6);
  for (let i = 0; i < samples; i++) {
    time[i] = Math.max(time[i]!, time[i - 1] ?? -Infinity);
    robot.poseAt(time[i]!, state);
    for (let axis = 0; axis < 6; axis++) {
      const value = state[axis]! + READ_NOISE * noise[6 * i + axis]!;
      pose[6 * i + axis] = axis < 3 ? value : wrapDegrees(value);
    }
    const before = i > 0 ? joints.subarray(6 * i - 6, 6 * i) : undefined;
    joints.set(inverseKinematics(pose.subarray(6 * i, 6 * i + 6), before), 6 * i);
  }
  return { trueTime, time, pose, joints };
}

/** The same times by a clock that is looked at every 5 ms and gives whole milliseconds. */
export function quantiseTimes(time: Float64Array): Float64Array {
  return time.map((seconds) => {
    const refreshed = Math.floor(seconds / CLOCK_REFRESH) * CLOCK_REFRESH;
    return Math.round(refreshed / MILLISECOND) * MILLISECOND;
  });
}
