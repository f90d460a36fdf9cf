import assert from "node:assert/strict";
import { startEngine, tf } from "trocar/engine";
import {
  countParameters,
  describeDisagreement,
  fill,
  stack,
  STACK_SIZES,
  stackFills,
  stackShapes,
  startPeer,
} from "../../lib/benchmarks/mod.ts";
import { peerTest } from "./_run_bench.ts";

Deno.test("countParameters gives the 119,686,663 parameters of the reference", () => {
  assert.equal(countParameters(STACK_SIZES.reference), 119_686_663);
});

Deno.test("countParameters adds up all layers at every size", () => {
  for (const size of Object.values(STACK_SIZES)) {
    const { channels: c, width: w, feature: f, context: x, horizon, actions } = size;
    const convolutions = 3 * (c + w) * (w / 2) + 6 * w * w + 3 * (w / 2) + 9 * w; // with norms
    const attentions = 10 * (4 * w * w + 4 * w); // 6 of an input with itself, 4 with the memory
    const feedForward = 6 * (8 * w * w + 5 * w);
    const norms = 2 * w * (2 * 2 + 4 * 3 + 1);
    const sensor = (w + 1) * f + 2 * f + (f + 1) * f;
    const rest = (x + f + 1) * w + horizon * w + (w + 1) * actions;
    assert.equal(
      countParameters(size),
      convolutions + attentions + feedForward + norms + sensor + rest,
    );
  }
});

Deno.test("stackShapes has a first dimension of outputs for every linear layer", () => {
  const shapes = stackShapes(STACK_SIZES.tiny);
  assert.deepEqual(shapes["conv0.weight"], [3, 64, 64]);
  assert.deepEqual(shapes["block0.self.in.weight"], [384, 128]);
  assert.deepEqual(shapes["block0.up.weight"], [512, 128]);
  assert.deepEqual(shapes["fuse.weight"], [128, 512]);
  assert.equal("block1.cross.in.weight" in shapes, false);
  assert.deepEqual(shapes["block2.cross.in.bias"], [384]);
  assert.deepEqual(shapes["head.weight"], [7, 128]);
});

Deno.test("stackFills yields every parameter in order, normalisation weights around 1", () => {
  const shapes = stackShapes(STACK_SIZES.tiny);
  const names: string[] = [];
  for (const { name, shape, values } of stackFills(STACK_SIZES.tiny)) {
    names.push(name);
    assert.deepEqual(shape, shapes[name]);
    const centre = /norm\d?\.weight$/.test(name) ? 1 : 0;
    assert.ok(values.every((value) => Math.abs(value - centre) <= 0.0200001), name);
  }
  assert.deepEqual(names, Object.keys(shapes));
});

Deno.test("stack predicts a chunk of actions for each sample of a batch", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const size = STACK_SIZES.tiny;
  const result = tf.tidy(() => {
    const parameters: Record<string, tf.Tensor> = {};
    for (const { name, shape, values } of stackFills(size)) {
      parameters[name] = tf.tensor(values, shape);
    }
    return stack(parameters, size, tf.ones([2, 9, size.channels]), tf.ones([2, size.context]));
  });
  assert.deepEqual(result.shape, [2, size.horizon, size.actions]);
  assert.ok((await result.data()).every(Number.isFinite));
  result.dispose();
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
