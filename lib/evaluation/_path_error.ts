import { fillRotationMatrix, writeRotationVector } from "../robot/rotation.ts";
import type { ActionSource, ChunkPredictions } from "./chunk_predictions.ts";

/** Where the chunk's path ends, against where it really ended; steps beyond the recording do not count. */
export interface PathError {
  /** Distance of the ends, mm. */
  distance: number;
  /** Angle between the orientations at the ends, degrees; NaN where it cannot be told. */
  angle: number;
}

const DEGREES_PER_RADIAN = 180 / Math.PI;

/** Errors of integrated chunks, one window at a time, without allocating. */
export class PathErrors {
  readonly #chunks: ChunkPredictions;
  readonly #unit: number;
  readonly #a = new Float64Array(9);
  readonly #b = new Float64Array(9);
  readonly #p = new Float64Array(4);
  readonly #q = new Float64Array(4);
  readonly #vector = new Float64Array(3);
  readonly #result: PathError = { distance: 0, angle: NaN };

  constructor(chunks: ChunkPredictions) {
    this.#chunks = chunks;
    this.#unit = chunks.units[3] === "rad" ? DEGREES_PER_RADIAN : 1;
  }

  /** Whether dimensions 0 to 2 are lengths in mm. */
  get hasDistance(): boolean {
    return [0, 1, 2].every((d) => this.#chunks.units[d] === "mm");
  }

  /** Whether rotations can be composed. */
  get hasAngle(): boolean {
    const { rotation, startAngles } = this.#chunks;
    return rotation === "vector" || (rotation === "euler" && startAngles !== undefined);
  }

  /** The error of one window; the object is used again. */
  of(window: number, predicted: ActionSource, truth: ActionSource): PathError {
    const { horizon, mask } = this.#chunks;
    let x = 0, y = 0, z = 0;
    for (let step = 0; step < horizon && mask[window * horizon + step] === 1; step++) {
      x += predicted(window, step, 0) - truth(window, step, 0);
      y += predicted(window, step, 1) - truth(window, step, 1);
      z += predicted(window, step, 2) - truth(window, step, 2);
    }
    this.#result.distance = Math.sqrt(x * x + y * y + z * z);
    if (this.hasAngle) {
      this.#result.angle = this.#chunks.rotation === "vector"
        ? this.#angleOfVectors(window, predicted, truth)
        : this.#angleOfEuler(window, predicted, truth);
    }
    return this.#result;
  }

  #angleOfEuler(window: number, predicted: ActionSource, truth: ActionSource): number {
    this.#fillEuler(this.#a, window, predicted);
    this.#fillEuler(this.#b, window, truth);
    writeRotationVector(this.#vector, 0, this.#a, this.#b);
    return Math.hypot(...this.#vector);
  }

  #fillEuler(target: Float64Array, window: number, source: ActionSource): void {
    const { horizon, mask, startAngles } = this.#chunks;
    let a = startAngles![3 * window]!, b = startAngles![3 * window + 1]!;
    let r = startAngles![3 * window + 2]!;
    for (let step = 0; step < horizon && mask[window * horizon + step] === 1; step++) {
      a += this.#unit * source(window, step, 3);
      b += this.#unit * source(window, step, 4);
      r += this.#unit * source(window, step, 5);
    }
    fillRotationMatrix(target, a, b, r);
  }

  #angleOfVectors(window: number, predicted: ActionSource, truth: ActionSource): number {
    const [pw, px, py, pz] = this.#compose(this.#p, window, predicted);
    const [qw, qx, qy, qz] = this.#compose(this.#q, window, truth);
    // conj(p)·q: the rotation from one end to the other.
    const w = pw! * qw! + px! * qx! + py! * qy! + pz! * qz!;
    const x = pw! * qx! - px! * qw! - py! * qz! + pz! * qy!;
    const y = pw! * qy! + px! * qz! - py! * qw! - pz! * qx!;
    const z = pw! * qz! - px! * qy! + py! * qx! - pz! * qw!;
    return 2 * Math.atan2(Math.sqrt(x * x + y * y + z * z), Math.abs(w)) * DEGREES_PER_RADIAN;
  }

  /** Product of the steps' rotations as a unit quaternion w, x, y, z; each in the frame so far. */
  #compose(target: Float64Array, window: number, source: ActionSource): Float64Array {
    const { horizon, mask } = this.#chunks;
    let w = 1, x = 0, y = 0, z = 0;
    for (let step = 0; step < horizon && mask[window * horizon + step] === 1; step++) {
      const scale = this.#unit / DEGREES_PER_RADIAN / 2;
      const a = source(window, step, 3) * scale, b = source(window, step, 4) * scale;
      const c = source(window, step, 5) * scale;
      const half = Math.sqrt(a * a + b * b + c * c);
      const sinc = half > 1e-9 ? Math.sin(half) / half : 1, cosine = Math.cos(half);
      const [i, j, k] = [a * sinc, b * sinc, c * sinc];
      [w, x, y, z] = [
        w * cosine - x * i - y * j - z * k,
        w * i + x * cosine + y * k - z * j,
        w * j - x * k + y * cosine + z * i,
        w * k + x * j - y * i + z * cosine,
      ];
    }
    target.set([w, x, y, z]);
    return target;
  }
}
