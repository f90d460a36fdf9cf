import assert from "node:assert/strict";
import fc from "fast-check";
import { simulateSchedule } from "../../lib/control/mod.ts";
import { reuseCount } from "../../lib/datasets/mod.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const rounded = (values: ArrayLike<number>) => Array.from(values, (v) => Math.round(v));

Deno.test("the model looks every reuse actions, or as soon as it has answered", () => {
  for (const latency of [1, 99, 100, 101, 381, 400, 401, 1487]) {
    for (const reuse of [1, 3, 4, 7]) {
      const { visionPeriodMs } = simulateSchedule({
        ...{ visionMs: [latency], actionMs: [15], reuse, seconds: 8 },
      });
      const period = 100 * Math.max(reuse, reuseCount(latency));
      assert.deepEqual(new Set(rounded(visionPeriodMs)), new Set([period]), `${latency}, ${reuse}`);
    }
  }
});

Deno.test("actions know the newest answer, and ages are those of a calculation by hand", () => {
  const { ticks, looks } = simulateSchedule({ visionMs: [381], actionMs: [15], seconds: 1.3 });
  assert.deepEqual(ticks.map(({ look }) => look), [
    ...[null, null, null, null],
    ...[0, 0, 0, 0],
    ...[1, 1, 1, 1],
    2,
  ]);
  assert.deepEqual(rounded(ticks.slice(4, 9).map(({ featureAgeMs }) => featureAgeMs)), [
    ...[400, 500, 600, 700, 400],
  ]);
  assert.equal(Math.round(ticks[7]!.imageAgeMs), 715);
  assert.deepEqual(rounded(looks.map(({ end }) => 1000 * end)), [381, 781, 1181, 1581]);
  assert(Number.isNaN(ticks[0]!.featureAgeMs) && ticks[0]!.end === ticks[0]!.start);
});

Deno.test("the image that a look sees is the newest of its camera", () => {
  const { looks, ticks } = simulateSchedule({
    ...{ visionMs: [250], actionMs: [10], reuse: 3, framePeriodMs: 200, seconds: 2 },
  });
  assert.deepEqual(rounded(looks.slice(0, 4).map(({ frame }) => 1000 * frame)), [0, 200, 600, 800]);
  assert.equal(Math.round(ticks[6]!.imageAgeMs), 600 - 200 + 10);
  const late = simulateSchedule({
    ...{ visionMs: [250], actionMs: [10], reuse: 3, frameDelayMs: 60, seconds: 2 },
  });
  assert.deepEqual(rounded(late.looks.slice(0, 4).map(({ frame }) => 1000 * frame)), [
    ...[-200, 200, 400, 800],
  ]);
});

Deno.test("an action that comes too late is left out, and none is made up for", () => {
  const options = { visionMs: [50], actionMs: [10, 250, 10], seconds: 1 };
  const { ticks, missed } = simulateSchedule(options);
  // The second call of the policy begins at 0.2 s and ends at 0.45 s.
  assert.deepEqual(missed, [3, 7]);
  assert.deepEqual(ticks.map(({ number }) => number), [0, 1, 2, 4, 5, 6, 8, 9]);
  assert.deepEqual(rounded(ticks.map(({ start }) => 1000 * start)), [
    ...[0, 100, 200, 450, 500, 600, 850, 900],
  ]);
});

Deno.test("intervals keep each lateness, deadlines do not", () => {
  const options = { visionMs: [50], actionMs: [10], latenessMs: [5], seconds: 60 };
  assert.equal(simulateSchedule(options).rateHz, 10);
  const { rateHz, ticks } = simulateSchedule({ ...options, pacing: "intervals" });
  assert(Math.abs(rateHz - 1000 / 105) < 0.02);
  assert.equal(Math.round(1000 * (ticks[100]!.start - ticks[99]!.start)), 105);
});

Deno.test("whatever the latencies, one look runs at a time and nothing is known before its time", () => {
  const latencies = (max: number) =>
    fc.array(fc.double({ min: 0, max, noNaN: true }), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(
    ...[latencies(900), latencies(260), latencies(120)] as const,
    ...[fc.integer({ min: 1, max: 6 }), fc.constantFrom("deadlines", "intervals")] as const,
    (visionMs, actionMs, latenessMs, reuse, pacing) => {
      const options = { visionMs, actionMs, latenessMs, reuse, seconds: 4 };
      const { ticks, looks, missed } = simulateSchedule({ ...options, pacing });
      looks.forEach(({ start, end, frame }, i) => {
        assert(start <= end && frame <= start && start - frame < 0.2 + 1e-9);
        assert(i === 0 || start >= looks[i - 1]!.end);
      });
      ticks.forEach(({ look, start, end, due }, i) => {
        assert(start >= due - 1e-9 && end >= start);
        assert(i === 0 || start >= ticks[i - 1]!.end - 1e-9, "one action at a time");
        assert(look === null || looks[look]!.end <= start);
        if (look !== null) assert(!(looks[look + 1]?.end! <= start), "the newest");
      });
      const numbers = [...ticks.map(({ number }) => number), ...missed].sort((a, b) => a - b);
      assert.deepEqual(numbers, numbers.map((_, i) => i), "each is done or missed");
    },
  ));
});

Deno.test("bad latencies and lengths are refused", () => {
  const good = { visionMs: [100], actionMs: [10] };
  assert.throws(() => simulateSchedule({ ...good, visionMs: [] }), /visionMs.*none/s);
  assert.throws(() => simulateSchedule({ ...good, actionMs: [1, -1] }), /actionMs.*-1 in place 1/s);
  assert.throws(() => simulateSchedule({ ...good, latenessMs: [NaN] }), /latenessMs/);
  assert.throws(() => simulateSchedule({ ...good, periodMs: 0 }), /periodMs must be above 0/);
  assert.throws(() => simulateSchedule({ ...good, reuse: 0 }), /reuse must be a positive integer/);
});
