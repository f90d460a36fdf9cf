import assert from "node:assert/strict";
import fc from "fast-check";
import { describeReuse, reuseCount } from "../../lib/datasets/mod.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

Deno.test("reuseCount: rounds measured latencies up, where the reference rounds down", () => {
  // Latencies of 2 to 5 views, as the reference measured them.
  const table: readonly [readonly number[], readonly number[]][] = [
    [[583.06, 881.77, 1170.96, 1487.25], [6, 9, 12, 15]], // 1280 × 720
    [[337.5, 495.43, 647.65, 801.35], [4, 5, 7, 9]], // 960 × 540
    [[163.65, 246.41, 310.08, 381.3], [2, 3, 4, 4]], // 640 × 360
    [[105.93, 144.42, 199.37, 229.98], [2, 2, 2, 3]], // 480 × 270
    [[312.72, 581.44, 882.11, 1489.63].map((p95) => 1.2 * p95), [4, 7, 11, 18]], // with headroom
  ];
  for (const [latencies, counts] of table) {
    assert.deepEqual(latencies.map((ms) => reuseCount(ms)), counts);
  }
});

Deno.test("reuseCount: is the smallest number of periods that is not shorter than the latency", () => {
  fc.assert(fc.property(
    fc.double({ min: 0, max: 1e5, noNaN: true }),
    fc.double({ min: 1, max: 1000, noNaN: true }),
    (vlmMs, periodMs) => {
      const count = reuseCount(vlmMs, periodMs);
      assert(Number.isInteger(count) && count >= 1);
      assert(count * periodMs >= vlmMs * (1 - 1e-8), "the model keeps up");
      assert(count === 1 || (count - 1) * periodMs < vlmMs, "with one less it would not");
    },
  ));
});

Deno.test("reuseCount: whole periods stay whole, whatever the rounding of their quotient", () => {
  for (const periodMs of [100, 100.1, 33.3, 0.1, 1 / 3]) {
    for (let count = 1; count <= 200; count++) {
      assert.equal(reuseCount(count * periodMs, periodMs), count, `${count} of ${periodMs} ms`);
    }
  }
  assert.deepEqual([0, 1, 99.9, 100.1].map((ms) => reuseCount(ms)), [1, 1, 1, 2]);
});

Deno.test("reuseCount and describeReuse: refuse what is no time and no count", () => {
  for (const bad of [-1, NaN, Infinity]) {
    assert.throws(
      () => reuseCount(bad),
      (error: Error) =>
        error instanceof RangeError && error.message.includes(`current value is ${bad}`),
    );
  }
  for (const bad of [0, -100, NaN, Infinity]) {
    assert.throws(() => reuseCount(300, bad), /period of actions .* current value is/);
    assert.throws(() => describeReuse(3, bad), /period of actions .* current value is/);
  }
  for (const bad of [0, 1.5, -3, NaN]) assert.throws(() => describeReuse(bad), RangeError);
});

Deno.test("describeReuse: says the rate that the model must keep", () => {
  assert.deepEqual([1, 3, 4, 17].map((reuse) => describeReuse(reuse)), [
    "VLM 10 Hz, actions 10 Hz",
    "VLM 3.33 Hz, actions 10 Hz",
    "VLM 2.5 Hz, actions 10 Hz",
    "VLM 0.59 Hz, actions 10 Hz",
  ]);
});
