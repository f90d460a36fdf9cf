import assert from "node:assert/strict";
import {
  actionChunk,
  holdLastChunk,
  isDecisionWindow,
  type PhantomEpisode,
  sampleTimes,
  simulateEpisode,
} from "../../lib/phantom/mod.ts";
import { wrapDegrees } from "../../lib/robot/mod.ts";
import { assertClose } from "./_canonical.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

interface Labelled {
  readonly episode: PhantomEpisode;
  readonly time: number;
  readonly label: Float64Array;
}

function label(seed: number): Labelled[] {
  const episode = simulateEpisode({ seed });
  return Array.from(
    sampleTimes(episode),
    (time) => ({ episode, time, label: actionChunk(episode, time) }),
  );
}

/** Root of the mean squared error of the translations, mm. */
function chunkRmse(samples: readonly Labelled[], predict: (sample: Labelled) => Float64Array) {
  let squares = 0;
  for (const sample of samples) {
    const predicted = predict(sample);
    sample.label.forEach((value, i) => {
      if (i % 7 < 3) squares += (value - predicted[i]!) ** 2;
    });
  }
  return Math.sqrt(squares / (samples.length * 24));
}

Deno.test("baselines have the prototype's errors on its validation episodes", () => {
  const training = range(40).flatMap((i) => label(1000 + i));
  const validation = range(8).flatMap((i) => label(5000 + i));
  const decisions = validation.filter(({ episode, time }) => isDecisionWindow(episode.truth, time));
  assert.deepEqual([training, validation, decisions].map((s) => s.length), [4472, 845, 257]);

  const mean = new Float64Array(56);
  for (const { label } of training) {
    label.forEach((value, i) => mean[i % 7]! += value / (8 * training.length));
  }
  mean.forEach((_, i) => mean[i] = mean[i % 7]!);
  const rmse = (predict: (sample: Labelled) => Float64Array) =>
    [validation, decisions].map((samples) => chunkRmse(samples, predict));
  assertClose(rmse(() => new Float64Array(56)), [0.270, 0.189], 0.001);
  assertClose(rmse(() => mean), [0.182, 0.130], 0.001);
  assertClose(rmse(({ episode, time }) => holdLastChunk(episode, time)), [0.100, 0.072], 0.001);
});

Deno.test("labels add up to the motion, across 180 degrees too", () => {
  let crossings = 0;
  for (const seed of range(20).map((i) => 9000 + i)) {
    const episode = simulateEpisode({ seed });
    const { trueStates } = episode;
    for (const time of sampleTimes(episode, 0.1)) {
      const chunk = actionChunk(episode, time), step = Math.round(time * 100);
      for (let axis = 0; axis < 6; axis++) {
        const sum = range(8).reduce((total, i) => total + chunk[7 * i + axis]!, 0);
        const motion = trueStates[6 * (step + 80) + axis]! - trueStates[6 * step + axis]!;
        assert.ok(Math.abs(sum - motion) < 0.03, `seed ${seed} at ${time} s, axis ${axis}`);
      }
      const ends = [step, step + 80].map((k) => wrapDegrees(trueStates[6 * k + 3]!));
      if (Math.abs(ends[0]! - ends[1]!) > 180) crossings++;
      assert.ok(range(8).every((i) => chunk[7 * i + 6] === 1));
    }
  }
  assert.ok(crossings > 0);
});

Deno.test("no chunk overlaps a push or the end", () => {
  for (const seed of range(20)) {
    const episode = simulateEpisode({ seed });
    const times = sampleTimes(episode);
    const { truth: { disturbances }, duration } = episode;
    assert.ok(times.every((t) => t < duration - 0.8));
    for (const [start, end] of disturbances) {
      assert.ok(times.every((t) => t + 0.8 <= start || t - 0.02 >= end));
    }
    const kept = times.length / Math.ceil((duration - 0.8) / 0.03);
    assert.ok(kept > 0.25 && kept < 0.8, `seed ${seed} keeps ${kept}`);
  }
});

Deno.test("hold-last repeats one action, which is rest before the start", () => {
  const episode = simulateEpisode({ seed: 4 });
  const chunk = holdLastChunk(episode, 2);
  for (let i = 7; i < 56; i++) assert.equal(chunk[i], chunk[i - 7]);
  assertClose(chunk.subarray(0, 7), actionChunk(episode, 1.9).subarray(0, 7), 1e-12);
  assertClose(holdLastChunk(episode, 0).subarray(0, 6), new Array(6).fill(0), 0.02);
});

Deno.test("decision windows begin less than 0.8 s before an event", () => {
  const truth = { tDec: 3, tPun: 5, tStop: 6 };
  const inside = [2.25, 2.99, 4.5, 5.5], outside = [2.1, 3, 4.1, 6, 6.5];
  assert.deepEqual(inside.map((time) => isDecisionWindow(truth, time)), inside.map(() => true));
  assert.deepEqual(outside.map((time) => isDecisionWindow(truth, time)), outside.map(() => false));
});

Deno.test("a stride that does not advance is refused", () => {
  const episode = simulateEpisode({ seed: 4 });
  for (const stride of [0, -1, NaN]) {
    assert.throws(() => sampleTimes(episode, stride), { name: "RangeError", message: /stride/ });
  }
});
