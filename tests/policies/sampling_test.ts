import assert from "node:assert/strict";
import { Random, tf } from "trocar/engine";
import {
  addNoise,
  evaluation,
  evenLadder,
  initialise,
  legacyLadder,
  noiseFromVelocity,
  noiseSchedule,
  type PolicyConfig,
  predictActions,
  type PredictOptions,
  reference,
  sampleDdim,
  sampleDdpm,
  samplingLadder,
  trocar,
  velocity,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";
import { difference, largest, normal, referencePolicy, trocarPolicy } from "./_networks.ts";

const OWN = trocarPolicy("diffusion", "none"), OLD = referencePolicy("diffusion", "none");
const seen = () => ({ vision: normal([2, 1, 16], 1) });
const start = () => normal([2, 8, 7], 2), onTheWay = () => normal([2, 19, 8, 7], 3);

/** Chunks by the parts of a policy. */
function experts(config: PolicyConfig) {
  const p = initialise(config, { seed: 1 }), context = evaluation();
  if (config.architecture === "trocar") {
    const memory = trocar.encodeObservation(p, config, seen(), context);
    const predict = (x: tf.Tensor, steps: tf.Tensor) =>
      trocar.predictVelocity(p, config, x, steps, memory, context);
    const finish = (x: tf.Tensor) => trocar.denormaliseActions(p, x);
    const way = { clip: 5, predicts: "velocity" } as const;
    return { p, predict, finish, schedule: noiseSchedule(20), way, ddpm: way };
  }
  const condition = reference.conditionOf(p, config, seen().vision, null, context);
  const predict = (x: tf.Tensor, steps: tf.Tensor) =>
    reference.predictNoise(p, config, x, steps, condition, context);
  const schedule = reference.referenceSchedule(config);
  return {
    p,
    predict,
    finish: (x: tf.Tensor) => x,
    schedule,
    way: { clip: 1 },
    ddpm: { clip: null },
  };
}

onEngines(
  "policies draw with the ladder, the bound and the noise of their architecture",
  async () => {
    for (const config of [OWN, OLD]) {
      const { p, predict, finish, schedule, way, ddpm } = experts(config);
      const drawn = (options: PredictOptions) =>
        predictActions(p, config, seen(), evaluation(), { noise: start(), ...options });
      const ddim = (ladder: number[]) =>
        finish(sampleDdim(schedule, ladder, predict, start(), way));
      const usual = config === OWN ? evenLadder : legacyLadder;
      const close = async (found: tf.Tensor, expected: tf.Tensor, what: string) => {
        const scale = 1 + await largest(expected);
        assert.ok(
          await difference(found, expected) < 1e-5 * scale,
          `${config.architecture} ${what}`,
        );
      };
      await close(drawn({}), ddim(usual(20, 10)), "by default");
      await close(drawn({ samplingSteps: 4 }), ddim(usual(20, 4)), "in 4 steps");
      await close(
        drawn({ ladder: "legacy", samplingSteps: 3 }),
        ddim(legacyLadder(20, 3)),
        "legacy",
      );
      await close(drawn({ ladder: "even", samplingSteps: 3 }), ddim(evenLadder(20, 3)), "even");
      // Noise is given in the order of sampling: that of step 19 first.
      const noiseOf = (t: number) => onTheWay().slice([0, 19 - t], [2, 1]).reshape([2, 8, 7]);
      const expected = finish(sampleDdpm(schedule, predict, start(), noiseOf, ddpm));
      await close(drawn({ sampler: "ddpm", stepNoise: onTheWay() }), expected, "ddpm");
    }
  },
);

onEngines("noise that is not given is drawn from the context", async () => {
  const p = initialise(OWN, { seed: 1 });
  const drawn = (seed: number, options: PredictOptions) =>
    predictActions(p, OWN, seen(), evaluation(new Random({ seed, counter: 0 })), options);
  for (const options of [{}, { sampler: "ddpm" }, { sampler: "ddpm", noise: start() }] as const) {
    assert.equal(await difference(drawn(1, options), drawn(1, options)), 0);
    assert.ok(await difference(drawn(1, options), drawn(2, options)) > 1e-4);
  }
  assert.throws(() => predictActions(p, OWN, seen(), evaluation()), /needs random numbers/);
  const short = { noise: start(), stepNoise: onTheWay().slice([0], [1]), sampler: "ddpm" } as const;
  assert.throws(() => drawn(1, short), /same number of samples/);
});

Deno.test("samplingLadder() chooses by architecture and options, and refuses contradictions", () => {
  const ladder = [95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 0];
  const hundred = { ...OWN, actionExpert: { ...OWN.actionExpert, timesteps: 100 } };
  assert.deepEqual(samplingLadder(hundred, { samplingSteps: 20, ladder: "legacy" }), ladder);
  assert.equal(samplingLadder(hundred, {})[0], 99);
  assert.equal(samplingLadder(OLD, {})[0], 18);
  assert.deepEqual(samplingLadder(OWN, { sampler: "ddpm" }), evenLadder(20, 20));
  assert.deepEqual(samplingLadder(OWN, { sampler: "ddpm", samplingSteps: 20 }), evenLadder(20, 20));
  const three = { ...OWN, actionExpert: { ...OWN.actionExpert, timesteps: 3 } };
  assert.deepEqual(samplingLadder(three, {}), [2, 1, 0], "no more than there are");
  assert.throws(() => samplingLadder(OWN, { sampler: "ddpm", samplingSteps: 19 }), /all 20 steps/);
  assert.throws(() => samplingLadder(OWN, { samplingSteps: 21 }), /from 1 to 20/);
  assert.throws(() => samplingLadder(trocarPolicy("regression", "none"), {}), /family diffusion/);
});

onEngines("a velocity gives back noise and chunk, however little is left of one", async () => {
  const schedule = noiseSchedule(100);
  const chunk = normal([4, 8, 7], 1), noise = normal([4, 8, 7], 2);
  const at = [0, 30, 80, 99], steps = tf.tensor1d(at, "int32");
  const noisy = addNoise(schedule, chunk, noise, steps);
  const v = velocity(schedule, chunk, noise, steps);
  assert.ok(await difference(noiseFromVelocity(schedule, noisy, v, steps), noise) < 1e-5);
  const left = tf.tensor3d(at.map((t) => [[schedule.alphaBar[t]!]]));
  const found = left.sqrt().mul(noisy).sub(tf.sub(1, left).sqrt().mul(v));
  assert.ok(await difference(found, chunk) < 1e-5);
  // NumPy: np.sqrt(a) * 2 - np.sqrt(1 - a) * 3 with a = 0.47826463, ᾱ of step 50 with the bound 0.9999.
  const old = noiseSchedule(100, { largestBeta: 0.9999 });
  const value = velocity(
    old,
    tf.fill([1, 1, 1], 3),
    tf.fill([1, 1, 1], 2),
    tf.tensor1d([50], "int32"),
  );
  assert.ok(Math.abs((await value.data())[0]! - -0.783804) < 1e-5);
});

onEngines("an error of a velocity does not grow where the chunk is all noise", async () => {
  const schedule = noiseSchedule(100);
  const chunk = normal([2, 8, 7], 1).mul(0.5), noise = normal([2, 8, 7], 5);
  const start = addNoise(schedule, chunk, noise, tf.tensor1d([99, 99], "int32"));
  const error = normal([2, 8, 7], 4).mul(0.05);
  const ofVelocity = (_: tf.Tensor, steps: tf.Tensor) =>
    velocity(schedule, chunk, noise, steps).add(error);
  const ofNoise = () => noise.add(error);
  const first = (predict: typeof ofVelocity, predicts: "noise" | "velocity") =>
    difference(sampleDdim(schedule, [99], predict, start, { clip: 5, predicts }), chunk);
  const [small, large] = [await first(ofVelocity, "velocity"), await first(ofNoise, "noise")];
  assert.ok(small < 0.25, `velocity: ${small}`);
  assert.ok(large > 4, `noise: ${large}, at the bound`);
});

onEngines(
  "samplers take the chunk from a velocity without a division, in long schedules too",
  async () => {
    const schedule = noiseSchedule(10_000), last = 9999;
    const chunk = normal([2, 8, 7], 1), noise = normal([2, 8, 7], 5);
    const start = addNoise(schedule, chunk, noise, tf.tensor1d([last, last], "int32"));
    const exact = (_: tf.Tensor, steps: tf.Tensor) => velocity(schedule, chunk, noise, steps);
    const way = { clip: 5, predicts: "velocity" } as const;
    const once = await difference(sampleDdim(schedule, [last], exact, start, way), chunk);
    assert.ok(once < 1e-5, `${once} in one step`);
    // Whatever is left of the noise at the next step is that of the first.
    const [seen, at] = [new Array<tf.Tensor>(), tf.tensor1d([5000, 5000], "int32")];
    sampleDdim(schedule, [last, 5000], (x, t) => (seen.push(x), exact(x, t)), start, way);
    const next = await difference(seen[1]!, addNoise(schedule, chunk, noise, at));
    assert.ok(next < 1e-5, `${next} on the way`);
  },
);

onEngines("DDPM recovers a chunk whose velocity is predicted exactly", async () => {
  const schedule = noiseSchedule(50), chunk = normal([2, 8, 7], 1).mul(0.5);
  const exact = (x: tf.Tensor, steps: tf.Tensor) => {
    const left = tf.gather(tf.tensor1d(schedule.alphaBar), steps as tf.Tensor1D).reshape([
      -1,
      1,
      1,
    ]);
    const noise = x.sub(left.sqrt().mul(chunk)).div(tf.sub(1, left).sqrt());
    return velocity(schedule, chunk, noise, steps);
  };
  const noiseOf = (t: number) => normal([2, 8, 7], 100 + t);
  for (const clip of [5, null]) {
    const way = { clip, predicts: "velocity" } as const;
    const found = sampleDdpm(schedule, exact, normal([2, 8, 7], 2), noiseOf, way);
    assert.ok(await difference(found, chunk) < 1e-3, String(clip));
  }
});
