import assert from "node:assert/strict";
import { latencySummary, principalComponents } from "../../lib/evaluation/mod.ts";

Deno.test("principal components are the axes of an ellipsoid, with the shares of its variance", () => {
  const angle = 0.6, n = 400;
  const values = Float64Array.from({ length: n * 3 }, (_, i) => {
    const k = Math.floor(i / 3), t = 2 * Math.PI * k / n;
    const u = 5 * Math.cos(t), v = 2 * Math.sin(t), w = 0.5 * Math.cos(2 * t);
    const point = [
      u * Math.cos(angle) - v * Math.sin(angle) + 7,
      u * Math.sin(angle) + v * Math.cos(angle) - 3,
      w,
    ];
    return point[i % 3]!;
  });
  const { scores, directions, explained } = principalComponents(values, 3, 2);
  const expected = [Math.cos(angle), Math.sin(angle), 0, -Math.sin(angle), Math.cos(angle), 0];
  directions.forEach((value, i) => assert(Math.abs(value - expected[i]!) < 1e-6, `entry ${i}`));
  const variance = [12.5, 2, 0.125], sum = 14.625;
  explained.forEach((share, c) => assert(Math.abs(share - variance[c]! / sum) < 1e-9, `${c}`));
  assert(Math.abs(scores[0]! - 5) < 1e-6, "the first point lies at the end of the long axis");
});

Deno.test("points that do not vary have no components, broken rows are refused", () => {
  assert.deepEqual([...principalComponents([1, 1, 1, 1], 2).explained], [0, 0]);
  for (const value of [0.1, 1 / 3, 1e6 + 0.7]) {
    const rows = Array.from({ length: 49 * 3 }, (_, i) => value * (1 + i % 3));
    assert.deepEqual([...principalComponents(rows, 3).explained], [0, 0], `all ${value}`);
  }
  assert.throws(() => principalComponents([1, 2, 3], 2), RangeError);
});

Deno.test("points of a lower rank have no more components than that, each once", () => {
  const line = principalComponents([0, 0, 1, 1, 2, 2], 2, 2);
  const { scores, directions, explained } = line;
  directions.forEach((value, i) =>
    assert(Math.abs(value - (i < 2 ? Math.SQRT1_2 : 0)) < 1e-12, `entry ${i}`)
  );
  assert(Math.abs(explained[0]! - 1) < 1e-12);
  assert.deepEqual([explained[1], scores[1], scores[3], scores[5]], [0, 0, 0, 0]);
  for (const rank of [1, 2, 3]) {
    for (const offset of [0, 100]) {
      const n = 12, width = 5;
      const values = Array.from({ length: n * width }, (_, i) => {
        const row = Math.floor(i / width), d = i % width;
        let sum = offset;
        for (let c = 0; c < rank; c++) {
          sum += Math.cos(row * (c + 1.3)) * Math.sin(3 * c * d + d + c);
        }
        return sum;
      });
      const found = principalComponents(values, width, 4);
      const at = (c: number) => found.directions.subarray(c * width, (c + 1) * width);
      for (let a = 0; a < 4; a++) {
        assert.equal(found.explained[a]! > 0, a < rank, `rank ${rank}, component ${a}`);
        for (let b = 0; b <= a; b++) {
          const product = at(a).reduce((sum, value, d) => sum + value * at(b)[d]!, 0);
          const expected = a === b && a < rank ? 1 : 0;
          assert(Math.abs(product - expected) < 1e-9, `rank ${rank}: ${a}, ${b}: ${product}`);
        }
      }
      assert(Math.abs(found.explained.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
    }
  }
});

Deno.test("points that are not finite have no components", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    assert.throws(() => principalComponents([0, 1, 2, bad, 4, 5], 2), {
      name: "RangeError",
      message: new RegExp(`row 1, column 1 must be finite, current value is ${bad}`),
    });
  }
});

Deno.test("percentiles of latencies leave the first calls out", () => {
  const calls = [5000, 400, 300, ...Array.from({ length: 101 }, (_, i) => i)];
  const { count, p50, p95, p99, max, mean } = latencySummary(calls);
  assert.deepEqual({ count, p50, p95, p99, max, mean }, {
    ...{ count: 101, p50: 50, p95: 95, p99: 99, max: 100, mean: 50 },
  });
  assert.throws(() => latencySummary([1, 2, 3]), /more than 3 calls/);
  assert.throws(() => latencySummary([1, 2, 3, 4, NaN]), /RangeError.*call 4 must be finite/);
  assert.throws(() => latencySummary([1, Infinity], { warmUp: 0 }), /call 1 must be finite/);
  assert.equal(latencySummary([NaN, 7], { warmUp: 1 }).p50, 7);
  for (const warmUp of [-1, 0.5, NaN]) {
    assert.throws(() => latencySummary([1, 2, 3, 4, 5], { warmUp }), /warmUp must be a whole/);
  }
});
