/** Random numbers of the simulator: Philox 4×32-10 with the key (seed, stream number). */
import { fillBits } from "../engine/_philox.ts";

const TWO_32 = 2 ** 32;
const CHUNK = 256;

/** One sequence of random numbers; each draw continues where the last one ended. */
export class Stream {
  readonly #key: readonly [number, number];
  readonly #words = new Uint32Array(CHUNK);
  #at = CHUNK;
  #block = 0;

  /**
   * @param seed uint32, the low key word
   * @param id uint32, the high key word
   */
  constructor(seed: number, id: number) {
    this.#key = [seed, id];
  }

  /** The next word, uint32. */
  word(): number {
    if (this.#at === CHUNK) {
      fillBits(this.#words, this.#key, 0, this.#block);
      this.#block += CHUNK / 4;
      this.#at = 0;
    }
    return this.#words[this.#at++]!;
  }

  /** The next number, uniform on (0, 1). */
  unit(): number {
    return (this.word() + 0.5) / TWO_32;
  }

  /** The next number, uniform on (low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** The next `count` numbers, uniform on (low, high). */
  uniforms(low: number, high: number, count: number): number[] {
    return Array.from({ length: count }, () => this.uniform(low, high));
  }

  /** `count` standard normal numbers (Box-Muller); uses an even number of words. */
  normals(count: number): Float64Array {
    const out = new Float64Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(this.unit()));
      const angle = 2 * Math.PI * this.unit();
      out[i] = radius * Math.cos(angle);
      if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }
}

/**
 * The first `count` words of a stream.
 *
 * @returns `(count,)` uint32
 */
export function streamWords(seed: number, id: number, count: number): Uint32Array {
  const words = new Uint32Array(count);
  fillBits(words, [seed, id], 0);
  return words;
}

/** Length of {@linkcode noiseTable}, minus one: indices wrap with `& NOISE_MASK`. */
export const NOISE_MASK = 0xFFFF;

let table: Float32Array | undefined;

/** 65,536 standard normal numbers that pixels, speckle and flicker look up instead of drawing. */
export function noiseTable(): Float32Array {
  return table ??= Float32Array.from(new Stream(0x5EED, 99).normals(NOISE_MASK + 1));
}
