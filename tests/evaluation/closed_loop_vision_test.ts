import assert from "node:assert/strict";
import {
  type ClosedLoopPolicy,
  type ClosedLoopQuery,
  evaluateClosedLoop,
} from "../../lib/evaluation/closed_loop/mod.ts";
import { createClosedLoop, sampleScene } from "../../lib/phantom/mod.ts";

const DOWN = Float32Array.from({ length: 56 }, (_, i) => i % 7 === 2 ? -0.1 : 0);

/** Notes what each query shows while both robots go down at 1 mm/s. */
function noting() {
  const queries: ClosedLoopQuery[] = [];
  const policy: ClosedLoopPolicy = (query) => {
    const { sensor, vision } = query;
    queries.push({ ...query, sensor: sensor.slice(), vision: vision.slice() });
    return Float32Array.of(...DOWN, ...DOWN);
  };
  return { queries, policy };
}

/** Whether all frames of a query, of two scenes, were the newest at a time. */
function sawThen({ time, frameAge }: ClosedLoopQuery, then: number): boolean {
  return [9000, 9001].every((seed, scene) =>
    sampleScene(seed).cameraPhases.every((phase, view) => {
      const taken = time - frameAge[5 * scene + view]!;
      const newest = phase + 0.2 * Math.floor((then - phase) / 0.2 + 1e-9);
      return Math.abs(taken - newest) < 1e-9;
    })
  );
}

for (
  const [visionReuse, visionLatencyMs, replanMs] of [
    [1, 0, 100],
    [3, 0, 100],
    [3, 300, 100],
    [3, 250, 100],
    [4, 90, 100],
    [3, 0, 800],
    [5, 420, 200],
  ] as const
) {
  Deno.test(`with R ${visionReuse}, latency ${visionLatencyMs} ms and a question each ${replanMs} ms the policy sees what is known`, async () => {
    const { queries, policy } = noting();
    const setting = { visionReuse, visionLatencyMs, replanMs };
    const report = await evaluateClosedLoop(policy, { ...setting, episodes: 2, quality: null });
    assert.deepEqual(
      [report.visionReuse, report.visionLatencyMs, report.queries],
      [visionReuse, visionLatencyMs, queries.length],
    );
    const ticks = Array.from({ length: 100 }, (_, tick) => tick);
    const delay = Math.ceil(visionLatencyMs / 100);
    const asked = ticks.filter((tick) => tick % (replanMs / 100) === 0 && tick >= delay);
    assert.deepEqual(queries.map(({ time }) => Math.round(10 * time)), asked);
    queries.forEach((query, i) => {
      const tick = asked[i]!;
      // The newest look that was answered by then, found by trying each.
      const look = ticks.findLast((at) =>
        at % visionReuse === 0 && 100 * at + visionLatencyMs <= 100 * tick
      )!;
      assert(tick - look < visionReuse + delay, "no older than R and the latency allow");
      assert(sawThen(query, look / 10), `frames at ${tick} are those of ${look}`);
      assert(Math.abs(Math.max(...query.sensorTimes) - query.time) < 1e-9, "the sensor is of now");
      const before = queries[i - 1];
      if (before === undefined) return;
      assert(query.sensor.some((value, at) => value !== before.sensor[at]), "a window of its own");
      const isSame = before.frameAge.every((age, at) =>
        Math.abs(before.time - age - (query.time - query.frameAge[at]!)) < 1e-9
      );
      const isNew = query.vision.some((value, at) => value !== before.vision[at]);
      assert(isSame || isNew, "other frames, other features");
    });
  });
}

Deno.test("features between two looks are those of the look, bit for bit", async () => {
  for (const quality of [null, 90]) {
    const { queries, policy } = noting();
    const options = { episodes: 2, replanMs: 100, quality };
    await evaluateClosedLoop(policy, { ...options, visionReuse: 4 });
    const each = noting();
    await evaluateClosedLoop(each.policy, options);
    queries.forEach(({ vision }, tick) => {
      assert.deepEqual(vision, each.queries[tick - tick % 4]!.vision, `tick ${tick}`);
    });
  }
});

Deno.test("policies that need no training do not look, so that nothing is late for them", async () => {
  const hold = async (options: { visionReuse?: number; visionLatencyMs?: number }) => {
    const { seconds: _, ...report } = await evaluateClosedLoop("hold", { episodes: 2, ...options });
    return report;
  };
  const late = await hold({ visionReuse: 4, visionLatencyMs: 400 });
  assert.deepEqual([late.visionReuse, late.visionLatencyMs], [null, null]);
  assert.deepEqual(late, await hold({}));
});

Deno.test("until the first feature is known the robot rests", async () => {
  const { policy } = noting();
  const report = await evaluateClosedLoop(policy, {
    ...{ episodes: 2, visionReuse: 10, visionLatencyMs: 910, replanMs: 100, quality: null },
  });
  const run = createClosedLoop(sampleScene(9001));
  for (let step = 0; step < 1000; step++) run.step([0, 0, step < 100 ? 0 : -1, 0, 0, 0]);
  const expected = run.result().depthError; // the policy's numbers are those of float32
  assert(Math.abs(report.scenes[1]!.depthErrorMm - expected) < 1e-6);
});

Deno.test("a model cannot look more often than it answers", async () => {
  const cases: [number, number, RegExp][] = [
    [1, 110, /visionReuse must be at least 2, .* current value is 1/],
    [3, 310, /visionReuse must be at least 4/],
    [0, 0, /visionReuse must be from 1/],
    [2.5, 0, /visionReuse must be from 1/],
    [3, 15, /visionLatencyMs must be from 0 .* in steps of 10/],
    [3, -10, /visionLatencyMs must be from 0/],
    [3, NaN, /visionLatencyMs must be from 0/],
  ];
  for (const [visionReuse, visionLatencyMs, message] of cases) {
    await assert.rejects(
      evaluateClosedLoop(() => [], { episodes: 1, visionReuse, visionLatencyMs }),
      (error: Error) => error instanceof RangeError && message.test(error.message),
    );
  }
});
