/** The OCT and force sensor: one row holds the force and an A-line of 1025 depth samples. */
import { needleCosine, type SimulatedRobot } from "./_robot.ts";
import { tipGeometry } from "./expert.ts";
import { NOISE_MASK, noiseTable } from "./_stream.ts";
import type { PhantomScene } from "./scene.ts";

/** Depth samples of an A-line. */
export const A_LINE_LENGTH = 1025;
/** Values of a sensor row: force, then the A-line. */
export const SENSOR_VALUES = 1 + A_LINE_LENGTH;
/** Sensor rows per second. */
export const SENSOR_HZ = 650;

const PITCH = 0.008; // mm per depth sample
const REACH = 6; // widths beyond which an echo is below 3e-6

/** What the sensor sees of the world at one moment. */
export interface SensorScene {
  /** mm from the tip to the undeformed membrane, negative inside. */
  readonly tipDistance: number;
  /** Cosine between needle and insertion axis. */
  readonly cosine: number;
  /** Seconds since the puncture, negative or NaN before it. */
  readonly sincePuncture: number;
}

const background = Float64Array.from(
  { length: A_LINE_LENGTH },
  (_, i) => 22 + 150 * Math.exp(-i / 110),
);
const rollOff = Float64Array.from({ length: A_LINE_LENGTH }, (_, i) => Math.exp(-i * PITCH / 9));
const bulk = Float64Array.from({ length: A_LINE_LENGTH }, (_, i) => Math.exp(-0.5 * i * PITCH));

/**
 * The A-line without speckle and read noise.
 *
 * @param out `(1025)` takes the amplitudes
 * @param echoGain factor of the tissue's echoes
 */
export function cleanALine(out: Float64Array, seen: SensorScene, echoGain: number): void {
  const distance = Math.max(seen.tipDistance, 0) / Math.max(0.9, seen.cosine);
  const inside = Math.max(-seen.tipDistance, 0);
  const isPunctured = seen.sincePuncture >= 0;
  out.set(background);
  const front = isPunctured ? 0 : distance;
  const scatter = echoGain * 70 * Math.exp(0.5 * front);
  for (let i = Math.floor(front / PITCH); i < A_LINE_LENGTH; i++) {
    if (i * PITCH - front > 0) out[i]! += scatter * bulk[i]! * rollOff[i]!;
  }
  if (!isPunctured) addEcho(out, distance / PITCH, 10, 150 * echoGain);
  const deep = isPunctured ? 4.4 - inside : 4.4 + distance - 0.3 * inside;
  addEcho(out, deep / PITCH, 14, 130 * echoGain);
}

/** Force without noise, N. */
export function cleanForce(scene: PhantomScene, seen: SensorScene): number {
  const inside = Math.max(-seen.tipDistance, 0);
  if (!(seen.sincePuncture >= 0)) return scene.baseForce + inside;
  if (inside === 0) return scene.baseForce;
  const friction = 0.10 + 0.06 * inside;
  const peak = scene.punctureForce - 0.10 - 0.06 * scene.punctureForce;
  return scene.baseForce + friction + peak * Math.exp(-seen.sincePuncture / 0.05);
}

const line = new Float64Array(A_LINE_LENGTH);
const pose = new Float64Array(6);

/**
 * One row as measured.
 *
 * @param out takes force and A-line at `offset`
 * @param time seconds after the start
 * @param word uint32, picks the row's noise
 */
export function measureRow(
  out: Float32Array,
  offset: number,
  robot: SimulatedRobot,
  time: number,
  word: number,
): void {
  const { scene } = robot;
  robot.poseAt(time, pose);
  const seen = {
    tipDistance: tipGeometry(scene, pose).tipDistance,
    cosine: needleCosine(pose),
    sincePuncture: time - robot.punctureTime,
  };
  cleanALine(line, seen, scene.echoGain);
  const noise = noiseTable(), speckle = word & NOISE_MASK, read = word >>> 16;
  out[offset] = cleanForce(scene, seen) + 0.006 * noise[(speckle + 12345) & NOISE_MASK]! +
    0.004 * Math.sin(2 * Math.PI * 50 * time);
  for (let i = 0; i < A_LINE_LENGTH; i++) {
    const value = line[i]! * (1 + 0.18 * noise[(speckle + i) & NOISE_MASK]!) +
      6 * noise[(read + 3 * i) & NOISE_MASK]!;
    out[offset + 1 + i] = value < -30 ? -30 : value > 290 ? 290 : value;
  }
}

/** Adds a Gaussian echo, weakened with depth. `centre` and `width` in depth samples. */
function addEcho(out: Float64Array, centre: number, width: number, height: number): void {
  const first = Math.max(0, Math.ceil(centre - REACH * width));
  const last = Math.min(A_LINE_LENGTH - 1, Math.floor(centre + REACH * width));
  for (let i = first; i <= last; i++) {
    const x = (i - centre) / width;
    out[i]! += height * rollOff[i]! * Math.exp(-0.5 * x * x);
  }
}
