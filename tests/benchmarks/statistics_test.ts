import assert from "node:assert/strict";
import { compareRounds, makeRecord, quantile, summarize } from "../../lib/benchmarks/mod.ts";

Deno.test("quantile interpolates as numpy.quantile does", () => {
  const values = [9, 1, 4, 16]; // numpy.quantile([9, 1, 4, 16], p)
  assert.equal(quantile(values, 0), 1);
  assert.equal(quantile(values, 0.25), 3.25);
  assert.equal(quantile(values, 0.5), 6.5);
  assert.ok(Math.abs(quantile(values, 0.9) - 13.9) < 1e-12);
  assert.equal(quantile(values, 1), 16);
  assert.equal(quantile([7], 0.3), 7);
  assert.deepEqual(values, [9, 1, 4, 16], "the values stay in their order");
});

Deno.test("quantile refuses no values and a p outside 0 to 1", () => {
  assert.throws(() => quantile([], 0.5), /RangeError: Cannot take a quantile: there are no values/);
  for (const p of [-0.1, 1.1, NaN]) {
    assert.throws(() => quantile([1], p), new RegExp(`p must be .*current value is ${p}`));
  }
});

Deno.test("summarize gives median, 10th and 90th percentile and the number of runs", () => {
  const values = Array.from({ length: 11 }, (_, i) => 10 - i);
  assert.deepEqual(summarize(values), { median: 5, p10: 1, p90: 9, runs: 11 });
});

Deno.test("compareRounds takes the median of the rounds' ratios and tells their range", () => {
  const { ratio, ratioRange } = compareRounds([[1, 1, 4], [3]], [[2], [1, 2, 3]]);
  assert.equal(ratio, 2 / 2);
  assert.deepEqual(ratioRange, [0.5, 1.5]);
  assert.equal(compareRounds([[1], [1], [10]], [[1], [4], [4]]).ratio, 1);
  assert.throws(() => compareRounds([[1]], []), /as many rounds, current value is 1 and 0/);
});

Deno.test("makeRecord turns times into ops per second and keeps the ratio one of times", () => {
  const record = makeRecord(
    { name: "n", engine: "wasm", config: { a: 1 }, unit: "ops/s" },
    { rounds: [[2], [4]], findings: { nodes: 3 } },
    [{ library: "PyTorch", version: "2", rounds: [[1], [1]] }],
  );
  assert.deepEqual(record, {
    name: "n",
    engine: "wasm",
    config: { a: 1 },
    unit: "ops/s",
    median: 375,
    p10: 275,
    p90: 475,
    runs: 2,
    ratio: 3,
    ratioRange: [2, 4],
    nodes: 3,
    peers: [{
      library: "PyTorch",
      version: "2",
      median: 1000,
      p10: 1000,
      p90: 1000,
      runs: 2,
      ratio: 3,
      ratioRange: [2, 4],
    }],
  });
});

Deno.test("makeRecord has no ratio without a peer", () => {
  const what = { name: "n", engine: "wasm", config: {}, unit: "ms" } as const;
  const record = makeRecord(what, { rounds: [[1, 2, 3]] }, []);
  assert.equal(record.median, 2);
  assert.ok(!("ratio" in record) && !("ratioRange" in record));
  assert.deepEqual(record.peers, []);
});
