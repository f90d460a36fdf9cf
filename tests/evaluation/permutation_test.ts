import assert from "node:assert/strict";
import {
  type ChunkPredictions,
  evaluateChunks,
  permutationTest,
} from "../../lib/evaluation/mod.ts";

/** One dimension, one step; three episodes of `length` windows of a smooth signal. */
function smooth(predict: (truth: number, i: number) => number, length = 60): ChunkPredictions {
  const windows = 3 * length;
  const truth = Float64Array.from({ length: windows }, (_, i) => Math.sin(i / 7) + Math.sin(i / 3));
  return {
    windows,
    horizon: 1,
    dimensions: ["dx"],
    units: ["mm"],
    counted: [0],
    rotation: null,
    truth,
    predicted: truth.map(predict),
    mask: new Uint8Array(windows).fill(1),
    episode: Int32Array.from({ length: windows }, (_, i) => Math.floor(i / length)),
    lastAction: new Float64Array(windows),
    meanAction: [0],
  };
}

Deno.test("a policy that follows its inputs has a small p", () => {
  const { pValue, rmse, permutedRmse } = permutationTest(smooth((truth) => 0.7 * truth));
  assert(pValue <= 0.005 + 1e-12, `p = ${pValue}`);
  assert(permutedRmse > 2 * rmse, `${permutedRmse} against ${rmse}`);
});

Deno.test("a policy that always says the same has p = 1, despite rounding", () => {
  assert.equal(permutationTest(smooth(() => 0.1234567)).pValue, 1);
  assert.equal(permutationTest(smooth((_, i) => [0.3, -0.1, 0.7][Math.floor(i / 60)]!)).pValue, 1);
});

Deno.test("smoothness alone is not taken for skill", () => {
  let small = 0;
  const runs = 60;
  for (let run = 0; run < runs; run++) {
    const phase = run * 1.7, rate = 5 + (run % 7);
    const unrelated = smooth((_, i) => Math.sin(i / rate + phase));
    if (permutationTest(unrelated, { seed: run, permutations: 39 }).pValue <= 0.05) small++;
  }
  assert(small <= 9, `${small} of ${runs} unrelated series were found to follow`); // 3 expected
});

Deno.test("the same seed gives the same permutations, another seed others", () => {
  const chunks = smooth((truth, i) => truth + Math.cos(i));
  assert.deepEqual(permutationTest(chunks, { seed: 3 }), permutationTest(chunks, { seed: 3 }));
  assert.notEqual(
    permutationTest(chunks, { seed: 3 }).permutedRmse,
    permutationTest(chunks, { seed: 4 }).permutedRmse,
  );
  assert.throws(() => permutationTest(chunks, { permutations: 0 }), /must be a positive integer/);
});

Deno.test("a policy that stands still is told from one that was trained well", () => {
  const still = evaluateChunks(smooth(() => 0.001)).warnings.join("\n");
  assert.match(still, /hardly moves/);
  assert.match(still, /z_chunk/);
  assert.match(still, /do not follow the moment/);
  const good = evaluateChunks(smooth((truth) => 0.99 * truth));
  assert.deepEqual(good.warnings, []);
  assert.equal(good.beatsBaselines, true);
});
