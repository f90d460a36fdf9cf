import type { TensorStatistics } from "./inspection.ts";

type FloatLike = Exclude<NumberArray, BigInt64Array | BigUint64Array>;
/** Typed arrays of numbers. */
export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float16Array
  | Float32Array
  | Float64Array;

/** Gathers statistics of values that come block by block. */
export interface Accumulator {
  add(values: NumberArray): void;
  result(): TensorStatistics;
}

/**
 * Mean and sum of squared deviations of each block in two passes, merged by the formula of Chan,
 * Golub and LeVeque (1979): as exact as two passes over everything.
 */
export class FloatAccumulator implements Accumulator {
  #count = 0;
  #finite = 0;
  #nan = 0;
  #min = Infinity;
  #max = -Infinity;
  #mean = 0;
  #squares = 0;

  add(values: NumberArray): void {
    const block = values as FloatLike;
    let sum = 0, finite = 0, nan = 0, min = this.#min, max = this.#max;
    for (let i = 0; i < block.length; i++) {
      const value = block[i]!;
      if (value - value === 0) {
        sum += value;
        finite++;
        if (value < min) min = value;
        if (value > max) max = value;
      } else if (value !== value) nan++;
    }
    this.#count += block.length;
    this.#nan += nan;
    if (finite === 0) return;
    const mean = sum / finite;
    let squares = 0;
    for (let i = 0; i < block.length; i++) {
      const deviation = block[i]! - mean;
      if (deviation - deviation === 0) squares += deviation * deviation;
    }
    const total = this.#finite + finite, step = mean - this.#mean;
    this.#squares += squares + step * step * this.#finite * finite / total;
    this.#mean += step * finite / total;
    this.#finite = total;
    this.#min = min;
    this.#max = max;
  }

  result(): TensorStatistics {
    const some = this.#finite > 0;
    return {
      count: this.#count,
      min: some ? this.#min : null,
      max: some ? this.#max : null,
      mean: some ? this.#mean : null,
      std: some ? Math.sqrt(this.#squares / this.#finite) : null,
      nan: this.#nan,
      infinite: this.#count - this.#finite - this.#nan,
    };
  }
}

/** NumPy's not-a-time. */
const NOT_A_TIME = -(2n ** 63n);

/** 64-bit whole numbers: extremes are exact, deviations are counted from the first value. */
export class BigAccumulator implements Accumulator {
  readonly #isTime: boolean;
  readonly #differences = new FloatAccumulator();
  #count = 0;
  #missing = 0;
  #pivot: bigint | undefined;
  #min = 0n;
  #max = 0n;

  constructor(isTime: boolean) {
    this.#isTime = isTime;
  }

  add(values: NumberArray): void {
    const block = values as BigInt64Array | BigUint64Array;
    const differences = new Float64Array(block.length);
    let kept = 0;
    for (let i = 0; i < block.length; i++) {
      const value = block[i]!;
      if (this.#isTime && value === NOT_A_TIME) continue;
      if (this.#pivot === undefined) this.#pivot = this.#min = this.#max = value;
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      differences[kept++] = Number(value - this.#pivot);
    }
    this.#count += block.length;
    this.#missing += block.length - kept;
    this.#differences.add(differences.subarray(0, kept));
  }

  result(): TensorStatistics {
    const { mean, std } = this.#differences.result();
    const counts = { count: this.#count, nan: this.#missing, infinite: 0 };
    if (mean === null) return { ...counts, min: null, max: null, mean, std };
    return {
      ...counts,
      min: plain(this.#min),
      max: plain(this.#max),
      mean: Number(this.#pivot!) + mean,
      std,
    };
  }
}

function plain(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** Complex numbers as real and imaginary part in turn. */
export class ComplexAccumulator implements Accumulator {
  readonly #magnitudes = new FloatAccumulator();

  add(values: NumberArray): void {
    const block = values as FloatLike;
    const magnitudes = new Float64Array(block.length / 2);
    for (let i = 0; i < magnitudes.length; i++) {
      const real = block[2 * i]!, imaginary = block[2 * i + 1]!;
      magnitudes[i] = Math.hypot(real, imaginary);
    }
    this.#magnitudes.add(magnitudes);
  }

  result(): TensorStatistics {
    return this.#magnitudes.result();
  }
}

/** The accumulator of a dtype; undefined where the elements are no numbers. */
export function accumulatorOf(dtype: string): Accumulator | undefined {
  if (/^(datetime64|timedelta64)/.test(dtype)) return new BigAccumulator(true);
  if (dtype === "int64" || dtype === "uint64") return new BigAccumulator(false);
  if (dtype.startsWith("complex")) return new ComplexAccumulator();
  if (/^(bool|u?int\d+|float\d+)$/.test(dtype)) return new FloatAccumulator();
  return undefined;
}
