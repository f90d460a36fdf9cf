import assert from "node:assert/strict";
import fc from "fast-check";
import { observationAction, readChunk, sampleTable } from "../../lib/datasets/mod.ts";
import { memoryEpisode, runs, tenths } from "./_episode.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const collection = fc.array(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 }), {
  maxLength: 4,
}).map((episodes) =>
  episodes.map((lengths) => {
    const segment = runs(lengths);
    return memoryEpisode({ segment, actionTime: tenths(segment.length) });
  })
);
const options = fc.record({
  horizon: fc.integer({ min: 1, max: 12 }),
  stride: fc.integer({ min: 1, max: 5 }),
  endPadding: fc.constantFrom("mask" as const, "drop" as const),
});

Deno.test("sampleTable: chunks never cross a segment, and masks count the actions there are", () => {
  fc.assert(fc.property(collection, options, (episodes, chosen) => {
    const samples = sampleTable(episodes, chosen);
    const target = new Float32Array(chosen.horizon * 7), mask = new Uint8Array(chosen.horizon);
    for (let i = 0; i < samples.length; i++) {
      const episode = episodes[samples.episode[i]!]!;
      target.fill(NaN);
      const valid = readChunk(episode, samples, i, target, mask);
      const first = samples.action[i]!;
      const own = episode.segment[first]!;
      assert.equal(mask.reduce((sum, m) => sum + m, 0), valid);
      if (chosen.endPadding === "drop") assert.equal(valid, chosen.horizon);
      for (let step = 0; step < chosen.horizon; step++) {
        assert.equal(mask[step], step < valid ? 1 : 0);
        const expected = first + Math.min(step, valid - 1);
        assert.equal(episode.segment[expected], own);
        assert(target.subarray(step * 7, step * 7 + 7).every((value) => value === expected));
      }
      // Fewer than H only where the segment really ends.
      if (valid < chosen.horizon) assert.notEqual(episode.segment[first + valid], own);
    }
  }));
});

Deno.test("sampleTable: with mask every strided action of each segment starts one sample, in order", () => {
  fc.assert(fc.property(collection, fc.integer({ min: 1, max: 5 }), (episodes, stride) => {
    const samples = sampleTable(episodes, { stride });
    const expected = episodes.flatMap(({ segment }, e) =>
      [...segment].flatMap((own, a) => (a - segment.indexOf(own)) % stride === 0 ? [[e, a]] : [])
    );
    const found = Array.from(samples.action, (action, i) => [samples.episode[i], action]);
    assert.deepEqual(found, expected);
    assert.equal(samples.length, expected.length);
  }));
});

Deno.test("sampleTable: T actions give T − H + 1 whole chunks, and floor(T / H) without overlap", () => {
  for (const [T, whole] of [[7, 0], [8, 1], [15, 8], [16, 9], [40, 33], [264, 257]] as const) {
    const episode = memoryEpisode({ actionTime: tenths(T) });
    assert.equal(sampleTable([episode], { endPadding: "drop" }).length, whole);
    const apart = sampleTable([episode], { endPadding: "drop", stride: 8 });
    assert.equal(apart.length, Math.floor(T / 8));
    assert.equal(sampleTable([episode]).length, T);
  }
});

Deno.test("sampleTable: a segment number that comes back after a gap is another segment", () => {
  const episode = memoryEpisode({ segment: Int32Array.of(0, 0, 1, 0), actionTime: tenths(4) });
  const { segmentStart, segmentEnd } = sampleTable([episode]);
  assert.deepEqual([...segmentStart], [0, 0, 2, 3]);
  assert.deepEqual([...segmentEnd], [2, 2, 3, 4]);
});

Deno.test("sampleTable: drops samples whose actions touch an excluded interval", () => {
  const episode = memoryEpisode({ actionTime: tenths(40) });
  const starts = (from: number, until: number, excludeMargin = 0) =>
    sampleTable([episode], {
      endPadding: "drop",
      exclude: () => [[from, until]],
      excludeMargin,
    }).action;
  const without = (drop: (a: number) => boolean) =>
    Array.from({ length: 33 }, (_, a) => a).filter((a) => !drop(a));
  // a push from 2.05 to 2.15 s: chunks that begin before its end and end after its begin
  assert.deepEqual([...starts(2.05, 2.15)], without((a) => a * 0.1 < 2.15 && a * 0.1 + 0.8 > 2.05));
  // the margin also drops the start just after it
  assert.deepEqual(
    [...starts(2.05, 2.19, 0.02)],
    without((a) => a * 0.1 - 0.02 < 2.19 && a * 0.1 + 0.8 > 2.05),
  );
  assert.equal(starts(2.05, 2.19, 0.02).length, starts(2.05, 2.19).length - 1);
});

Deno.test("sampleTable: an interval that only meets the actions, or lies in the gap after them, excludes none", () => {
  const actionTime = Float64Array.of(1, 1.25, 1.25, 1.5, 9, 9.25);
  const episode = memoryEpisode({ actionTime, segment: runs([2, 1]) });
  const actions = (
    begin: number,
    end: number,
  ) => [...sampleTable([episode], { exclude: () => [[begin, end]] }).action];
  assert.deepEqual(actions(0, 1), [0, 1, 2]);
  assert.deepEqual(actions(1.5, 9), [0, 1, 2]);
  assert.deepEqual(actions(1.375, 9), [2]);
});

Deno.test("sampleTable: lists the 98,709 samples of the largest collection in a moment, 16 bytes each", () => {
  const sizes = Array.from({ length: 37 }, (_, e) => e < 36 ? 2668 : 98_709 - 36 * 2668);
  const episodes = sizes.map((count) => memoryEpisode({ actionTime: tenths(count) }));
  const begin = performance.now();
  const samples = sampleTable(episodes);
  assert(performance.now() - begin < 5000);
  assert.equal(samples.length, 98_709);
  const columns = [samples.episode, samples.action, samples.segmentStart, samples.segmentEnd];
  assert.equal(columns.reduce((sum, { byteLength }) => sum + byteLength, 0), 16 * 98_709);
});

Deno.test("observationAction: R starts share one, and none is shared across a gap", () => {
  fc.assert(fc.property(collection, fc.integer({ min: 1, max: 17 }), (episodes, reuse) => {
    const samples = sampleTable(episodes);
    for (let i = 0; i < samples.length; i++) {
      const observed = observationAction(samples, i, reuse);
      const { segment } = episodes[samples.episode[i]!]!;
      const age = samples.action[i]! - observed;
      assert(age >= 0 && age < reuse);
      assert.equal(segment[observed], segment[samples.action[i]!]);
      assert.equal((observed - segment.indexOf(segment[observed]!)) % reuse, 0);
    }
  }));
});

Deno.test("observationAction: with a delay each start has what was known at it, or the segment's first", () => {
  const numbers = fc.integer({ min: 1, max: 17 });
  fc.assert(fc.property(collection, numbers, fc.nat(9), (episodes, reuse, delay) => {
    const samples = sampleTable(episodes);
    for (let i = 0; i < samples.length; i++) {
      const start = samples.segmentStart[i]!, action = samples.action[i]!;
      let newest = start; // found by trying each look
      for (let look = start; look + delay <= action; look += reuse) newest = look;
      assert.equal(observationAction(samples, i, reuse, delay), newest);
    }
  }));
});

Deno.test("samples: bad arguments are refused with what was passed", () => {
  const episode = memoryEpisode();
  assert.throws(() => sampleTable([episode], { horizon: 0 }), /horizon .* current value is 0/);
  assert.throws(() => sampleTable([episode], { stride: 1.5 }), /stride .* current value is 1.5/);
  const samples = sampleTable([episode]);
  const chunk = new Float32Array(56), mask = new Uint8Array(8);
  for (const index of [-1, 20, 0.5, NaN]) {
    assert.throws(() => readChunk(episode, samples, index, chunk, mask), /from 0 to 19/);
  }
  assert.throws(() => readChunk(episode, samples, 0, chunk.subarray(1), mask), /56 values/);
  assert.throws(() => readChunk(episode, samples, 0, chunk, mask.subarray(1)), /8 values/);
  assert.throws(() => observationAction(samples, 0, 0), RangeError);
  for (const delay of [-1, 0.5, NaN]) {
    assert.throws(() => observationAction(samples, 0, 1, delay), /delay .* current value is/);
  }
});
