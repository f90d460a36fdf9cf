import assert from "node:assert/strict";
import fc from "fast-check";
import {
  deriveKey,
  fillBits,
  fillNormal,
  fillUniform,
  permutation,
  philox4x32,
  type PhiloxBlock,
  type PhiloxKey,
} from "../../lib/engine/_philox.ts";
import recorded from "../../data-fixtures/random/philox.json" with { type: "json" };

fc.configureGlobal({ seed: 1 }); // the same cases each time

const KEY = deriveKey(42, "tests");
const MAX = Number.MAX_SAFE_INTEGER;

function bits(length: number, key: PhiloxKey, counter: number, firstBlock?: number): number[] {
  const out = new Uint32Array(length);
  fillBits(out, key, counter, firstBlock);
  return [...out];
}

/** Kolmogorov-Smirnov distance of a sample to a distribution function. */
function ksDistance(sample: Float32Array, cdf: (x: number) => number): number {
  const n = sample.length;
  return sample.toSorted().reduce((worst, x, i) => {
    const p = cdf(x);
    return Math.max(worst, Math.abs(p - i / n), Math.abs((i + 1) / n - p));
  }, 0);
}

/** Standard normal distribution function: Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly = t * (0.319381530 +
    t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const upper = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) * poly;
  return x > 0 ? 1 - upper : upper;
}

function moment(values: Float32Array, power: number, centre = 0): number {
  return values.reduce((sum, v) => sum + (v - centre) ** power, 0) / values.length;
}

Deno.test("philox4x32() equals Random123's published vectors", () => {
  const F = 0xffffffff;
  const vectors: [PhiloxBlock, PhiloxKey, number[]][] = [
    [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [[F, F, F, F], [F, F], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key, output] of vectors) {
    assert.deepEqual(philox4x32(counter, key), output);
  }
});

Deno.test("fillBits() equals Random123's published vectors", () => {
  assert.deepEqual(bits(4, [0, 0], 0), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
});

Deno.test("philox4x32() equals the oracle in Python integers at counters about to carry", () => {
  for (const { counter, key, output } of recorded.blocks) {
    const block = philox4x32(
      counter as unknown as PhiloxBlock,
      key as unknown as PhiloxKey,
    );
    assert.deepEqual(block, output);
  }
});

Deno.test("deriveKey() equals the oracle for seeds up to 2^53 - 1 and UTF-8 names", () => {
  for (const { seed, stream, key } of recorded.keys) assert.deepEqual(deriveKey(seed, stream), key);
});

Deno.test("fillBits() equals the oracle across carries and odd tails", () => {
  for (const draw of recorded.draws) {
    const key = draw.key as unknown as PhiloxKey;
    assert.deepEqual(bits(draw.bits.length, key, draw.counter, draw.firstBlock), draw.bits);
  }
});

Deno.test("fillUniform(), fillNormal() and permutation() equal the oracle", () => {
  const { key, counter, uniform, normal, permutation: order } = recorded.values;
  const pair = key as unknown as PhiloxKey;
  const out = new Float32Array(uniform.length);
  fillUniform(out, pair, counter);
  assert.deepEqual([...out], uniform);
  fillNormal(out, pair, counter);
  assert.deepEqual([...out], normal);
  assert.deepEqual([...permutation(order.length, pair, counter)], order);
});

Deno.test("fillBits() gives the first words of a longer draw", () => {
  const length = fc.nat(300), counter = fc.maxSafeNat();
  fc.assert(fc.property(length, length, counter, (a, b, draw) => {
    const long = bits(Math.max(a, b), KEY, draw);
    assert.deepEqual(bits(Math.min(a, b), KEY, draw), long.slice(0, Math.min(a, b)));
  }));
});

Deno.test("firstBlock continues a draw where its first piece ended", () => {
  for (const fill of [fillUniform, fillNormal]) {
    fc.assert(
      fc.property(fc.nat(2100), fc.nat(5000), fc.maxSafeNat(), (blocks, tail, counter) => {
        const whole = new Float32Array(4 * blocks + tail);
        const pieces = new Float32Array(whole.length);
        fill(whole, KEY, counter);
        fill(pieces.subarray(0, 4 * blocks), KEY, counter);
        fill(pieces.subarray(4 * blocks), KEY, counter, blocks);
        assert.deepEqual(pieces, whole);
      }),
      { numRuns: 30 },
    );
  }
});

Deno.test("deriveKey() separates seeds and streams, and counters separate draws", () => {
  const draw = fc.tuple(fc.maxSafeNat(), fc.string(), fc.maxSafeNat());
  fc.assert(fc.property(draw, draw, (a, b) => {
    fc.pre(a.some((part, i) => part !== b[i]));
    assert.notDeepEqual(
      bits(4, deriveKey(a[0], a[1]), a[2]),
      bits(4, deriveKey(b[0], b[1]), b[2]),
    );
  }));
});

Deno.test("fillUniform() stays in [0, 1) and follows the uniform distribution", () => {
  const n = 100_000;
  for (const seed of [1, 2, 3]) {
    const out = new Float32Array(n);
    fillUniform(out, deriveKey(seed, "uniform"), 0);
    assert.ok(out.every((u) => u >= 0 && u < 1));
    const mean = moment(out, 1); // four standard errors
    assert.ok(Math.abs(mean - 1 / 2) < 4 * Math.sqrt(1 / 12 / n), `mean ${mean}`);
    assert.ok(Math.abs(moment(out, 2, 0.5) - 1 / 12) < 4 * Math.sqrt(1 / 180 / n));
    const distance = ksDistance(out, (x) => x); // 1.95/√n is exceeded with probability 0.001
    assert.ok(distance < 1.95 / Math.sqrt(n), `KS distance ${distance}`);
  }
});

Deno.test("fillNormal() follows the standard normal distribution", () => {
  const n = 100_000;
  for (const seed of [1, 2, 3]) {
    const out = new Float32Array(n);
    fillNormal(out, deriveKey(seed, "normal"), 0);
    for (const [power, expected, variance] of [[1, 0, 1], [2, 1, 2], [3, 0, 15], [4, 3, 96]]) {
      const value = moment(out, power!);
      assert.ok(Math.abs(value - expected!) < 4 * Math.sqrt(variance! / n), `m${power} ${value}`);
    }
    const distance = ksDistance(out, normalCdf);
    assert.ok(distance < 1.95 / Math.sqrt(n), `KS distance ${distance}`);
    const lag = out.subarray(1).reduce((sum, z, i) => sum + z * out[i]!, 0) / n;
    assert.ok(Math.abs(lag) < 4 / Math.sqrt(n), `correlation of neighbours ${lag}`);
  }
});

Deno.test("permutation() orders 0 … n-1 by the words of the draw, ties by index", () => {
  fc.assert(fc.property(fc.nat(200), fc.maxSafeNat(), (n, counter) => {
    const words = bits(n, KEY, counter);
    const expected = words.map((_, i) => i).sort((a, b) => words[a]! - words[b]! || a - b);
    assert.deepEqual([...permutation(n, KEY, counter)], expected);
  }));
});

Deno.test("permutation() gives each order of four items equally often (chi squared)", () => {
  const draws = 24_000, counts = new Map<string, number>();
  for (let i = 0; i < draws; i++) {
    const order = permutation(4, KEY, i).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 24);
  const expected = draws / 24;
  const chi2 = [...counts.values()].reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
  assert.ok(chi2 < 49.7, `chi squared ${chi2}`); // 23 degrees of freedom, probability 0.001
});

Deno.test("permutation() of a million items holds each item once", () => {
  const n = 1_000_000, seen = new Uint8Array(n);
  for (const i of permutation(n, KEY, 0)) seen[i]! += 1;
  assert.ok(seen.every((count) => count === 1));
});

Deno.test("deriveKey(), fillBits() and permutation() refuse what is not a whole number", () => {
  const message = /^Cannot .*: .* must be an integer .*, current value is/;
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    const refused = { name: "RangeError", message };
    assert.throws(() => deriveKey(bad, "a"), refused);
    assert.throws(() => fillBits(new Uint32Array(1), KEY, bad), refused);
    assert.throws(() => fillBits(new Uint32Array(1), KEY, 0, bad), refused);
    assert.throws(() => permutation(bad, KEY, 0), refused);
  }
  assert.throws(() => fillBits(new Uint32Array(5), KEY, 0, MAX - 1), RangeError);
});
