import assert from "node:assert/strict";
import { tf } from "trocar/engine";
import {
  addNoise,
  evenLadder,
  legacyLadder,
  noiseSchedule,
  sampleDdim,
  sampleDdpm,
} from "../../lib/policies/mod.ts";
import { fixturePath, onEngines } from "./_engines.ts";

interface Tensor {
  readonly shape: number[];
  readonly data: number[];
}
const recorded: Record<"start" | "noise" | "beta" | "alpha_bar" | "ddpm" | "ddim", Tensor> = JSON
  .parse(Deno.readTextFileSync(fixturePath("oracle/sampling/ddpm_ddim.json")));
const LEGACY = { largestBeta: 0.9999 };

const tensor = ({ shape, data }: Tensor) => tf.tensor(data, shape);
/** The formula that stands for a network in the fixture. */
const network = (x: tf.Tensor, steps: tf.Tensor) =>
  x.mul(0.9).tanh().mul(steps.cast("float32").mul(0.02).add(0.5).reshape([-1, 1, 1]));

async function expectClose(found: tf.Tensor, expected: readonly number[], relative: number) {
  const values = await found.data();
  assert.equal(values.length, expected.length);
  expected.forEach((value, i) => {
    const allowed = relative * Math.max(1, Math.abs(value));
    assert.ok(Math.abs(values[i]! - value) <= allowed, `${i}: ${values[i]} instead of ${value}`);
  });
}

Deno.test("noiseSchedule() gives PyTorch's numbers", () => {
  const { beta, alphaBar, posteriorVariance } = noiseSchedule(100, LEGACY);
  // t, β, ᾱ, σ²
  const table = [
    [0, 6.31272793e-4, 0.999368727, 0],
    [10, 0.00553035736, 0.966716766, 0.00463707233],
    [50, 0.0315464139, 0.47826463, 0.0306044407],
    [90, 0.188752711, 0.0195443444, 0.187877283],
    [98, 0.74993998, 2.428552e-4, 0.74939358],
    [99, 0.999899983, 2.42895499e-8, 0.999657154],
  ] as const;
  for (const [t, b, a, v] of table) {
    assert.ok(Math.abs(beta[t]! - b) < 2e-7, `beta ${t}: ${beta[t]}`);
    assert.ok(Math.abs(alphaBar[t]! / a - 1) < 2e-6, `alphaBar ${t}: ${alphaBar[t]}`);
    assert.ok(Math.abs(posteriorVariance[t]! - v) < 3e-7, `variance ${t}: ${posteriorVariance[t]}`);
  }
  const linear = noiseSchedule(50, { kind: "linear" });
  assert.ok(Math.abs(linear.beta[0]! - 1e-4) < 1e-9 && Math.abs(linear.beta[49]! - 0.02) < 1e-8);
  const twenty = noiseSchedule(20, LEGACY);
  recorded.beta.data.forEach((b, t) => assert.ok(Math.abs(twenty.beta[t]! - b) < 2e-7));
});

Deno.test("noiseSchedule() refuses what it does not know", () => {
  assert.throws(() => noiseSchedule(0), /positive integer, current value is 0/);
  assert.throws(() => noiseSchedule(10, { kind: "sqrt" as "linear" }), /cosine or linear.*"sqrt"/);
});

Deno.test("ladders: the legacy one starts below the last step, the even one at it", () => {
  assert.deepEqual(legacyLadder(100, 10), [90, 80, 70, 60, 50, 40, 30, 20, 10, 0]);
  assert.equal(legacyLadder(100, 40)[0], 78);
  for (let trained = 1; trained <= 60; trained++) {
    for (let steps = 1; steps <= trained; steps++) {
      const ladder = evenLadder(trained, steps);
      assert.equal(ladder[0], trained - 1);
      assert.ok(ladder.every((t, i) => i === 0 || t < ladder[i - 1]!), `${trained}, ${steps}`);
      if (steps > 1) assert.equal(ladder.at(-1), 0);
    }
  }
  for (const steps of [0, 101, 2.5, NaN]) {
    assert.throws(() => evenLadder(100, steps), /from 1 to 100/);
    assert.throws(() => legacyLadder(100, steps), /from 1 to 100/);
  }
});

onEngines("sampleDdpm() without clip and sampleDdim() give PyTorch's samples", async () => {
  const schedule = noiseSchedule(20, LEGACY);
  const noise = tensor(recorded.noise);
  const ddpm = sampleDdpm(
    schedule,
    network,
    tensor(recorded.start),
    (t) => noise.gather(t),
    { clip: null },
  );
  await expectClose(ddpm, recorded.ddpm.data, 2e-5);
  const ddim = sampleDdim(schedule, legacyLadder(20, 4), network, tensor(recorded.start));
  assert.deepEqual(legacyLadder(20, 4), [15, 10, 5, 0]);
  const own = sampleDdim(schedule, [12, 8, 4, 0], network, tensor(recorded.start));
  await expectClose(own, recorded.ddim.data, 2e-5);
  assert.notDeepEqual(await ddim.data(), await own.data());
});

onEngines("samplers recover a chunk whose noise is predicted exactly", async () => {
  const schedule = noiseSchedule(50);
  const chunk = tf.randomUniform([2, 8, 7], -0.9, 0.9, "float32", 1);
  const exact = (x: tf.Tensor, steps: tf.Tensor) => {
    const a = tf.gather(tf.tensor1d(schedule.alphaBar), steps as tf.Tensor1D).reshape([-1, 1, 1]);
    return x.sub(a.sqrt().mul(chunk)).div(tf.sub(1, a).sqrt());
  };
  const start = addNoise(
    schedule,
    chunk,
    tf.randomNormal([2, 8, 7], 0, 1, "float32", 2),
    tf.tensor1d([49, 49], "int32"),
  );
  const expected = Array.from(await chunk.data());
  await expectClose(sampleDdim(schedule, evenLadder(50, 7), exact, start), expected, 1e-3);
  const noiseOf = (t: number) => tf.randomNormal([2, 8, 7], 0, 1, "float32", 100 + t);
  await expectClose(sampleDdpm(schedule, exact, start, noiseOf), expected, 1e-3);
});
