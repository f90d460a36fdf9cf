/**
 * Philox 4×32-10 as plain functions on typed arrays: the counter-based generator behind
 * `Random`, without tensors.
 *
 * Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. The layout of counter, key and outputs equals TensorFlow's
 * `StatelessRandomUniformFullIntV2` with `alg = 1` (Philox) and `dtype = uint32`, so a TensorFlow
 * graph and this file give the same bits: the key is a uint64 (word 0 = low half), the 128-bit
 * counter is two uint64 (low first), output block g uses counter + g, and the four words of a
 * block come out in order. The low 64 bits of the counter number the blocks of one draw, the
 * high 64 bits are the caller's draw counter.
 *
 * @module
 */

/** The 64-bit key of a stream as two uint32: low half, high half. */
export type PhiloxKey = readonly [low: number, high: number];

/** Four uint32, lowest first: a counter or a block of outputs. */
export type PhiloxBlock = readonly [number, number, number, number];

const ROUNDS = 10;
// Multipliers 0xD2511F53 and 0xCD9E8D57, cut into 16-bit halves for the 32×32→64 product.
const M0 = 0xD2511F53, M0_LOW = 0x1F53, M0_HIGH = 0xD251;
const M1 = 0xCD9E8D57, M1_LOW = 0x8D57, M1_HIGH = 0xCD9E;
// Weyl sequence of the key: golden ratio and sqrt(3) - 1.
const W0 = 0x9E3779B9, W1 = 0xBB67AE85;
const TWO_32 = 0x1_0000_0000;
// Third counter word of key derivation ("troc"), so that no draw ever shares its counters.
const KEY_DOMAIN = 0x74726F63;

const FNV_OFFSET = 0xCBF29CE484222325n, FNV_PRIME = 0x100000001B3n;

/**
 * One block: four outputs for one counter under one key.
 *
 * @param counter 128-bit counter as four uint32, lowest first.
 * @param key 64-bit key as two uint32, low half first.
 * @returns four uint32.
 */
export function philox4x32(counter: PhiloxBlock, key: PhiloxKey): [number, number, number, number] {
  const block = new Uint32Array(4);
  generate(block, 4, key, counter[0], counter[1], counter[2], counter[3]);
  return [block[0]!, block[1]!, block[2]!, block[3]!];
}

/**
 * The key of a named stream: the first two outputs of Philox under the seed, at the 64-bit FNV-1a
 * hash of the name.
 *
 * @param seed integer from 0 to 2^53 − 1; its low 32 and high 21 bits are the key words.
 * @param stream name of the stream, hashed as UTF-8; different names give independent draws.
 * @returns the key, two uint32.
 * @throws {RangeError} when the seed is not an integer in that range.
 */
export function deriveKey(seed: number, stream: string): [number, number] {
  assertCount("derive a random key", "seed", seed);
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(stream)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  }
  const counter = [Number(hash & 0xFFFFFFFFn), Number(hash >> 32n), KEY_DOMAIN, 0] as const;
  const [low, high] = philox4x32(counter, [seed >>> 0, Math.floor(seed / TWO_32)]);
  return [low, high];
}

/**
 * Fills `out` with uniform 32-bit words.
 *
 * @param out `(n,)` any length; the first k words do not depend on n.
 * @param key from {@linkcode deriveKey}.
 * @param counter number of the draw, integer from 0 to 2^53 − 1.
 * @param firstBlock index of the first block of four words, so that a long draw can be made in
 * pieces; default 0.
 * @throws {RangeError} when `counter` or the last block index leaves 0 … 2^53 − 1.
 */
export function fillBits(out: Uint32Array, key: PhiloxKey, counter: number, firstBlock = 0): void {
  assertDraw(out.length, counter, firstBlock);
  const words = [firstBlock >>> 0, Math.floor(firstBlock / TWO_32)] as const;
  generate(out, out.length, key, ...words, counter >>> 0, Math.floor(counter / TWO_32));
}

/**
 * Fills `out` with uniform numbers in [0, 1): the upper 24 bits of each word times 2^-24, exact
 * in float32.
 *
 * @param out `(n,)` any length.
 * @param key from {@linkcode deriveKey}.
 * @param counter number of the draw, integer from 0 to 2^53 − 1.
 * @param firstBlock index of the first block of four values; default 0.
 * @throws {RangeError} as {@linkcode fillBits}.
 */
export function fillUniform(
  out: Float32Array,
  key: PhiloxKey,
  counter: number,
  firstBlock = 0,
): void {
  inChunks(out.length, key, counter, firstBlock, (bits, start, count) => {
    for (let i = 0; i < count; i++) out[start + i] = (bits[i]! >>> 8) * 2 ** -24;
  });
}

/**
 * Fills `out` with standard normal numbers by the Box-Muller transform: words (x0, x1) of a block
 * give u1 = (x0 + 1)·2^-32, u2 = x1·2^-32, r = √(−2 ln u1), z0 = r cos 2πu2, z1 = r sin 2πu2, and
 * (x2, x3) the next two. All in float64, rounded once to float32; |z| ≤ √(64 ln 2) ≈ 6.66.
 *
 * @param out `(n,)` any length.
 * @param key from {@linkcode deriveKey}.
 * @param counter number of the draw, integer from 0 to 2^53 − 1.
 * @param firstBlock index of the first block of four values; default 0.
 * @throws {RangeError} as {@linkcode fillBits}.
 */
export function fillNormal(
  out: Float32Array,
  key: PhiloxKey,
  counter: number,
  firstBlock = 0,
): void {
  inChunks(out.length, key, counter, firstBlock, (bits, start, count) => {
    for (let i = 0; i < count; i += 2) {
      const r = Math.sqrt(-2 * Math.log((bits[i]! + 1) * 2 ** -32));
      const angle = 2 * Math.PI * (bits[i + 1]! * 2 ** -32);
      out[start + i] = r * Math.cos(angle);
      if (i + 1 < count) out[start + i + 1] = r * Math.sin(angle);
    }
  });
}

/**
 * A uniform random permutation of 0 … n − 1: the order that sorts n random words, ties broken by
 * the index (the argsort of bits·2^32 + i), which a graph can compute with TopK.
 *
 * @param n length, integer from 0 to 2^31 − 1.
 * @param key from {@linkcode deriveKey}.
 * @param counter number of the draw, integer from 0 to 2^53 − 1.
 * @returns `(n,)` permutation.
 * @throws {RangeError} when `n` or `counter` is out of range.
 */
export function permutation(n: number, key: PhiloxKey, counter: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || n > 0x7FFFFFFF) {
    throw new RangeError(
      `Cannot draw a permutation: length must be an integer from 0 to 2^31 - 1, ` +
        `current value is ${n}. Pass the number of items to order`,
    );
  }
  const bits = new Uint32Array(n);
  fillBits(bits, key, counter);
  return argsort(bits);
}

/** Stable argsort of uint32: the native sort of the unique 64-bit keys bits·2^32 + i. */
function argsort(bits: Uint32Array): Int32Array {
  const n = bits.length;
  const words = new Uint32Array(2 * n); // little-endian on every platform Deno has
  for (let i = 0; i < n; i++) {
    words[2 * i] = i;
    words[2 * i + 1] = bits[i]!;
  }
  new BigUint64Array(words.buffer).sort(); // measured faster than exact float64 keys at every n
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = words[2 * i]!;
  return order;
}

/** Draws in pieces that stay in the first-level cache and hands each piece of bits to `use`. */
function inChunks(
  length: number,
  key: PhiloxKey,
  counter: number,
  firstBlock: number,
  use: (bits: Uint32Array, start: number, count: number) => void,
): void {
  assertDraw(length, counter, firstBlock);
  const bits = new Uint32Array(Math.min(4096, 4 * Math.ceil(length / 4)));
  for (let start = 0; start < length; start += 4096) {
    fillBits(bits, key, counter, firstBlock + start / 4);
    use(bits, start, Math.min(4096, length - start));
  }
}

/** The hot loop: `length` words from the 128-bit counter (c0 lowest) upwards. */
function generate(
  out: Uint32Array,
  length: number,
  key: PhiloxKey,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  const [key0, key1] = key;
  for (let at = 0; at < length; at += 4) {
    let x0 = c0 | 0, x1 = c1 | 0, x2 = c2 | 0, x3 = c3 | 0;
    let k0 = key0 | 0, k1 = key1 | 0;
    for (let round = 0; round < ROUNDS; round++) {
      const l0 = x0 & 0xFFFF, h0 = x0 >>> 16;
      const p0 = Math.imul(M0_LOW, l0) >>> 16;
      const q0 = (Math.imul(M0_HIGH, l0) + p0) >>> 0;
      const r0 = (Math.imul(M0_LOW, h0) + (q0 & 0xFFFF)) >>> 16;
      const high0 = (Math.imul(M0_HIGH, h0) + (q0 >>> 16) + r0) | 0;
      const l2 = x2 & 0xFFFF, h2 = x2 >>> 16;
      const p2 = Math.imul(M1_LOW, l2) >>> 16;
      const q2 = (Math.imul(M1_HIGH, l2) + p2) >>> 0;
      const r2 = (Math.imul(M1_LOW, h2) + (q2 & 0xFFFF)) >>> 16;
      const high2 = (Math.imul(M1_HIGH, h2) + (q2 >>> 16) + r2) | 0;
      const low0 = Math.imul(M0, x0), low2 = Math.imul(M1, x2);
      x0 = high2 ^ x1 ^ k0;
      x1 = low2;
      x2 = high0 ^ x3 ^ k1;
      x3 = low0;
      k0 = (k0 + W0) | 0;
      k1 = (k1 + W1) | 0;
    }
    out[at] = x0; // writes beyond the end of a typed array are ignored
    out[at + 1] = x1;
    out[at + 2] = x2;
    out[at + 3] = x3;
    c0 = (c0 + 1) >>> 0;
    if (c0 === 0) {
      c1 = (c1 + 1) >>> 0;
      if (c1 === 0) {
        c2 = (c2 + 1) >>> 0;
        if (c2 === 0) c3 = (c3 + 1) >>> 0;
      }
    }
  }
}

function assertDraw(length: number, counter: number, firstBlock: number): void {
  assertCount("draw random numbers", "counter", counter);
  assertCount("draw random numbers", "firstBlock", firstBlock);
  assertCount("draw random numbers", "last block", firstBlock + Math.ceil(length / 4));
}

function assertCount(action: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(
    `Cannot ${action}: ${name} must be an integer from 0 to 2^53 - 1, current value is ${value}. ` +
      `Pass a whole number such as 0`,
  );
}
