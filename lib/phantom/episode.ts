/** One demonstration as the laboratory would record it, with the truth beside it. */
import { FRAME_HEIGHT, FRAME_WIDTH } from "./_camera.ts";
import { type ClockMode, type PerClock, stampStreams } from "./_clocks.ts";
import { PUSH_SECONDS, samplePushes } from "./disturbances.ts";
import { createCamera, createSensor, pick } from "./_episode_streams.ts";
import { expertVelocity } from "./expert.ts";
import type { Vector3 } from "../robot/_geometry.ts";
import { assertReduction } from "./_render.ts";
import { SimulatedRobot, STEPS_PER_SECOND } from "./_robot.ts";
import { quantiseTimes, readRobotLog } from "./_robot_log.ts";
import {
  type PhantomScene,
  type PhantomTask,
  type PhantomView,
  sampleScene,
  taskInstruction,
} from "./scene.ts";
import { SENSOR_HZ } from "./_sensor.ts";
import { streamWords } from "./_stream.ts";

export type { ClockMode, PerClock };

/** What to simulate. */
export interface PhantomOptions {
  /** Integer from 0 to 2^32 − 1. By convention 1000 + i trains, 5000 + i validates, 9000 + i tests. */
  readonly seed: number;
  /** Task; default `Blue_point`. */
  readonly task?: PhantomTask;
  /** How the streams are stamped; default `true`, all clocks agree. */
  readonly clock?: ClockMode;
  /** Whether the robot's origin stamps are coarse (refreshed every 5 ms); default false. */
  readonly robotQuantise?: boolean;
  /** Whether pushes disturb the demonstration; default true. */
  readonly disturbances?: boolean;
  /** Whether the robot's velocity wanders; default true. */
  readonly processNoise?: boolean;
  /** Factor by which frames are smaller than 640×360, a divisor of both; default 1. */
  readonly raster?: number;
  /** The scene, with this seed and task; default the one drawn for them. */
  readonly scene?: PhantomScene;
}

/** The robot's log. Unix seconds by the robot's clock, unless it says true. */
export interface PhantomRobotLog {
  /** `(m,)` seconds since the start. */
  readonly trueTime: Float64Array;
  /** `(m,)` stamps at full resolution, not decreasing. */
  readonly time: Float64Array;
  /** `(m,)` stamps as published: coarse if `robotQuantise`, else the same. */
  readonly origin: Float64Array;
  /** `(m·6)` x, y, z in mm, a, b, r in degrees within [−180, 180), with read-out noise. */
  readonly pose: Float64Array;
  /** `(m·6)` joints 1 to 6 of that pose, degrees, continuous. */
  readonly joints: Float64Array;
}

/** The frames of one camera that were not lost. */
export interface PhantomCamera {
  /** Which camera. */
  readonly view: PhantomView;
  /** `(F,)` seconds since the start. */
  readonly trueTime: Float64Array;
  /** `(F,)` stamps, Unix seconds by the cameras' clock. */
  readonly time: Float64Array;
  /** `(F,)` number of each frame when lost ones are counted too. */
  readonly index: Int32Array;
  /** `(F,)` random word of each frame: flicker and pixel noise follow from it. */
  readonly words: Uint32Array;
  /** RGB raster of frame k, `height · width · 3` bytes, rendered now. */
  frame(k: number): Uint8Array<ArrayBuffer>;
  /** Thumbnail of frame k before rounding and JPEG, `(384)`; `reduction` 1 or 5, default 5. */
  thumbnail(k: number, reduction?: 1 | 5): Float32Array;
}

/** The sensor's rows that were not lost. */
export interface PhantomSensor {
  /** `(M,)` seconds since the start. */
  readonly trueTime: Float64Array;
  /** `(M,)` stamps, Unix seconds by the sensor's clock. */
  readonly time: Float64Array;
  /** `(M,)` number of each row when lost ones are counted too. */
  readonly index: Int32Array;
  /** Rows start to end (not included), each force and 1025 A-line values, computed now. */
  rows(start: number, end: number): Float32Array<ArrayBuffer>;
}

/** What only a simulator knows. None of it may be an input of a policy. */
export interface PhantomTruth {
  /** Clock minus robot clock at the start, seconds. */
  readonly clockOffset: PerClock;
  /** Growth of that difference, seconds per second. */
  readonly clockDrift: PerClock;
  /** Per view: numbers of the lost frames. */
  readonly lostFrames: readonly (readonly number[])[];
  /** Numbers of the lost sensor rows. */
  readonly lostRows: readonly number[];
  /** When the tip was first 4 mm or closer to the membrane, seconds since the start. */
  readonly tDec: number;
  /** When it touched, seconds since the start. */
  readonly tContact: number;
  /** When the membrane was punctured, seconds since the start. */
  readonly tPun: number;
  /** When the tip was first 1.9 mm deep, seconds since the start. */
  readonly tStop: number;
  /** Pushes that began before the end: start and end, seconds since the start. */
  readonly disturbances: readonly (readonly [start: number, end: number])[];
  /** Distance of the membrane behind the plate, mm. */
  readonly h: number;
  /** Target port, mm in the base frame. */
  readonly target: Vector3;
}

/** A simulated demonstration. */
export interface PhantomEpisode {
  /** Seed it follows from. */
  readonly seed: number;
  /** Task. */
  readonly task: PhantomTask;
  /** Task in words. */
  readonly instruction: string;
  /** The scene; like {@linkcode PhantomEpisode.truth}, nothing of it may reach a policy. */
  readonly scene: PhantomScene;
  /** Unix seconds of the start, by the robot's clock. */
  readonly startTime: number;
  /** Seconds from start to end. */
  readonly duration: number;
  /** Width and height of the frames, pixels. */
  readonly raster: readonly [width: number, height: number];
  /** Robot log. */
  readonly robot: PhantomRobotLog;
  /** View1 to View5. */
  readonly cameras: readonly PhantomCamera[];
  /** OCT and force. */
  readonly sensor: PhantomSensor;
  /** Ground truth, plain values that can be written as JSON. */
  readonly truth: PhantomTruth;
  /** `(n·6)` more ground truth: the poses every 0.01 s, mm, degrees not wrapped. */
  readonly trueStates: Float64Array;
}

const HOLD_SECONDS = 2.2;
const MAX_STEPS = 30 * STEPS_PER_SECOND;
/** Streams other than the robot's begin this long before the start, while the robot rests. */
const LEAD_SECONDS = 0.2;
const FRAME_SECONDS = 0.2;

/**
 * Simulates a demonstration by the expert. Everything is a function of the options; frames and
 * sensor rows are computed when asked for, so an episode is small.
 *
 * @param options seed and switches
 * @returns the episode
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { simulateEpisode } from "./mod.ts";
 *
 * const episode = simulateEpisode({ seed: 1000, task: "Red_point", raster: 5 });
 * assert.equal(episode.cameras[0]!.frame(0).length, 128 * 72 * 3);
 * assert.equal(episode.sensor.rows(0, 65).length, 65 * 1026);
 * assert(episode.truth.tPun > episode.truth.tContact);
 * ```
 */
export function simulateEpisode(options: PhantomOptions): PhantomEpisode {
  const { seed, clock = "true", raster = 1, robotQuantise = false } = options;
  assertReduction(raster);
  assertClock(clock);
  const scene = options.scene ?? sampleScene(seed, options.task);
  assertScene(scene, seed, options.task ?? scene.task);
  const pushes = options.disturbances ?? true ? samplePushes(seed) : [];
  const robot = new SimulatedRobot(scene, pushes, options.processNoise ?? true);
  demonstrate(robot);
  const duration = robot.stopTime + HOLD_SECONDS;
  const startTime = 1761760000 + 60 * (seed % 100000);
  const frames = scene.cameraPhases.map((phase) =>
    every(FRAME_SECONDS, phase - LEAD_SECONDS, duration)
  );
  const rows = every(1 / SENSOR_HZ, -LEAD_SECONDS, duration);
  const stamps = stampStreams(seed, clock, frames, rows);
  const log = readRobotLog(robot);
  const origin = robotQuantise ? quantiseTimes(log.time) : log.time;
  const unix = (times: Float64Array) => times.map((seconds) => startTime + seconds);
  const words = streamWords(seed, 7, frames.length * Math.max(...frames.map((f) => f.length)));
  return {
    seed,
    task: scene.task,
    instruction: taskInstruction(scene.task),
    scene,
    startTime,
    duration,
    raster: [FRAME_WIDTH / raster, FRAME_HEIGHT / raster],
    robot: { ...log, time: unix(log.time), origin: unix(origin) },
    cameras: frames.map((trueTime, view) => {
      const index = keptIndices(trueTime.length, stamps.lostFrames[view]!);
      return createCamera(robot, view, raster, {
        index,
        trueTime: pick(trueTime, index),
        time: unix(pick(stamps.frames[view]!, index)),
        words: Uint32Array.from(index, (k) => words[frames.length * k + view]!),
      });
    }),
    sensor: createSensor(robot, rows, unix(stamps.rows), keptIndices(rows.length, stamps.lostRows)),
    truth: {
      clockOffset: stamps.offset,
      clockDrift: stamps.drift,
      lostFrames: stamps.lostFrames,
      lostRows: stamps.lostRows,
      tDec: robot.decisionTime,
      tContact: robot.contact?.time ?? NaN,
      tPun: robot.punctureTime,
      tStop: robot.stopTime,
      disturbances: pushes.filter(({ time }) => time < duration)
        .map(({ time }) => [time, time + PUSH_SECONDS] as const),
      h: scene.membraneDistance,
      target: scene.target,
    },
    trueStates: robot.states.slice(0, 6 * robot.count),
  };
}

/** Lets the expert steer until it has held still for a while. */
function demonstrate(robot: SimulatedRobot): void {
  const step = () => robot.step(expertVelocity(robot.scene, robot.pose, robot.isPunctured));
  while (Number.isNaN(robot.stopTime)) {
    if (robot.count > MAX_STEPS) {
      throw new RangeError(
        `Cannot simulate an episode: the expert does not arrive within ${robot.time} s, ` +
          `current value is seed ${robot.scene.seed}. Check the parameters of the scene`,
      );
    }
    step();
  }
  for (let i = 0; i < Math.round(HOLD_SECONDS * STEPS_PER_SECOND); i++) step();
}

/** start, start + period, … up to end. */
function every(period: number, start: number, end: number): Float64Array {
  const count = Math.floor((end - start) / period + 1e-9) + 1;
  return Float64Array.from({ length: count }, (_, i) => start + i * period);
}

function keptIndices(count: number, lost: readonly number[]): Int32Array {
  const gone = new Set(lost);
  return Int32Array.from({ length: count }, (_, i) => i).filter((i) => !gone.has(i));
}

function assertClock(clock: ClockMode): void {
  if (clock === "true" || clock === "offset" || clock === "full") return;
  throw new RangeError(
    `Cannot simulate an episode: the clock mode is unknown, current value is ${clock}. ` +
      `Use true, offset or full`,
  );
}

function assertScene(scene: PhantomScene, seed: number, task: PhantomTask): void {
  if (scene.seed === seed && scene.task === task) return;
  throw new RangeError(
    `Cannot simulate an episode: its scene must have the seed ${seed} and the task ${task}, ` +
      `current value is ${scene.seed} and ${scene.task}. Make the scene with createScene`,
  );
}
