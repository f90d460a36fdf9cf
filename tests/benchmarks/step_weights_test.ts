import assert from "node:assert/strict";
import { policyShapes, PRESETS } from "../../lib/policies/mod.ts";
import {
  describeDisagreement,
  fill,
  startPeer,
  stepPolicy,
  stepWeights,
  weightValues,
} from "../../lib/benchmarks/mod.ts";
import { peerTest } from "./_run_bench.ts";

Deno.test("stepPolicy has no dropout and no window to resample, at every size", () => {
  for (const size of PRESETS) {
    const { architecture, sensorEncoder, actionExpert } = stepPolicy(size, 33);
    assert.equal(architecture, "reference");
    assert.equal(sensorEncoder!.temporalLength, 33);
    assert.deepEqual([sensorEncoder!.dropout, actionExpert.dropout], [0, 0]);
  }
});

Deno.test("stepWeights are all parameters of the policy, the scales of normalisations around 1", () => {
  const policy = stepPolicy("tiny", 65);
  const weights = stepWeights(policy);
  const trainable = policyShapes(policy).filter(({ trainable }) => trainable);
  assert.deepEqual(
    weights.map(({ key, shape }) => [key, shape]),
    trainable.map(({ key, shape }) => [key, shape]),
  );
  const around1 = weights.filter(({ centre }) => centre === 1).map(({ key }) => key);
  const convolutions = 4, sensorLayers = 2, layers = 4, heads = 2;
  assert.equal(around1.length, convolutions + 2 * sensorLayers + 3 * layers + heads);
  assert.ok(around1.every((key) => key.endsWith(".weight")));
  assert.ok(weights.every(({ centre }) => centre === 0 || centre === 1));
});

Deno.test("weightValues lie around the parameter's centre, as far from it as it has inputs", () => {
  const weights = stepWeights(stepPolicy("tiny", 65));
  for (const [i, weight] of weights.entries()) {
    const values = weightValues(i, weight);
    assert.equal(values.length, weight.shape.reduce((product, size) => product * size, 1));
    const farthest = values.reduce((most, x) => Math.max(most, Math.abs(x - weight.centre)), 0);
    assert.ok(farthest <= weight.scale * 1.00001 && farthest > weight.scale / 2, weight.key);
  }
  const scaleOf = (key: string) => weights.find((weight) => weight.key === key)!.scale;
  assert.equal(scaleOf("sensor_encoder.conv_backbone.0.weight"), Math.sqrt(3 / (3 * 1026)));
  assert.equal(scaleOf("action_expert.output_head.1.weight"), Math.sqrt(3 / 128));
  assert.equal(scaleOf("action_expert.output_head.1.bias"), 0.02);
});

Deno.test("fill is spread evenly from -scale to scale and differs between arrays", () => {
  const values = fill(3, 100_000, 2);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.02, String(mean));
  assert.ok(Math.abs(variance - 4 / 3) < 0.02, String(variance));
  assert.ok(values.every((x) => Math.abs(x) <= 2));
  assert.notDeepEqual(fill(4, 8, 2), values.slice(0, 8));
});

peerTest("fill gives the same bits as the peer's fill", async () => {
  const { peer } = await startPeer(1);
  await using process = peer!.process;
  for (const [index, count, scale] of [[0, 5, 1], [1, 70_000, 0.02], [1002, 257, 1]] as const) {
    const { values } = await process.ask<{ values: number[] }>({ do: "fill", index, count, scale });
    assert.deepEqual(Float64Array.from(fill(index, count, scale)), Float64Array.from(values));
  }
});

Deno.test("describeDisagreement names what differs by more than the tolerance", () => {
  const peer = { losses: [0.5, 0.4], gradientNorm: 10 } as const;
  const near = { losses: [0.50004, 0.4003], gradientNorm: 10.009 } as const;
  assert.equal(describeDisagreement(near, peer, "f32"), undefined);
  const loss = describeDisagreement({ ...near, losses: [0.50006, 0.4] }, peer, "f32");
  assert.match(loss!, /current value is first loss 0\.50006 against 0\.5 \(relative tolerance/);
  assert.match(describeDisagreement({ ...peer, gradientNorm: 10.02 }, peer, "f32")!, /norm 10\.02/);
  assert.match(describeDisagreement({ ...peer, gradientNorm: NaN }, peer, "f32")!, /norm NaN/);
  assert.match(describeDisagreement({ ...peer, losses: [0.5, 0.41] }, peer, "f32")!, /second loss/);
  assert.equal(describeDisagreement({ ...peer, gradientNorm: 10.02 }, peer, "bf16"), undefined);
});
