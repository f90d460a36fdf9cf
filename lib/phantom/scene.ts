/** The eye phantom: where it lies, which port is the target, where the needle starts. */
import { addScaled, axisZ, cross, normalise, sinCos, type Vector3 } from "../robot/_geometry.ts";
import { rotationMatrix } from "../robot/rotation.ts";
import { Stream } from "./_stream.ts";

/** The six tasks, one per port of the phantom's plate, in the order of the ports. */
export const PHANTOM_TASKS = [
  "Blue_point",
  "Green_point",
  "Red_point",
  "White_point",
  "Yellow_point",
  "Eye_trocar",
] as const;

/** One of the six tasks. */
export type PhantomTask = typeof PHANTOM_TASKS[number];

/** Names of the cameras: View1 to View4 are fixed, View5 moves with the tool. */
export const PHANTOM_VIEWS = ["View1", "View2", "View3", "View4", "View5"] as const;

/** One of the five cameras. */
export type PhantomView = typeof PHANTOM_VIEWS[number];

/** Goal orientation of the tool: a, b, r in degrees. */
export const GOAL_ANGLES: Vector3 = [179.2, 20, 144];

/** Direction of insertion, unit vector: the tool's z axis at the goal. */
export const INSERTION_AXIS: Vector3 = axisZ(rotationMatrix(...GOAL_ANGLES));

/** First axis in the plane of the plate, unit vector: the base's x axis, made orthogonal. */
export const PLATE_X: Vector3 = normalise(
  addScaled([1, 0, 0], -INSERTION_AXIS[0], INSERTION_AXIS),
);

/** Second axis in the plane of the plate, unit vector. */
export const PLATE_Y: Vector3 = cross(INSERTION_AXIS, PLATE_X);

/** Where the plate's centre lies on average, mm. */
export const MEAN_CENTRE: Vector3 = [150, 10, 225];

const PORT_ANGLES = [90, 162, 234, 306, 18, 0]; // degrees
const PORT_DISTANCES = [9, 9, 9, 9, 9, 0]; // mm from the plate's centre

/** What is drawn at random for an episode; everything else follows from it. */
export interface SceneParameters {
  /** Offset of the plate's centre along {@linkcode PLATE_X} and {@linkcode PLATE_Y}, mm. */
  readonly offset: readonly [x: number, y: number];
  /** Turn of the ports about the insertion axis, degrees. */
  readonly turn: number;
  /** Distance of the tissue membrane behind the plate, mm. Drawn nowhere, seen only by the OCT. */
  readonly membraneDistance: number;
  /** Start position: mm in front of the target, then mm along the two axes of the plate. */
  readonly startOffset: Vector3;
  /** Start orientation minus {@linkcode GOAL_ANGLES}, degrees. */
  readonly startAngleOffset: Vector3;
  /** Force without contact, N. */
  readonly baseForce: number;
  /** Force of the membrane at which it is punctured, N. */
  readonly punctureForce: number;
  /** Factor of the tissue's echoes. */
  readonly echoGain: number;
  /** `(5)` brightness of each camera. */
  readonly viewGains: readonly number[];
  /** `(5·3)` factor of red, green and blue of each camera, camera by camera. */
  readonly channelGains: readonly number[];
  /** `(5)` seconds by which each camera's frames lag the 0.2 s grid. */
  readonly cameraPhases: readonly number[];
}

/** Everything fixed during an episode. Positions are mm in the robot's base frame. */
export interface PhantomScene extends SceneParameters {
  /** Seed, uint32. */
  readonly seed: number;
  /** Task, hence target. */
  readonly task: PhantomTask;
  /** Centre of the plate. */
  readonly centre: Vector3;
  /** `(6)` centres of the ports, in the order of {@linkcode PHANTOM_TASKS}. */
  readonly ports: readonly Vector3[];
  /** Centre of the target port. */
  readonly target: Vector3;
  /** `(6)` pose at rest: x, y, z in mm, a, b, r in degrees, not wrapped. */
  readonly start: readonly number[];
}

/**
 * The instruction in words that belongs to a task.
 *
 * @param task one of {@linkcode PHANTOM_TASKS}
 * @returns a sentence without a full stop
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { taskInstruction } from "./mod.ts";
 *
 * assert.equal(taskInstruction("Blue_point"), "Perform blue point insertion task");
 * ```
 */
export function taskInstruction(task: PhantomTask): string {
  return `Perform ${task.toLowerCase().replace("_", " ")} insertion task`;
}

/**
 * Draws a scene; the same seed gives the same plate, membrane, lighting and start relative to the
 * target, whatever the task.
 *
 * @param seed integer from 0 to 2^32 − 1
 * @param task default `Blue_point`
 * @returns the scene
 * @throws {RangeError} if the seed or the task is not one of those
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sampleScene } from "./mod.ts";
 *
 * const scene = sampleScene(9000, "Blue_point");
 * assert.equal(scene.membraneDistance.toFixed(3), "7.046");
 * ```
 */
export function sampleScene(seed: number, task: PhantomTask = "Blue_point"): PhantomScene {
  assertSeed(seed);
  const stream = new Stream(seed, 1);
  const draw = (low: number, high: number) => stream.uniform(low, high);
  // The draws happen in the order in which they are written here.
  const offset = [draw(-4, 4), draw(-4, 4)] as const;
  const turn = draw(-4, 4);
  const membraneDistance = draw(2.5, 9);
  const startOffset = [draw(13, 18), draw(-5, 5), draw(-5, 5)] as const;
  const startAngleOffset = [draw(-1.5, 1.5), draw(-1.5, 1.5), draw(-1.5, 1.5)] as const;
  const baseForce = draw(2.35, 2.45), punctureForce = draw(0.55, 0.65);
  const echoGain = draw(0.85, 1.15);
  const viewGains = stream.uniforms(0.88, 1.12, 5);
  const channelGains = stream.uniforms(0.96, 1.04, 15);
  const cameraPhases = stream.uniforms(0, 0.2, 5);
  return createScene(seed, task, {
    offset,
    turn,
    membraneDistance,
    startOffset,
    startAngleOffset,
    baseForce,
    punctureForce,
    echoGain,
    viewGains,
    channelGains,
    cameraPhases,
  });
}

/**
 * A scene with chosen parameters, for tests and for studies of one parameter.
 *
 * @param seed integer from 0 to 2^32 − 1: process noise, pushes and losses follow from it
 * @param task task, hence target
 * @param parameters lengths in mm, angles in degrees
 * @returns the scene
 * @throws {RangeError} if the seed or the task is not one of those
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createScene, sampleScene } from "./mod.ts";
 *
 * const shallow = createScene(1, "Red_point", { ...sampleScene(1), membraneDistance: 2.5 });
 * assert.equal(shallow.membraneDistance, 2.5);
 * ```
 */
export function createScene(
  seed: number,
  task: PhantomTask,
  parameters: SceneParameters,
): PhantomScene {
  assertSeed(seed);
  const port = PHANTOM_TASKS.indexOf(task);
  if (port < 0) {
    throw new RangeError(
      `Cannot make a scene: the task is unknown, current value is ${task}. ` +
        `Use one of ${PHANTOM_TASKS.join(", ")}`,
    );
  }
  const { offset, turn, startOffset, startAngleOffset } = parameters;
  const centre = inPlate(MEAN_CENTRE, offset[0], offset[1]);
  const ports = PORT_ANGLES.map((angle, i) => {
    const [sin, cos] = sinCos(angle + turn);
    return inPlate(centre, PORT_DISTANCES[i]! * cos, PORT_DISTANCES[i]! * sin);
  });
  const target = ports[port]!;
  const start = addScaled(
    inPlate(target, startOffset[1], startOffset[2]),
    -startOffset[0],
    INSERTION_AXIS,
  );
  const angles = addScaled(GOAL_ANGLES, 1, startAngleOffset);
  return { ...parameters, seed, task, centre, ports, target, start: [...start, ...angles] };
}

/** `origin` moved by x and y millimetres along the two axes of the plate. */
function inPlate(origin: Vector3, x: number, y: number): Vector3 {
  return addScaled(addScaled(origin, x, PLATE_X), y, PLATE_Y);
}

function assertSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return;
  throw new RangeError(
    `Cannot make a scene: the seed must be an integer from 0 to 2^32 - 1, ` +
      `current value is ${seed}. Pass a whole number such as 1000`,
  );
}
