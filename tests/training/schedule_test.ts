import assert from "node:assert/strict";
import { learningRates, trapezoidFactor } from "../../lib/training/schedule.ts";

const close = (a: number, b: number) =>
  assert.ok(Math.abs(a - b) < 5e-9 * Math.max(1, b), `${a} ${b}`);

Deno.test("trapezoidFactor() follows the Python reference's schedule up to its end", () => {
  const vector = [
    ...[[0, 0.0333333333], [14, 0.5], [29, 1], [49, 1], [50, 1], [100, 0.99324885]],
    ...[[287, 0.85559612], [525, 0.505], [762, 0.15556137], [999, 0.01000271]],
  ] as [number, number][];
  for (const [step, factor] of vector) {
    close(trapezoidFactor(step, { total: 1000, floor: 0.01 }), factor);
  }
});

Deno.test("after its end the learning rate stays, where the reference's would rise again", () => {
  for (const step of [1000, 1001, 1250, 1500, 2000, 1e6]) {
    assert.equal(trapezoidFactor(step, { total: 1000, floor: 0.01 }), 0.01);
  }
});

Deno.test("a schedule has no step of rate 0, rises, and then never rises again", () => {
  for (const total of [1, 2, 3, 7, 20, 33, 101, 1000]) {
    for (const [warmupRatio, holdRatio] of [[0, 0], [0.03, 0.02], [0.5, 0.5], [0, 1], [1, 0]]) {
      const options = { total, warmupRatio: warmupRatio!, holdRatio: holdRatio!, floor: 0.01 };
      const factors = Array.from(
        { length: total + 3 },
        (_, step) => trapezoidFactor(step, options),
      );
      const top = Math.floor(total * warmupRatio!);
      factors.forEach((factor, step) => {
        assert.ok(factor > 0 && factor <= 1, `${factor} at ${step} of ${total}`);
        const before = factors[step - 1];
        if (before === undefined) return;
        assert.ok(
          step < top ? factor > before : step === top || factor <= before,
          `${step} of ${total}`,
        );
      });
    }
  }
});

Deno.test("every group has a floor of its own, and keeps its ratio to the others before it", () => {
  const of = (name: string, learningRate: number) => ({
    name,
    learningRate,
    keys: [],
    weightDecay: 0,
  });
  const groups = [of("expert", 1e-4), of("sensor", 5e-4), of("slow", 1e-7), of("frozen", 0)];
  const start = learningRates(groups, 14, { total: 1000 });
  close(start["sensor"]! / start["expert"]!, 5);
  const end = learningRates(groups, 5000, { total: 1000, minLearningRate: 1e-6 });
  for (const name of ["expert", "sensor"]) close(end[name]! / 1e-6, 1);
  assert.equal(end["slow"], 1e-7);
  assert.equal(end["frozen"], 0);
});

Deno.test("a schedule of no length or with too large shares is an error", () => {
  assert.throws(() => trapezoidFactor(0, { total: 0 }), /positive integer, current value is 0/);
  assert.throws(() => trapezoidFactor(0, { total: 2.5 }), /current value is 2.5/);
  assert.throws(
    () => trapezoidFactor(0, { total: 10, warmupRatio: 0.7, holdRatio: 0.4 }),
    /from 0 to 1 together, current value is \[0.7,0.4\]/,
  );
});
