import assert from "node:assert/strict";
import { type ChunkPredictions, evaluateChunks } from "../../lib/evaluation/mod.ts";
import {
  actionChunk,
  holdLastChunk,
  isDecisionWindow,
  sampleTimes,
  simulateEpisode,
} from "../../lib/phantom/mod.ts";

function meanAction(episodes: number): Float64Array {
  const sum = new Float64Array(7);
  let steps = 0;
  for (let i = 0; i < episodes; i++) {
    const episode = simulateEpisode({ seed: 1000 + i });
    for (const time of sampleTimes(episode, 0.1)) {
      actionChunk(episode, time).forEach((value, k) => sum[k % 7]! += value);
      steps += 8;
    }
  }
  return sum.map((value) => value / steps);
}

function validation(): { chunks: ChunkPredictions; isDecision: Uint8Array } {
  const truth: number[] = [],
    last: number[] = [],
    episodeOf: number[] = [],
    decision: number[] = [];
  for (let i = 0; i < 8; i++) {
    const episode = simulateEpisode({ seed: 5000 + i });
    for (const time of sampleTimes(episode)) {
      truth.push(...actionChunk(episode, time));
      last.push(...holdLastChunk(episode, time).subarray(0, 7));
      episodeOf.push(i);
      decision.push(+isDecisionWindow(episode.truth, time));
    }
  }
  const windows = episodeOf.length;
  const chunks: ChunkPredictions = {
    windows,
    horizon: 8,
    dimensions: ["dx", "dy", "dz", "da", "db", "dr", "gripper"],
    units: ["mm", "mm", "mm", "deg", "deg", "deg", "1"],
    counted: [0, 1, 2],
    rotation: "euler",
    predicted: new Float64Array(truth.length), // a policy that stands still
    truth: Float64Array.from(truth),
    mask: new Uint8Array(8 * windows).fill(1),
    episode: Int32Array.from(episodeOf),
    lastAction: Float64Array.from(last),
    meanAction: meanAction(40),
  };
  return { chunks, isDecision: Uint8Array.from(decision) };
}

Deno.test("baselines on the simulator's validation episodes have the errors measured by its authors", () => {
  const { chunks, isDecision } = validation();
  const { baselines, decision, windows, model, warnings } = evaluateChunks(chunks, { isDecision });
  assert(Math.abs(windows - 845) <= 9, `${windows} windows`);
  assert(Math.abs(decision!.windows - 257) <= 9, `${decision!.windows} decision windows`);
  // Another realisation of the same noise: 3 % around the numbers of the prototype, mm.
  const near = (found: number, measured: number) =>
    assert(Math.abs(found / measured - 1) < 0.03, `${found} should be ${measured}`);
  near(baselines.zero.rmse, 0.270);
  near(baselines.mean.rmse, 0.182);
  near(baselines.holdLast.rmse, 0.100);
  near(decision!.baselines.zero.rmse, 0.189);
  near(decision!.baselines.mean.rmse, 0.130);
  near(decision!.baselines.holdLast.rmse, 0.072);
  assert.equal(model.rmse, baselines.zero.rmse);
  assert.match(warnings.join("\n"), /hardly moves/);
});
