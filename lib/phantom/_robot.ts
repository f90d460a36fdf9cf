/** The simulated robot: a velocity servo with lag and noise, and what happens at the tissue. */
import { addScaled, axisZ, clip, dot, type Vector3 } from "../robot/_geometry.ts";
import { rotationMatrix } from "../robot/rotation.ts";
import { type Push, PUSH_SECONDS } from "./disturbances.ts";
import { tipGeometry } from "./expert.ts";
import { INSERTION_AXIS, type PhantomScene, PLATE_X, PLATE_Y } from "./scene.ts";
import { Stream } from "./_stream.ts";

/** Seconds per step. */
export const STEP_SECONDS = 0.01;
/** Robot states per second. */
export const STEPS_PER_SECOND = 100;

const LAG_SECONDS = 0.06;
const NOISE_SIGMA = 0.05; // mm/s, °/s
const NOISE_MEMORY = Math.exp(-STEP_SECONDS / 0.3);
const NOISE_FRESH = Math.sqrt(1 - NOISE_MEMORY ** 2) * NOISE_SIGMA;
const NOISE_BLOCK = 600;
const MEMBRANE_STIFFNESS = 1; // N/mm
const DECISION_DISTANCE = 4, STOP_DEPTH = 1.9; // mm

/** How the tip met the membrane. */
export interface Contact {
  /** Seconds after the start. */
  readonly time: number;
  /** Distance from the insertion axis, mm. */
  readonly lateral: number;
  /** Speed along the insertion axis, mm/s. */
  readonly speed: number;
}

/** A robot that moves through one scene, step by step; keeps all its states. */
export class SimulatedRobot {
  readonly scene: PhantomScene;
  /** `(≥ count·6)` true poses, one per step: mm, degrees not wrapped. */
  states: Float64Array;
  /** Number of states so far; the first is the start pose. */
  count = 1;
  /** First time the tip was 4 mm or closer to the membrane, seconds; NaN before. */
  decisionTime = NaN;
  /** Contact, once there was one. */
  contact: Contact | undefined;
  /** Time of puncture, seconds; NaN before. */
  punctureTime = NaN;
  /** First time the tip was 1.9 mm or deeper after the puncture, seconds; NaN before. */
  stopTime = NaN;

  readonly #pushes: readonly Push[];
  readonly #noiseStream: Stream | undefined;
  #noise: Float64Array = new Float64Array(0);
  readonly #velocity = new Float64Array(6);
  readonly #wander = new Float64Array(6);
  readonly #pushVelocity = new Float64Array(6);
  #nextPush = 0;
  #isPushed = false;

  constructor(scene: PhantomScene, pushes: readonly Push[] = [], hasNoise = true) {
    this.scene = scene;
    this.states = new Float64Array(6 * 1024);
    this.states.set(scene.start);
    this.#pushes = pushes;
    this.#noiseStream = hasNoise ? new Stream(scene.seed, 2) : undefined;
  }

  /** Seconds since the start. */
  get time(): number {
    return (this.count - 1) / STEPS_PER_SECOND;
  }

  /** Whether the membrane is punctured. */
  get isPunctured(): boolean {
    return !Number.isNaN(this.punctureTime);
  }

  /** `(6)` the newest state; a view that the next steps leave alone. */
  get pose(): Float64Array {
    return this.states.subarray(6 * (this.count - 1), 6 * this.count);
  }

  /**
   * Moves on by 0.01 s.
   *
   * @param command `(6)` velocity: mm/s, °/s
   */
  step(command: ArrayLike<number>): void {
    this.#updatePush();
    this.#drawNoise();
    if (6 * (this.count + 1) > this.states.length) this.#grow();
    const from = 6 * (this.count - 1);
    let speed = 0;
    for (let i = 0; i < 6; i++) {
      this.#velocity[i]! += (STEP_SECONDS / LAG_SECONDS) * (command[i]! - this.#velocity[i]!);
      const total = this.#velocity[i]! + this.#wander[i]! + this.#pushVelocity[i]!;
      this.states[from + 6 + i] = this.states[from + i]! + STEP_SECONDS * total;
      if (i < 3) speed += total * INSERTION_AXIS[i]!;
    }
    this.count++;
    this.#noteEvents(speed);
  }

  /**
   * The pose at a time: interpolated linearly, at rest before 0 and held after the newest state.
   *
   * @param time seconds
   * @param out `(6)` takes the pose: mm, degrees not wrapped
   */
  poseAt(time: number, out: Float64Array): Float64Array {
    const at = clip(time * STEPS_PER_SECOND, 0, this.count - 1);
    const below = Math.min(Math.floor(at), Math.max(0, this.count - 2));
    const share = at - below, row = 6 * below;
    for (let i = 0; i < 6; i++) {
      const from = this.states[row + i]!;
      out[i] = share === 0 ? from : from + share * (this.states[row + 6 + i]! - from);
    }
    return out;
  }

  #updatePush(): void {
    const push = this.#pushes[this.#nextPush];
    if (push === undefined || this.time < push.time) return;
    if (this.time >= push.time + PUSH_SECONDS) {
      this.#pushVelocity.fill(0);
      this.#isPushed = false;
      this.#nextPush++;
    } else if (!this.#isPushed) {
      const { tipDistance } = tipGeometry(this.scene, this.pose);
      const displacement = pushDisplacement(push, tipDistance, this.isPunctured);
      this.#isPushed = true;
      for (let i = 0; i < 3; i++) {
        this.#pushVelocity[i] = displacement[i]! / PUSH_SECONDS;
        this.#pushVelocity[3 + i] = push.rotation[i]! / PUSH_SECONDS;
      }
    }
  }

  #drawNoise(): void {
    if (this.#noiseStream === undefined) return;
    const at = (6 * (this.count - 1)) % NOISE_BLOCK;
    if (at === 0) this.#noise = this.#noiseStream.normals(NOISE_BLOCK);
    for (let i = 0; i < 6; i++) {
      this.#wander[i] = NOISE_MEMORY * this.#wander[i]! + NOISE_FRESH * this.#noise[at + i]!;
    }
  }

  #grow(): void {
    const states = new Float64Array(2 * this.states.length);
    states.set(this.states);
    this.states = states;
  }

  #noteEvents(speed: number): void {
    const { lateral, tipDistance } = tipGeometry(this.scene, this.pose);
    const { time } = this;
    if (Number.isNaN(this.decisionTime) && tipDistance <= DECISION_DISTANCE) {
      this.decisionTime = time;
    }
    if (this.contact === undefined && tipDistance <= 0) {
      this.contact = { time, lateral: Math.hypot(lateral[0], lateral[1]), speed };
    }
    if (!this.isPunctured && MEMBRANE_STIFFNESS * -tipDistance >= this.scene.punctureForce) {
      this.punctureTime = time;
    }
    if (this.isPunctured && Number.isNaN(this.stopTime) && -tipDistance >= STOP_DEPTH) {
      this.stopTime = time;
    }
  }
}

/** Cosine between the needle of a pose and the insertion axis. */
export function needleCosine(pose: ArrayLike<number>): number {
  const needle: Vector3 = axisZ(rotationMatrix(pose[3]!, pose[4]!, pose[5]!));
  return dot(needle, INSERTION_AXIS);
}

/**
 * How far a push moves the tip, given where the tip is when the push begins: less close to the
 * membrane, and less inside.
 *
 * @param push the push
 * @param tipDistance mm from the tip to the membrane, negative inside
 * @param isPunctured whether the membrane is punctured
 * @returns displacement, mm
 */
function pushDisplacement(push: Push, tipDistance: number, isPunctured: boolean): Vector3 {
  const [axial, scale] = isPunctured
    ? [clip(0.8 * push.axial, -0.45, 0.45), 0.4]
    : tipDistance >= 1.5
    ? [push.axial, 1]
    : [0, 0.6];
  const sideways = addScaled([0, 0, 0], scale * push.lateral[0], PLATE_X);
  return addScaled(
    addScaled(sideways, scale * push.lateral[1], PLATE_Y),
    axial,
    INSERTION_AXIS,
  );
}
