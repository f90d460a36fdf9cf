/** The phantom under the control of a policy: what it sees, how it moves, whether it succeeds. */
import { GOAL_DEPTH, tipGeometry } from "./expert.ts";
import { renderFrame } from "./_render.ts";
import { SimulatedRobot, STEPS_PER_SECOND } from "./_robot.ts";
import { ACTION_SECONDS, ACTION_VALUES } from "./samples.ts";
import { PHANTOM_VIEWS, type PhantomScene } from "./scene.ts";
import { measureRow, SENSOR_HZ, SENSOR_VALUES } from "./_sensor.ts";
import { streamWords } from "./_stream.ts";
import { thumbnail, visualFeature } from "./thumbnail.ts";
import { wrapDegrees } from "../robot/rotation.ts";

/** How a closed-loop run is set up. */
export interface ClosedLoopOptions {
  /** Length of the run; default 10. */
  readonly seconds?: number;
  /** Whether the robot's velocity wanders; default true. */
  readonly processNoise?: boolean;
  /** Reduction of the frames: 1 for 640×360, 5 for 128×72; default 5. */
  readonly raster?: 1 | 5;
  /** Newest rows of the sensor that are seen, at 650 Hz; default 65, 100 ms. */
  readonly sensorRows?: number;
}

/** What a policy may know at a moment; frames and rows are computed when they are asked for. */
export interface ClosedLoopObservation {
  /** Seconds since the start. */
  readonly time: number;
  /** Per view the newest frame, `(height·width·3)` 0 to 255, not rounded. */
  readonly frames: readonly Float32Array[];
  /** `(5)` when these frames were taken, seconds since the start. */
  readonly frameTimes: readonly number[];
  /** `(2048)` see {@linkcode visualFeature}. */
  readonly feature: Float32Array;
  /**
   * `(sensorRows·1026)` the newest sensor rows, oldest first: force, then A-line. Before the start the
   * robot rests. Rows begin 0.2 s before it, as in recordings; older ones are 0.
   */
  readonly sensor: Float32Array;
  /** `(sensorRows)` 1 for measured rows, 0 for those before the first. */
  readonly sensorMask: Uint8Array;
  /** `(sensorRows)` when the rows were measured, seconds since the start. */
  readonly sensorTimes: Float64Array;
}

/** How a closed-loop run went. */
export interface ClosedLoopResult {
  /** All five criteria hold. */
  readonly isSuccess: boolean;
  /** Each criterion by itself. */
  readonly criteria: {
    /** The tip touches the membrane within 0.5 mm of the axis. */
    readonly lateral: boolean;
    /** The membrane is punctured. */
    readonly puncture: boolean;
    /** The depth is 2.0 ± 0.3 mm during all of the last second. */
    readonly depth: boolean;
    /** The tip touches at 3.0 mm/s or less. */
    readonly speed: boolean;
    /** The tip is never deeper than 2.3 mm after the puncture; holds without one. */
    readonly overshoot: boolean;
  };
  /** Distance from the axis at contact, mm; NaN without contact. */
  readonly lateralError: number;
  /** Speed along the axis at contact, mm/s; NaN without contact. */
  readonly contactSpeed: number;
  /** Distance of the final depth from 2.0 mm, mm. */
  readonly depthError: number;
  /** Greatest depth after the puncture, mm; NaN without puncture. */
  readonly maxDepth: number;
}

/** A run in progress. */
export interface ClosedLoop {
  /** The scene: ground truth, not for policies. */
  readonly scene: PhantomScene;
  /** Seconds since the start. */
  readonly time: number;
  /** Whether the run has reached its end. */
  readonly isDone: boolean;
  /** Whether the membrane is punctured: ground truth. */
  readonly isPunctured: boolean;
  /** `(6)` true pose: x, y, z in mm, a, b, r in degrees within [−180, 180). */
  readonly pose: Float64Array;
  /**
   * What a policy sees at a time; the same time gives the same observation.
   *
   * @param time seconds since the start, a multiple of 0.1, not in the future; default now
   * @throws {RangeError} if the time is another
   */
  observe(time?: number): ClosedLoopObservation;
  /**
   * Executes actions, each as a constant velocity for 0.1 s, until the end of the run at most.
   *
   * @param chunk `(n·7)` differences of x, y, z in mm and of a, b, r in degrees; the seventh
   * value of each action is not used
   * @param actions how many of them to execute; default all
   * @throws {RangeError} if the chunk has another length, fewer actions, or values that are not finite
   */
  apply(chunk: ArrayLike<number>, actions?: number): void;
  /**
   * Executes one step of 0.01 s.
   *
   * @param velocity `(6)` mm/s and °/s
   */
  step(velocity: ArrayLike<number>): void;
  /**
   * Judges the run.
   *
   * @throws {RangeError} if it has not reached its end
   */
  result(): ClosedLoopResult;
}

/** Default of `sensorRows`. */
const WINDOW_ROWS = 65;
/** A run's rows and the 0.2 s before it. */
const MOST_ROWS = 100_000;
/** Time of the first row, s; recordings begin there too. */
const FIRST_ROW = -0.2;
const FRAME_SECONDS = 0.2;
const STEPS_PER_ACTION = Math.round(ACTION_SECONDS * STEPS_PER_SECOND);
const MAX_LATERAL = 0.5, MAX_SPEED = 3, DEPTH_TOLERANCE = 0.3; // mm, mm/s, mm

/**
 * Starts a closed-loop run: the robot rests at the start pose, nothing disturbs it but its own
 * noise. A function of scene, options and the actions applied.
 *
 * @param scene the scene
 * @param options length, noise, size of frames
 * @returns the run
 * @throws {RangeError} if the length is not a positive multiple of 0.01 s, or the window has no rows
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createClosedLoop, expertVelocity, sampleScene } from "./mod.ts";
 *
 * const scene = sampleScene(9000);
 * const run = createClosedLoop(scene);
 * assert.equal(run.observe().feature.length, 2048);
 * while (!run.isDone) run.step(expertVelocity(scene, run.pose, run.isPunctured));
 * assert(run.result().isSuccess);
 * ```
 */
export function createClosedLoop(
  scene: PhantomScene,
  options: ClosedLoopOptions = {},
): ClosedLoop {
  const { seconds = 10, processNoise = true, raster = 5, sensorRows = WINDOW_ROWS } = options;
  const steps = Math.round(seconds * STEPS_PER_SECOND);
  if (!(steps > 0) || Math.abs(steps - seconds * STEPS_PER_SECOND) > 1e-6) {
    throw new RangeError(
      `Cannot start a closed loop: its length must be a positive multiple of 0.01 s, ` +
        `current value is ${seconds}. Use 10`,
    );
  }
  if (!(Number.isInteger(sensorRows) && sensorRows >= 1 && sensorRows <= MOST_ROWS)) {
    throw new RangeError(
      `Cannot start a closed loop: sensorRows must be a whole number from 1 to ${MOST_ROWS}, ` +
        `current value is ${sensorRows}. Use what the policy was trained with`,
    );
  }
  const robot = new SimulatedRobot(scene, [], processNoise);
  const isDone = () => robot.count > steps;
  const step = (velocity: ArrayLike<number>) => {
    if (!isDone()) robot.step(velocity);
  };
  return {
    scene,
    get time() {
      return robot.time;
    },
    get isDone() {
      return isDone();
    },
    get isPunctured() {
      return robot.isPunctured;
    },
    get pose() {
      return robot.pose.map((value, i) => i < 3 ? value : wrapDegrees(value));
    },
    observe: (time = robot.time) => observe(robot, time, raster, sensorRows),
    apply: (chunk, actions = chunk.length / ACTION_VALUES) => {
      for (const velocity of velocitiesOf(chunk, actions)) {
        for (let i = 0; i < STEPS_PER_ACTION; i++) step(velocity);
      }
    },
    step,
    result: () => {
      if (isDone()) return judge(robot);
      throw new RangeError(
        `Cannot judge a closed loop: it ends at ${seconds} s, current value is ${robot.time} s. ` +
          `Apply more actions until isDone`,
      );
    },
  };
}

function observe(
  robot: SimulatedRobot,
  time: number,
  raster: 1 | 5,
  sensorRows: number,
): ClosedLoopObservation {
  const query = Math.round(10 * time);
  if (Math.abs(query - 10 * time) > 1e-6 || query < 0 || time > robot.time + 1e-9) {
    throw new RangeError(
      `Cannot observe the phantom: the time must be a multiple of 0.1 s from 0 to ` +
        `${robot.time} s, current value is ${time}. Query between actions`,
    );
  }
  const { scene } = robot;
  const frameTimes = scene.cameraPhases.map((phase) =>
    phase + FRAME_SECONDS * Math.floor((time - phase) / FRAME_SECONDS + 1e-9)
  );
  const frames = once(() => {
    const pose = new Float64Array(6);
    const words = streamWords(scene.seed, 107 + query, PHANTOM_VIEWS.length);
    return frameTimes.map((taken, view) =>
      renderFrame(scene, view, robot.poseAt(taken, pose), words[view]!, raster).slice()
    );
  });
  const rows = once(() => observeSensor(robot, time, query, sensorRows));
  return {
    time,
    frameTimes,
    get frames() {
      return frames();
    },
    get feature() {
      return visualFeature(frames().map((frame) => thumbnail(frame)), scene.task);
    },
    get sensor() {
      return rows().sensor;
    },
    get sensorMask() {
      return rows().sensorMask;
    },
    get sensorTimes() {
      return rows().sensorTimes;
    },
  };
}

/** Computes when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The newest rows; those of a shorter window are the end of a longer one. */
function observeSensor(robot: SimulatedRobot, time: number, query: number, rows: number) {
  const words = streamWords(robot.scene.seed, 1006 + query, Math.max(rows, WINDOW_ROWS));
  const sensor = new Float32Array(rows * SENSOR_VALUES);
  const sensorMask = new Uint8Array(rows), sensorTimes = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const age = rows - 1 - row;
    const measured = sensorTimes[row] = time - age / SENSOR_HZ;
    if (measured < FIRST_ROW - 1e-9) continue;
    sensorMask[row] = 1;
    const word = words[age < WINDOW_ROWS ? WINDOW_ROWS - 1 - age : age]!;
    measureRow(sensor, row * SENSOR_VALUES, robot, measured, word);
  }
  return { sensor, sensorMask, sensorTimes };
}

function velocitiesOf(chunk: ArrayLike<number>, actions: number): Float64Array[] {
  const length = chunk.length / ACTION_VALUES;
  if (!Number.isInteger(length) || !Number.isInteger(actions) || actions < 0 || actions > length) {
    throw new RangeError(
      `Cannot apply a chunk: it must hold ${ACTION_VALUES} values per action and all ` +
        `actions to execute, current value is ${chunk.length} values for ${actions} actions. ` +
        `Pass a flat array`,
    );
  }
  return Array.from({ length: actions }, (_, action) =>
    Float64Array.from({ length: 6 }, (_, i) => {
      const value = chunk[action * ACTION_VALUES + i]!;
      if (Number.isFinite(value)) return value / ACTION_SECONDS;
      throw new RangeError(
        `Cannot apply a chunk: value ${i} of action ${action} is not finite, ` +
          `current value is ${value}. Check the policy's output`,
      );
    }));
}

function judge(robot: SimulatedRobot): ClosedLoopResult {
  const { scene, contact } = robot;
  const depths = Array.from(
    { length: robot.count },
    (_, i) => -tipGeometry(scene, robot.states.subarray(6 * i, 6 * i + 3)).tipDistance,
  );
  const holding = depths.slice(Math.max(1, robot.count - STEPS_PER_SECOND));
  const after = robot.isPunctured
    ? depths.slice(Math.round(robot.punctureTime * STEPS_PER_SECOND))
    : [];
  const lateralError = contact?.lateral ?? NaN, contactSpeed = contact?.speed ?? NaN;
  const maxDepth = after.length > 0 ? Math.max(...after) : NaN;
  const criteria = {
    lateral: lateralError <= MAX_LATERAL,
    puncture: robot.isPunctured,
    depth: holding.every((depth) => Math.abs(depth - GOAL_DEPTH) <= DEPTH_TOLERANCE),
    speed: contactSpeed <= MAX_SPEED,
    overshoot: !(maxDepth > GOAL_DEPTH + DEPTH_TOLERANCE),
  };
  return {
    isSuccess: Object.values(criteria).every(Boolean),
    criteria,
    lateralError,
    contactSpeed,
    depthError: Math.abs(depths.at(-1)! - GOAL_DEPTH),
    maxDepth,
  };
}
