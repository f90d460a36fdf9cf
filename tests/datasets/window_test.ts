import assert from "node:assert/strict";
import fc from "fast-check";
import {
  newestImage,
  readProprioceptionWindow,
  readSensorWindow,
  timeWindow,
  windowRange,
} from "../../lib/datasets/mod.ts";
import { memoryEpisode, ticks } from "./_episode.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const times = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 })
  .map((steps) => Float64Array.from(steps.sort((a, b) => a - b), (k) => k / 100));
const moment = fc.integer({ min: -50, max: 500 }).map((k) => k / 100);
const window = fc.record({
  milliseconds: fc.integer({ min: 10, max: 1500 }),
  hz: fc.constantFrom(20, 50, 100, 130),
}).filter(({ milliseconds, hz }) => Math.round(milliseconds * hz / 1000) > 0)
  .map(({ milliseconds, hz }) => timeWindow(milliseconds, hz));

Deno.test("timeWindow: 100 ms are 65 rows and 1 s is 650 at 650 Hz; nonsense is refused", () => {
  assert.equal(timeWindow(100, 650).rows, 65);
  assert.equal(timeWindow(1000, 650).rows, 650);
  assert.equal(timeWindow(1000, 100).rows, 100);
  assert.equal(timeWindow(100, 648.7).rows, 65);
  for (const bad of [0, -1, NaN, Infinity, 0.1]) {
    assert.throws(() => timeWindow(bad, 650), RangeError);
  }
  assert.throws(() => timeWindow(100, NaN), RangeError);
});

Deno.test("windowRange: one second at 650 Hz has 650 rows, and neighbours share none", () => {
  const sensor = ticks(3000, 650, 1000);
  assert.deepEqual(windowRange(sensor, 1003, timeWindow(1000, 650)), { start: 1301, end: 1951 });
  assert.deepEqual(windowRange(sensor, 1003, timeWindow(100, 650)), { start: 1886, end: 1951 });
  const { start } = windowRange(sensor, 1003, timeWindow(1000, 650));
  assert.equal(windowRange(sensor, 1002, timeWindow(1000, 650)).end, start);
});

Deno.test("windowRange: holds the newest rows of (t − w − p/2, t], as a plain filter finds them", () => {
  fc.assert(fc.property(times, moment, window, (times, t, window) => {
    const from = t - window.milliseconds / 1000 - 0.5 / window.hz;
    const expected = [...times.keys()].filter((k) => times[k]! > from && times[k]! <= t)
      .slice(-window.rows);
    const { start, end } = windowRange(times, t, window);
    assert.deepEqual(Array.from({ length: end - start }, (_, i) => start + i), expected);
  }));
});

Deno.test("windowRange: jitter below half a period never costs a row, lost rows are missed", () => {
  const period = 1 / 650, w = timeWindow(100, 650);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -0.24, max: 0.24, noNaN: true }), {
        minLength: 400,
        maxLength: 400,
      }),
      fc.double({ min: 70, max: 399, noNaN: true }),
      fc.integer({ min: 1, max: 60 }),
      (jitter, at, lost) => {
        const times = Float64Array.from(jitter, (j, k) => 5000 + (k + j) * period);
        const t = 5000 + at * period;
        const { start, end } = windowRange(times, t, w);
        assert.equal(end - start, 65);
        const holed = times.filter((_, k) => k < end - lost - 2 || k > end - lost);
        const range = windowRange(holed, t, w);
        // three of 65 are gone; at most one older row lies within the half period
        assert([62, 63].includes(range.end - range.start));
        assert(holed[range.start]! > t - 65.5 * period);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("readSensorWindow: newest row last, zeros and mask 0 in front, nothing newer than t", () => {
  fc.assert(
    fc.property(times, moment, window, (sensorTime, t, window) => {
      const episode = memoryEpisode({ sensorTime });
      const target = new Float32Array(window.rows * 1026).fill(NaN);
      const mask = new Uint8Array(window.rows).fill(9);
      const { start, end } = readSensorWindow(episode, t, window, target, mask);
      const valid = end - start;
      assert.equal(mask.reduce((sum, m) => sum + m, 0), valid);
      for (let row = 0; row < window.rows; row++) {
        const real = row >= window.rows - valid;
        assert.equal(mask[row], real ? 1 : 0);
        const source = start + row - (window.rows - valid);
        const values = target.subarray(row * 1026, (row + 1) * 1026);
        assert(values.every((value) => value === (real ? source : 0)));
        if (real) assert(sensorTime[source]! <= t);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("readSensorWindow: without a sensor, before it starts and long after it ends all is masked", () => {
  const window = timeWindow(100, 650);
  const target = new Float32Array(65 * 1026), mask = new Uint8Array(65);
  const read = (sensorTime: Float64Array | null, t: number) => {
    target.fill(NaN);
    mask.fill(9);
    const { start, end } = readSensorWindow(memoryEpisode({ sensorTime }), t, window, target, mask);
    assert(target.every((value) => value === 0) && mask.every((m) => m === 0));
    assert.equal(start, end);
  };
  read(null, 3);
  read(new Float64Array(0), 3);
  read(ticks(650, 650, 10), 9.999);
  read(ticks(650, 650, 10), 12);
  read(ticks(650, 650, 10), NaN);
});

Deno.test("readProprioceptionWindow: newest robot rows last, zeros and mask 0 in front", () => {
  fc.assert(fc.property(times, moment, window, (robotTime, t, window) => {
    const episode = memoryEpisode({ robotTime });
    const target = new Float32Array(window.rows * 12).fill(NaN);
    const mask = new Uint8Array(window.rows).fill(9);
    const { start, end } = readProprioceptionWindow(episode, t, window, target, mask);
    const missing = window.rows - (end - start);
    const expected = Array.from(
      { length: window.rows * 12 },
      (_, i) => i < missing * 12 ? 0 : start + Math.floor(i / 12) - missing,
    );
    assert.deepEqual([...target], expected);
    assert.deepEqual([...mask], Array.from({ length: window.rows }, (_, r) => r < missing ? 0 : 1));
    assert(end === start || robotTime[end - 1]! <= t);
  }));
});

Deno.test("windows: a target of another length is refused", () => {
  const window = timeWindow(100, 650), episode = memoryEpisode();
  const target = new Float32Array(65 * 1026), mask = new Uint8Array(65);
  assert.throws(
    () => readSensorWindow(episode, 1, window, target.subarray(1), mask),
    /must hold 66690 values, current value is 66689/,
  );
  assert.throws(() => readSensorWindow(episode, 1, window, target, mask.subarray(1)), /65 values/);
  assert.throws(() => readProprioceptionWindow(episode, 1, window, target, mask), /780 values/);
});

Deno.test("newestImage: the newest frame at or before t, −1 before the first", () => {
  fc.assert(fc.property(times, moment, (times, t) => {
    const expected = [...times.keys()].filter((k) => times[k]! <= t).at(-1) ?? -1;
    assert.equal(newestImage(times, t), expected);
  }));
});
