/** Random numbers that are a pure function of a seed, a counter and a name, on every engine the same. */
import * as tf from "@tensorflow/tfjs";
import { deriveKey, fillNormal, fillUniform, permutation } from "./_philox.ts";
import { nativeBackend } from "./tensorflow/_active.ts";
import { nativeNormal, nativePermutation, nativeUniform } from "./tensorflow/_random.ts";

/** The whole state of {@link Random}: what a checkpoint holds. */
export interface RandomState {
  /** 0 … 2⁵³ − 1. */
  readonly seed: number;
  /** 0 … 2³¹ − 1. */
  readonly counter: number;
}

/**
 * Counter-based random numbers: Philox 4×32-10, keyed by the seed and the name of a stream, at a
 * position given by the counter. Nothing is consumed: the same three always give the same numbers, and
 * other counters or streams give independent ones. Inside a compiled function pass the counter as a
 * tensor, so that each call draws anew.
 *
 * One object gives each stream once, because a second draw would repeat the first; make a new object,
 * or advance the counter, for the next step.
 *
 * Uniform numbers, masks and permutations are identical on all engines; normal numbers are computed in
 * float64 and rounded once, and differ by one unit in the last place about once in 10⁸.
 *
 * Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011,
 * https://www.thesalmons.org/john/random123/papers/random123sc11.pdf
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { compile, Random, startEngine, tf } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const drop = compile(
 *   (x: tf.Tensor, counter: tf.Tensor) => new Random({ seed: 7, counter }).dropout(x, 0.5, "hidden"),
 * );
 * const x = tf.ones([4]);
 * const [a, b, c] = await Promise.all(
 *   [0, 1, 0].map((counter) => drop(x, tf.scalar(counter, "int32")).data()),
 * );
 * assert(String(a) === String(c) && String(a) !== String(b));
 * ```
 */
export class Random {
  /** 0 … 2⁵³ − 1. */
  readonly seed: number;
  readonly #counter: number | tf.Tensor;
  readonly #drawn = new Set<string>();

  /**
   * Random numbers at one position.
   *
   * @param state Seed, and the counter as a number or as an int32 scalar tensor.
   * @throws {RangeError} If the seed or the counter is not an integer in range.
   */
  constructor(state: { readonly seed: number; readonly counter: number | tf.Tensor }) {
    const { seed, counter } = state;
    expectInteger("seed", seed, Number.MAX_SAFE_INTEGER);
    if (typeof counter === "number") expectInteger("counter", counter, 2 ** 31 - 1);
    else if (counter.dtype !== "int32" || counter.size !== 1) {
      throw new TypeError(
        `Cannot make Random: a counter tensor must be an int32 scalar, current value is ${counter.dtype}[${counter.shape}]`,
      );
    }
    this.seed = seed;
    this.#counter = counter;
  }

  /**
   * Uniform numbers in [0, 1), multiples of 2⁻²⁴.
   *
   * @param shape Shape of the result.
   * @param stream Name of the stream.
   * @returns Float32 tensor.
   */
  uniform(shape: number[], stream: string): tf.Tensor {
    return this.#draw(shape, stream, nativeUniform, fillUniform);
  }

  /**
   * Standard normal numbers, by Box and Muller's method.
   *
   * @param shape Shape of the result.
   * @param stream Name of the stream.
   * @returns Float32 tensor.
   */
  normal(shape: number[], stream: string): tf.Tensor {
    return this.#draw(shape, stream, nativeNormal, fillNormal);
  }

  /**
   * A mask for dropout: 1 / (1 − rate) with probability 1 − rate, else 0.
   *
   * @param shape Shape of the result.
   * @param rate Share of zeros, 0 ≤ rate < 1.
   * @param stream Name of the stream.
   * @returns Float32 tensor.
   * @throws {RangeError} If the rate is out of range.
   */
  dropoutMask(shape: number[], rate: number, stream: string): tf.Tensor {
    if (!(rate >= 0 && rate < 1)) {
      throw new RangeError(
        `Cannot draw dropout mask: the rate must be from 0 to below 1, current value is ${rate}`,
      );
    }
    return tf.tidy(() =>
      this.uniform(shape, stream).greaterEqual(rate).cast("float32").mul(1 / (1 - rate))
    );
  }

  /**
   * Dropout: sets a share of the values to 0 and scales the others so that the mean stays.
   *
   * @param x Float32 tensor.
   * @param rate Share of zeros, 0 ≤ rate < 1; 0 returns x itself.
   * @param stream Name of the stream.
   * @returns Float32 tensor of the same shape.
   */
  dropout(x: tf.Tensor, rate: number, stream: string): tf.Tensor {
    return rate === 0 ? x : x.mul(this.dropoutMask(x.shape, rate, stream));
  }

  /**
   * A random order of 0 … n − 1.
   *
   * @param n How many.
   * @param stream Name of the stream.
   * @returns Int32 tensor of shape `[n]`.
   */
  permutation(n: number, stream: string): tf.Tensor1D {
    expectInteger("length of a permutation", n, 2 ** 31 - 1);
    const key = this.#key(stream);
    const native = nativeBackend();
    if (native !== undefined) {
      return tf.tidy(() => nativePermutation(native, n, key, this.#counterTensor()));
    }
    return tf.tensor1d(permutation(n, key, this.#counterNumber()), "int32");
  }

  #draw(
    shape: number[],
    stream: string,
    onNative: typeof nativeUniform,
    onHost: typeof fillUniform,
  ): tf.Tensor {
    const key = this.#key(stream);
    const native = nativeBackend();
    if (native !== undefined) {
      return tf.tidy(() => onNative(native, shape, key, this.#counterTensor()));
    }
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    onHost(values, key, this.#counterNumber());
    return tf.tensor(values, shape, "float32");
  }

  #key(stream: string): [number, number] {
    if (this.#drawn.has(stream)) {
      throw new Error(
        `Cannot draw from stream "${stream}": it was drawn from already at this counter and would repeat; name another stream or make a Random with the next counter`,
      );
    }
    this.#drawn.add(stream);
    return deriveKey(this.seed, stream);
  }

  #counterTensor(): tf.Tensor {
    const counter = this.#counter;
    return typeof counter === "number" ? tf.scalar(counter, "int32") : counter;
  }

  #counterNumber(): number {
    const counter = this.#counter;
    return typeof counter === "number" ? counter : counter.dataSync()[0]!;
  }
}

function expectInteger(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new RangeError(
      `Cannot make random numbers: ${name} must be an integer from 0 to ${most}, current value is ${value}`,
    );
  }
}
