import assert from "node:assert/strict";
import { loadPolicy, writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { startEngine, tf } from "../../lib/engine/mod.ts";
import {
  narrowToBfloat16,
  type TensorArray,
  type TensorInput,
  widenBfloat16,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { initialise, policyShapes, preset, toCheckpointLayout } from "../../lib/policies/mod.ts";
import { partOf, renamed, smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

await startEngine({ engine: "wasm", quiet: true });
const config = smallPolicy();
const tensors = tensorsOf(config);

/** Writes a stage 1 file. */
function stage1(root: string, state: Readonly<Record<string, TensorInput>>, more = {}): string {
  const path = `${root}/stage1.pt`;
  const parts = {
    sensor_encoder: partOf(state, "sensor_encoder"),
    action_expert: partOf(state, "action_expert"),
  };
  writeTorchCheckpoint(path, { epoch: 4, ...parts, training_stage: "stage1", ...more });
  return path;
}

Deno.test("parameters come back exactly, kernels in the engine's layout, without a leak", () =>
  withFolder(async (root) => {
    const first = initialise(config, { seed: 3 });
    const kernel = "sensor_encoder.conv_backbone.0.weight";
    assert.deepEqual(first[kernel]!.shape, [3, 5, 16]);
    const stored: Record<string, TensorArray> = { ...tensors };
    for (const [key, tensor] of Object.entries(toCheckpointLayout(config, first))) {
      if (tensor.dtype === "int32") continue;
      const data = Float32Array.from(tensor.dataSync());
      stored[key] = { dtype: "float32", shape: tensor.shape, data };
    }
    await writeCheckpoint(`${root}/a`, { contents: { config }, tensors: stored });
    const before = tf.memory().numTensors;
    const loaded = await loadPolicy(`${root}/a`, { config });
    const keys = policyShapes(config).map(({ key }) => key);
    assert.deepEqual(Object.keys(loaded.parameters), keys);
    assert.equal(loaded.report.loaded, keys.length);
    assert.equal(tf.memory().numTensors - before, keys.length);
    for (const key of keys) {
      const { shape, dtype } = loaded.parameters[key]!;
      assert.deepEqual([shape, dtype], [first[key]!.shape, first[key]!.dtype], key);
      if (dtype === "float32") {
        assert.deepEqual(loaded.parameters[key]!.dataSync(), first[key]!.dataSync(), key);
      } else assert.deepEqual([...loaded.parameters[key]!.dataSync()], [17]);
    }
  }));

Deno.test("numbers of 16 bits are widened without loss, in any layout", () =>
  withFolder(async (root) => {
    const narrowed: Record<string, TensorArray> = {};
    let half = false;
    for (const [key, tensor] of Object.entries(tensors)) {
      if (tensor.dtype !== "float32") narrowed[key] = tensor;
      else {
        const { shape, data } = tensor;
        half = !half;
        narrowed[key] = half
          ? { dtype: "float16", shape, data: Float16Array.from(data) }
          : { dtype: "bfloat16", shape, data: narrowToBfloat16(data) };
      }
    }
    const path = stage1(root, narrowed);
    const { parameters, config: inferred, assumed, epoch } = await loadPolicy(path);
    assert.deepEqual(inferred, config);
    assert(assumed.includes("sensorEncoder.heads"));
    assert.equal(epoch, 5);
    for (const { key, reversed } of policyShapes(config)) {
      const { dtype, data } = narrowed[key]!;
      if (reversed || dtype === "int64") continue;
      const wide = dtype === "bfloat16"
        ? widenBfloat16(data as Uint16Array)
        : Float32Array.from(data as Float16Array);
      assert.deepEqual(parameters[key]!.dataSync(), wide, key);
    }
  }));

Deno.test("anything but a full match is an error with counts, keys and what to do", () =>
  withFolder(async (root) => {
    const refuse = (state: Record<string, TensorInput>, message: RegExp) =>
      assert.rejects(loadPolicy(stage1(root, state), { config }), (error: Error) => {
        assert(error instanceof RangeError);
        assert.match(error.message, message);
        assert.match(error.message, /Nothing was loaded/);
        return true;
      });
    const key = "action_expert.fusion_proj.bias";
    const { [key]: one, ...missing } = tensors;
    await refuse(
      missing,
      /all 75 .* is 74 that fit and 0 [^]*1 tensor missing: action_expert.fusion_proj.bias/,
    );
    await refuse(
      { ...tensors, "action_expert.new": one! },
      /is 75 that fit and 1 unexpected\.[^]*1 tensor unexpected: action_expert.new/,
    );
    const short: TensorArray = { dtype: "float32", shape: [3], data: new Float32Array(3) };
    await refuse(
      { ...tensors, [key]: short },
      /of another shape: .*fusion_proj.bias should be \(16\), is \(3\)/,
    );
    const wide: TensorArray = { dtype: "float64", shape: [16], data: new Float64Array(16) };
    await refuse(
      { ...tensors, [key]: wide },
      /of another dtype: .*fusion_proj.bias should be float32, is float64/,
    );
    const experts = Object.fromEntries(
      Object.entries(tensors).filter(([key]) => key.startsWith("action_expert.")),
    );
    await refuse(experts, /holds no sensor_encoder/);
    const sensors = Object.fromEntries(
      Object.entries(tensors).filter(([key]) => key.startsWith("sensor_encoder.")),
    );
    await refuse(sensors, /holds no action_expert/);
    const diffusion = tensorsOf(smallPolicy({ family: "diffusion", fusion: "gated" }));
    await refuse(diffusion, /It looks like reference diffusion:gated/);
  }));

Deno.test("a file of which nothing would be loaded is an error, with a configuration and without", () =>
  withFolder(async (root) => {
    const path = `${root}/other.pt`;
    writeTorchCheckpoint(path, { model_state_dict: renamed(tensors, (key) => `backbone.${key}`) });
    await assert.rejects(loadPolicy(path), /0 tensors were loaded/);
    await assert.rejects(
      loadPolicy(path, { config }),
      /current value is 0 that fit and [^]*neither/,
    );
    writeTorchCheckpoint(path, { epoch: 1, sensor_encoder: null, action_expert: null });
    await assert.rejects(loadPolicy(path), /0 tensors were loaded/);
    const visual = { "vl_model.weight": tensors["action_expert.pos_embed"]! };
    writeTorchCheckpoint(path, { model_state_dict: visual });
    await assert.rejects(loadPolicy(path), /visual-language model only/);
  }));

Deno.test("the recorded architecture is compared before anything is loaded", () =>
  withFolder(async (root) => {
    await writeCheckpoint(`${root}/a`, { contents: { config }, tensors });
    const deeper = { ...config, actionExpert: { ...config.actionExpert, layers: 3 } };
    const heads = { ...config, actionExpert: { ...config.actionExpert, heads: 4 } };
    const before = tf.memory().numTensors;
    for (const [other, message] of [[deeper, /layers: 3, 2/], [heads, /heads: 4, 8/]] as const) {
      await assert.rejects(loadPolicy(`${root}/a`, { config: other as never }), message);
    }
    await assert.rejects(loadPolicy(`${root}/a`, { config: preset("tiny") }), /trocar regression/);
    const rates = { ...config, actionExpert: { ...config.actionExpert, dropout: 0 } };
    const { parameters } = await loadPolicy(`${root}/a`, { config: rates as never });
    for (const tensor of Object.values(parameters)) tensor.dispose();
    assert.equal(tf.memory().numTensors, before);
    // A block that does not belong to the tensors beside it.
    const wrong = stage1(root, tensors, { config: smallPolicy({ family: "diffusion" }) });
    await assert.rejects(
      loadPolicy(wrong),
      /diffusion:concat[^]*It looks like reference regression/,
    );
  }));

Deno.test("numbers that changed on the disk are found before they are used", () =>
  withFolder(async (root) => {
    await writeCheckpoint(`${root}/a`, { contents: { config }, tensors });
    const path = `${root}/a/model.safetensors`;
    const bytes = Deno.readFileSync(path);
    bytes[bytes.length - 5]! ^= 1;
    Deno.writeFileSync(path, bytes);
    await assert.rejects(loadPolicy(`${root}/a`), /SHA-256 should be/);
    await loadPolicy(`${root}/a`, { verify: false });
  }));

Deno.test("a counter beyond 32 bits is refused, and nothing leaks", () =>
  withFolder(async (root) => {
    const key = "sensor_encoder.conv_backbone.1.num_batches_tracked";
    const counter: TensorArray = {
      dtype: "int64",
      shape: [],
      data: new BigInt64Array([2n ** 40n]),
    };
    const before = tf.memory().numTensors;
    await assert.rejects(
      loadPolicy(stage1(root, { ...tensors, [key]: counter })),
      /within 32 bits/,
    );
    assert.equal(tf.memory().numTensors, before);
  }));
