import assert from "node:assert/strict";
import { deriveKey } from "../../lib/engine/_philox.ts";
import { apportion } from "../../lib/datasets/sampling/_apportion.ts";
import { permuted } from "../../lib/datasets/sampling/_bijection.ts";
import { drawsBefore } from "../../lib/datasets/sampling/_epoch_counts.ts";
import {
  type DatasetGroup,
  type SampleOrder,
  SequentialOrder,
  WeightedSampler,
} from "../../lib/datasets/mod.ts";

/** Data sets whose episodes take turns, with `episode` samples each. */
function groupsOf(
  sizes: readonly number[],
  weights: readonly number[],
  episode = 7,
): DatasetGroup[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ranges = sizes.map((): { episode: number; start: number; count: number }[] => []);
  const left = [...sizes];
  for (let start = 0, e = 0; left.some((count) => count > 0); e++) {
    const g = e % sizes.length, count = Math.min(episode, left[g]!);
    if (count > 0) ranges[g]!.push({ episode: e, start, count });
    start += count;
    left[g]! -= count;
  }
  return sizes.map((samples, g) => ({
    ...{ name: `set ${g}`, weight: weights[g]!, confidence: 1, samples },
    ...{ share: weights[g]! / total, ranges: ranges[g]! },
  }));
}

function groupOf(groups: readonly DatasetGroup[], sample: number): number {
  return groups.findIndex(({ ranges }) =>
    ranges.some(({ start, count }) => sample >= start && sample < start + count)
  );
}

function epochOf(order: SampleOrder, epoch: number): number[] {
  const target = new Int32Array(order.length);
  order.read(epoch, 0, target);
  return [...target];
}

/** χ² of counts that should all be equal. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

Deno.test("permuted: a permutation for each number, of any length", () => {
  const key = deriveKey(3, "a");
  for (const n of [1, 2, 3, 4, 5, 16, 17, 99, 1000, 1023, 4097]) {
    for (const number of [0, 1, 2 ** 40]) {
      const seen = new Set(Array.from({ length: n }, (_, i) => permuted(i, n, key, number)));
      assert.equal(seen.size, n, `${n} items, order ${number}`);
      assert(seen.values().every((place) => place >= 0 && place < n), `${n} items`);
    }
  }
});

Deno.test("permuted: all orders of four items are equally likely, and all places of many", () => {
  const key = deriveKey(4, "b");
  const orders = new Map<string, number>();
  for (let number = 0; number < 4800; number++) {
    const order = [0, 1, 2, 3].map((i) => permuted(i, 4, key, number)).join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 24);
  assert(chiSquare([...orders.values()]) < 60, "24 orders of four"); // 23 degrees of freedom
  const n = 50, places = new Array<number>(n * n).fill(0);
  for (let number = 0; number < 5000; number++) {
    for (let i = 0; i < n; i++) places[i * n + permuted(i, n, key, number)]!++;
  }
  const freedom = (n - 1) ** 2; // 2401, σ = √(2 · 2401) = 69
  assert(Math.abs(chiSquare(places) - freedom) < 5 * Math.sqrt(2 * freedom), "50 places");
});

Deno.test("apportion: Sainte-Laguë's seats, the same as draw by draw", () => {
  assert.deepEqual(apportion([0.53, 0.24, 0.23], 7), [3, 2, 2]); // the textbook's example
  for (const weights of [[3, 2, 1], [1], [1, 1, 1, 1], [1000, 1, 1], [0.1, 7, 3.3, 2, 2, 1e-6]]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const shares = weights.map((weight) => weight / total);
    const counts = shares.map(() => 0);
    for (let n = 0; n < 600; n++) {
      assert.deepEqual(apportion(shares, n), counts, `${weights}, ${n} draws`);
      const due = shares.map((share, g) => (counts[g]! + 0.5) / share);
      counts[due.indexOf(Math.min(...due))]!++;
    }
    const far = 2 ** 45;
    apportion(shares, far).forEach((count, g) =>
      assert(Math.abs(count - far * shares[g]!) < 2, `${weights} far out`)
    );
  }
});

Deno.test("WeightedSampler: ranks share one sequence, equally long and with no place in common", () => {
  const groups = groupsOf([100, 60, 41], [3, 2, 1]);
  for (let ranks = 1; ranks <= 8; ranks++) {
    const multiple = 840; // so that all have the same epochs
    const options = { seed: 5, multiple, epochSamples: 1680 };
    const whole = epochOf(new WeightedSampler(groups, options), 1);
    const parts = Array.from(
      { length: ranks },
      (_, rank) => epochOf(new WeightedSampler(groups, { ...options, ranks, rank }), 1),
    );
    assert(parts.every(({ length }) => length === 1680 / ranks), `${ranks} ranks`);
    assert.deepEqual(whole.map((_, i) => parts[i % ranks]![Math.floor(i / ranks)]), whole);
  }
});

Deno.test("WeightedSampler: no two ranks take the same sample while a data set lasts", () => {
  const groups = groupsOf([500, 300], [500, 300]);
  for (let ranks = 1; ranks <= 8; ranks++) {
    const samples = Array.from(
      { length: ranks },
      (_, rank) => epochOf(new WeightedSampler(groups, { seed: ranks, ranks, rank }), 0),
    ).flat();
    assert.equal(new Set(samples).size, samples.length, `${ranks} ranks`);
    assert(samples.length > 800 - ranks, `${ranks} ranks leave too much out`);
  }
});

Deno.test("WeightedSampler: each data set gives every sample once before any again, in new orders", () => {
  const groups = groupsOf([13, 40, 1, 200], [5, 3, 1, 2]);
  const sampler = new WeightedSampler(groups, { seed: 8, multiple: 16 });
  const drawn: number[][] = groups.map(() => []);
  for (let epoch = 0; epoch < 12; epoch++) {
    for (const sample of epochOf(sampler, epoch)) drawn[groupOf(groups, sample)]!.push(sample);
  }
  groups.forEach(({ samples, ranges }, g) => {
    const all = ranges.flatMap(({ start, count }) =>
      Array.from({ length: count }, (_, i) => start + i)
    );
    const passes = Math.floor(drawn[g]!.length / samples);
    assert(passes >= 2, `data set ${g} was drawn ${drawn[g]!.length} times`);
    const orders = Array.from(
      { length: passes },
      (_, p) => drawn[g]!.slice(p * samples, (p + 1) * samples),
    );
    for (const order of orders) assert.deepEqual(order.toSorted((a, b) => a - b), all);
    const rest = drawn[g]!.slice(passes * samples);
    assert.equal(new Set(rest).size, rest.length);
    if (samples > 10) assert.equal(new Set(orders.map(String)).size, passes);
  });
});

Deno.test("WeightedSampler: 3 : 2 : 1 is met within 2 % in every epoch, and shares() counts right", () => {
  const cases = [
    { sizes: [1000, 5000, 20000], weights: [3, 2, 1] },
    { sizes: [20000, 300, 10], weights: [3, 2, 1] },
    { sizes: [300, 300, 300, 300, 300, 300], weights: [3, 3, 2, 2, 1, 1] },
    { sizes: [2000, 10], weights: [1, 0.05] },
  ];
  for (const { sizes, weights } of cases) {
    const groups = groupsOf(sizes, weights, 250);
    const sampler = new WeightedSampler(groups, { seed: 2, multiple: 64 });
    for (const epoch of [0, 1, 7]) {
      const counts = groups.map(() => 0);
      for (const sample of epochOf(sampler, epoch)) counts[groupOf(groups, sample)]!++;
      const shares = sampler.shares(epoch);
      assert.deepEqual(shares.map(({ drawn }) => drawn), counts);
      for (const { name, requested, realised } of shares) {
        assert(
          Math.abs(realised / requested - 1) < 0.02,
          `${sizes} ${name} ${realised} of ${requested}`,
        );
      }
    }
  }
});

for (const weights of [[3, 2, 1], [3, 3, 2, 2, 1, 1]]) {
  Deno.test(`WeightedSampler: ${weights.join(" : ")} is met to the sample in epochs of any length`, () => {
    const groups = groupsOf(weights.map((_, g) => 40 + 13 * g), weights);
    for (const epochSamples of [16, 48, 120, 500, 1251]) {
      const sampler = new WeightedSampler(groups, { seed: 4, epochSamples });
      const drawn = groups.map(() => 0), orders = new Set<string>();
      const names = new Map<number, number>();
      for (let epoch = 0; epoch < 100; epoch++) {
        const counts = groups.map(() => 0);
        const order = epochOf(sampler, epoch).map((sample) => {
          if (!names.has(sample)) names.set(sample, groupOf(groups, sample));
          const g = names.get(sample)!;
          counts[g]!++;
          drawn[g]!++;
          return g;
        });
        orders.add(order.join());
        counts.forEach((count, g) => {
          const quota = Math.round(epochSamples * groups[g]!.share * 1e9) / 1e9;
          assert(
            count === Math.floor(quota) || count === Math.ceil(quota),
            `${epochSamples} an epoch, epoch ${epoch}, set ${g}: ${count} of ${quota}`,
          );
          const far = drawn[g]! - (epoch + 1) * epochSamples * groups[g]!.share;
          assert(Math.abs(far) < 3, `${epochSamples} an epoch, epochs to ${epoch}: ${far} off`);
        });
      }
      assert.equal(orders.size, 100, `${epochSamples} an epoch: each in another order`);
    }
  });
}

Deno.test("drawsBefore: counts what the epochs draw one by one, near and far", () => {
  const reversed = (k: number) => { // van der Corput, digit by digit
    let move = 0;
    for (let place = 0.5; k > 0; place /= 2, k = Math.floor(k / 2)) move += (k % 2) * place;
    return move;
  };
  const shares = [0.5, 0.3125, 0.125, 0.0625], length = 13;
  const bounds = [0, 6.5, 10.5625, 12.1875, 13];
  const sums = shares.map(() => 0);
  for (let epoch = 0; epoch < 1500; epoch++) {
    assert.deepEqual(drawsBefore(shares, length, epoch), sums, `${epoch} epochs`);
    const cuts = bounds.map((bound) => Math.floor(bound + reversed(epoch)));
    sums.forEach((_, g) => sums[g]! += cuts[g + 1]! - cuts[g]!);
  }
  for (const far of [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 12345, 2 ** 40 + 3]) {
    const counts = drawsBefore(shares, length, far);
    assert.equal(counts.reduce((sum, count) => sum + count, 0), far * length);
    counts.forEach((count, g) => assert(Math.abs(count - far * length * shares[g]!) < 8, `${far}`));
  }
});

Deno.test("WeightedSampler: shares() counts epochs that begin and end anywhere", () => {
  const groups = groupsOf([23, 11, 5], [3, 2, 1]);
  const sampler = new WeightedSampler(groups, { seed: 6 });
  for (let epoch = 0; epoch < 30; epoch++) { // of 39 places
    const counts = groups.map(() => 0);
    for (const sample of epochOf(sampler, epoch)) counts[groupOf(groups, sample)]!++;
    assert.deepEqual(sampler.shares(epoch).map(({ drawn }) => drawn), counts, `epoch ${epoch}`);
  }
});

Deno.test("WeightedSampler: every rank has the shares too", () => {
  const groups = groupsOf([3000, 3000, 3000], [3, 2, 1], 500);
  for (const ranks of [2, 3, 4, 6, 8]) {
    for (let rank = 0; rank < ranks; rank++) {
      const counts = groups.map(() => 0);
      const samples = epochOf(new WeightedSampler(groups, { seed: 1, ranks, rank }), 0);
      for (const sample of samples) counts[groupOf(groups, sample)]!++;
      counts.forEach((count, g) =>
        assert(
          Math.abs(count / samples.length - groups[g]!.share) < 0.05,
          `${ranks} ranks, ${counts}`,
        )
      );
    }
  }
});

Deno.test("WeightedSampler: any part of an epoch is the same however it is asked for", () => {
  const groups = groupsOf([70, 45, 3], [1, 2, 0.5]);
  const make = () => new WeightedSampler(groups, { seed: 11, ranks: 2, rank: 1, multiple: 6 });
  const epochs = [0, 1, 2].map((epoch) => epochOf(make(), epoch));
  const sampler = make();
  for (const epoch of [2, 0, 1]) { // backwards, in pieces, with one object
    for (let position = sampler.length - 1; position >= 0; position -= 5) {
      const target = new Int32Array(Math.min(5, sampler.length - position));
      sampler.read(epoch, position, target);
      assert.deepEqual([...target], epochs[epoch]!.slice(position, position + 5));
      sampler.shares(epoch); // disturbs nothing
    }
  }
  assert.notDeepEqual(epochs[0], epochs[1]);
  const other = new WeightedSampler(groups, { seed: 12, ranks: 2, rank: 1, multiple: 6 });
  assert.notDeepEqual(epochOf(other, 0), epochs[0]);
});

Deno.test("WeightedSampler: epochs are whole multiples, at least one", () => {
  const groups = groupsOf([100], [1]);
  const length = (options: { multiple?: number; epochSamples?: number; ranks?: number }) =>
    new WeightedSampler(groups, { seed: 0, ...options }).epochSamples;
  assert.equal(length({}), 100);
  assert.equal(length({ ranks: 8 }), 96);
  assert.equal(length({ multiple: 64 }), 64);
  assert.equal(length({ multiple: 512 }), 512);
  assert.equal(length({ multiple: 10, epochSamples: 57 }), 50);
  for (
    const bad of [{ multiple: 3, ranks: 2 }, { epochSamples: 0 }, { epochSamples: 1.5 }, {
      ranks: 0,
    }]
  ) {
    assert.throws(() => length(bad), RangeError, JSON.stringify(bad));
  }
  assert.throws(() => new WeightedSampler([], { seed: 0 }), RangeError);
  assert.throws(() => new WeightedSampler(groups, { seed: -1 }), RangeError);
  assert.throws(() => new WeightedSampler(groups, { seed: 0, ranks: 2, rank: 2 }), RangeError);
  const sampler = new WeightedSampler(groups, { seed: 0 });
  for (
    const [epoch, position, count] of [[0, 99, 2], [0, -1, 1], [-1, 0, 1], [0.5, 0, 1], [0, NaN, 1]]
  ) {
    assert.throws(() => sampler.read(epoch!, position!, new Int32Array(count!)), RangeError);
  }
});

Deno.test("WeightedSampler: keeps ranges of episodes, not samples", () => {
  const count = 2 ** 30;
  const group = { name: "a", weight: 1, share: 1, confidence: 1, samples: count };
  const sampler = new WeightedSampler(
    [{ ...group, ranges: [{ episode: 0, start: 0, count }] }],
    { seed: 1 },
  );
  const target = new Int32Array(1000);
  sampler.read(3, count - 1000, target); // at once, and without a gigabyte
  assert.equal(new Set(target).size, 1000);
});

Deno.test("SequentialOrder: every sample once, shared between ranks without duplicates", () => {
  for (const samples of [0, 1, 7, 64, 100]) {
    for (let ranks = 1; ranks <= 8; ranks++) {
      const parts = Array.from(
        { length: ranks },
        (_, rank) => epochOf(new SequentialOrder(samples, { ranks, rank }), 3),
      );
      const all = parts.flat().sort((a, b) => a - b);
      assert.deepEqual(all, Array.from({ length: samples }, (_, i) => i), `${samples} by ${ranks}`);
      const lengths = parts.map(({ length }) => length);
      assert(Math.max(...lengths) - Math.min(...lengths) <= 1, `${samples} by ${ranks}`);
    }
  }
  assert.throws(() => new SequentialOrder(1.5), RangeError);
  assert.throws(() => new SequentialOrder(5, { ranks: 2, rank: -1 }), RangeError);
  assert.throws(() => new SequentialOrder(5).read(0, 5, new Int32Array(1)), RangeError);
});
