import assert from "node:assert/strict";
import { tf } from "trocar/engine";
import {
  exchangeLayout,
  fromCheckpointLayout,
  initialise,
  type PolicyConfig,
  policyShapes,
  preset,
  toCheckpointLayout,
} from "../../lib/policies/mod.ts";
import { onEngines } from "./_engines.ts";

const SMALL = { inputChannels: 9, visionDim: 16 };
const config = preset("tiny", { ...SMALL, architecture: "reference" });

onEngines("checkpoint layout and back changes no number", async () => {
  const parameters = initialise(config, { seed: 3 });
  const stored = toCheckpointLayout(config, parameters);
  for (const { key, shape } of policyShapes(config)) assert.deepEqual(stored[key]!.shape, shape);
  const again = fromCheckpointLayout(config, stored);
  assert.deepEqual(Object.keys(again), Object.keys(parameters));
  for (const [key, tensor] of Object.entries(parameters)) {
    assert.deepEqual(again[key]!.shape, tensor.shape);
    assert.deepEqual(await again[key]!.data(), await tensor.data(), key);
  }
});

onEngines("exchangeLayout() puts element (out, in, k) at (k, in, out)", async () => {
  const spec = policyShapes(config).find(({ key }) => key.endsWith("conv_backbone.4.weight"))!;
  const kernel = tf.range(0, 2 * 3 * 3).reshape([2, 3, 3]);
  const exchanged = exchangeLayout(spec, kernel) as tf.Tensor3D;
  const [stored, held] = [await (kernel as tf.Tensor3D).array(), await exchanged.array()];
  assert.equal(held[2]![1]![0], stored[0]![1]![2]);
});

onEngines("fromCheckpointLayout() names every tensor that does not fit", () => {
  const stored = toCheckpointLayout(config, initialise(config, { seed: 3 }));
  const bias = "action_expert.fusion_proj.bias";
  const { [bias]: _, ...rest } = stored;
  const wrong = { ...rest, extra: tf.scalar(0), "action_expert.pos_embed": tf.zeros([1, 8, 127]) };
  assert.throws(() => fromCheckpointLayout(config, wrong), (error: Error) => {
    assert.match(error.message, /3 tensors do not fit/);
    assert.match(error.message, /"action_expert.fusion_proj.bias" is missing/);
    assert.match(error.message, /pos_embed" is float32\[1,8,127\] instead of float32\[1,8,128\]/);
    assert.match(error.message, /"extra" is unexpected/);
    return true;
  });
});

onEngines("initialise() draws from PyTorch's distributions", async () => {
  const parameters = initialise(preset("tiny", { ...SMALL, architecture: "reference" }), {
    seed: 5,
  });
  const moments = async (key: string) => {
    const values = Array.from(await parameters[key]!.data());
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    return { mean, std, most: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
  };
  const uniform = async (key: string, bound: number) => {
    const { mean, std, most } = await moments(key);
    assert.ok(
      most <= bound * 1.000001 && most > 0.98 * bound,
      `${key} reaches ${most} of ${bound}`,
    );
    assert.ok(Math.abs(std / (bound / Math.sqrt(3)) - 1) < 0.05, `${key} has std ${std}`);
    assert.ok(Math.abs(mean) < 0.06 * bound, `${key} has mean ${mean}`);
  };
  const layer = "action_expert.temporal_decoder.layers.0";
  await uniform(`${layer}.linear1.weight`, 1 / Math.sqrt(128));
  await uniform(`${layer}.linear2.weight`, 1 / Math.sqrt(512));
  await uniform(`${layer}.self_attn.in_proj_weight`, Math.sqrt(6 / 512));
  await uniform(`${layer}.self_attn.out_proj.weight`, 1 / Math.sqrt(128));
  await uniform("sensor_encoder.conv_backbone.4.weight", 1 / Math.sqrt(64 * 3));
  const positions = await moments("action_expert.pos_embed");
  assert.ok(Math.abs(positions.std - 1) < 0.06, `pos_embed has std ${positions.std}`);
  const constant = async (key: string, value: number) =>
    assert.ok((await parameters[key]!.data()).every((v) => v === value), key);
  await constant(`${layer}.self_attn.in_proj_bias`, 0);
  await constant(`${layer}.self_attn.out_proj.bias`, 0);
  await constant(`${layer}.norm1.weight`, 1);
  await constant("sensor_encoder.conv_backbone.1.running_var", 1);
  assert.equal(parameters["sensor_encoder.conv_backbone.1.num_batches_tracked"]!.dtype, "int32");
});

onEngines("stacks start as copies in reference and layer by layer in trocar", async () => {
  const weights = async (architecture: "reference" | "trocar") => {
    const { actionExpert, ...rest } = preset("tiny", { ...SMALL, architecture });
    const two = { ...rest, actionExpert: { ...actionExpert, layers: 2 } } as PolicyConfig;
    const parameters = initialise(two, { seed: 1 });
    return await Promise.all(
      [0, 1].map(async (i) =>
        String(
          await parameters[`action_expert.temporal_decoder.layers.${i}.linear1.weight`]!.data(),
        )
      ),
    );
  };
  const [first, second] = await weights("reference");
  assert.ok(first === second);
  const [third, fourth] = await weights("trocar");
  assert.ok(third !== fourth);
});

onEngines("initialise() is a function of the seed", async () => {
  const key = "action_expert.fusion_proj.weight";
  const draw = async (seed: number) => String(await initialise(config, { seed })[key]!.data());
  const [a, b, c] = [await draw(1), await draw(1), await draw(2)];
  assert.ok(a === b && a !== c);
});
