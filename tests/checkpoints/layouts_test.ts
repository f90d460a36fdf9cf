import assert from "node:assert/strict";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import {
  type TensorArray,
  type TorchInput,
  TorchOrderedDict,
  writeSafetensors,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { partOf, renamed, smallPolicy, tensorsOf, withFolder } from "./_policies.ts";
import { temporaryPath } from "../_temporary.ts";

const regression = tensorsOf(smallPolicy());
const diffusion = tensorsOf(smallPolicy({ family: "diffusion" }));
const sensor_encoder = partOf(regression, "sensor_encoder");
const action_expert = partOf(regression, "action_expert");
const tensor: TensorArray = { dtype: "float32", shape: [2, 3], data: new Float32Array(6) };
const vision = { "vl_model.model.layers.0.self_attn.q_proj.weight": tensor };
const lora = {
  "vl_model.base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight": tensor,
  "vl_model.base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight": tensor,
  "vl_model.base_model.model.model.layers.0.self_attn.q_proj.lora_B.default.weight": tensor,
};

/** Opens what PyTorch would have saved. */
function opened<T>(value: TorchInput, look: (open: ReturnType<typeof openCheckpoint>) => T): T {
  const path = temporaryPath("file.pt");
  try {
    writeTorchCheckpoint(path, value);
    using checkpoint = openCheckpoint(path);
    return look(checkpoint);
  } finally {
    Deno.removeSync(path);
  }
}

/** What tells the layouts apart. */
function summary(value: TorchInput) {
  return opened(
    value,
    ({ layout, epoch, epochBase, trainingStage, wrappers, ignored, tensors }) => ({
      layout,
      epoch,
      epochBase,
      trainingStage,
      wrappers,
      ignored: ignored.map(({ name, tensors }) => `${name} ${tensors}`),
      keys: [...tensors.keys()].sort(),
    }),
  );
}

const plain = {
  trainingStage: null,
  wrappers: [],
  ignored: [],
  keys: Object.keys(regression).sort(),
};

Deno.test("a regression stage 1 dictionary counts epochs from 0", () => {
  assert.deepEqual(
    summary({
      epoch: 4,
      sensor_encoder,
      action_expert,
      optimizer_state_dict: { state: {}, param_groups: [] },
      scheduler_state_dict: null,
      val_loss: 0.5,
      training_stage: "stage1",
    }),
    { ...plain, layout: "stage1", epoch: 5, epochBase: 0, trainingStage: "stage1" },
  );
});

Deno.test("a diffusion stage 1 dictionary counts epochs from 1", () => {
  const value = {
    epoch: 4,
    sensor_encoder: partOf(diffusion, "sensor_encoder"),
    action_expert: partOf(diffusion, "action_expert"),
    loss: 0.25,
    training_stage: "stage1",
  };
  const { epoch, epochBase, layout } = summary(value);
  assert.deepEqual([layout, epoch, epochBase], ["stage1", 4, 1]);
  assert.deepEqual(opened(value, ({ losses }) => losses), {
    train: 0.25,
    validation: null,
    bestValidation: null,
    bestEpoch: null,
  });
});

Deno.test("a full model's frozen weights and LoRA are set aside", () => {
  const model_state_dict = { ...lora, ...vision, ...regression };
  assert.deepEqual(summary({ epoch: 9, model_state_dict, training_stage: "stage2" }), {
    ...plain,
    layout: "model_state_dict",
    epoch: 10,
    epochBase: 0,
    trainingStage: "stage2",
    ignored: ["vl_model 2", "lora 2"],
  });
});

Deno.test("a file with all layouts at once counts epochs from 1, and its tensors once", () => {
  const value = { epoch: 3, model_state_dict: regression, sensor_encoder, action_expert };
  assert.deepEqual(summary({ ...value, train_loss: 1, val_loss: 2 }), {
    ...plain,
    layout: "both",
    epoch: 3,
    epochBase: 1,
  });
});

Deno.test("copies that differ are found when they are verified, and when shapes differ at once", async () => {
  const copies = (change: (tensor: TensorArray) => TensorArray) => ({
    model_state_dict: regression,
    sensor_encoder,
    action_expert: Object.fromEntries(
      Object.entries(action_expert).map(([key, tensor]) => [key, change(tensor as TensorArray)]),
    ),
  });
  const path = temporaryPath("file.pt");
  const again = (tensor: TensorArray) =>
    ({ ...tensor, data: (tensor.data as Float32Array).slice() }) as TensorArray;
  try {
    writeTorchCheckpoint(path, copies(again));
    {
      using same = openCheckpoint(path);
      await same.verify();
    }
    writeTorchCheckpoint(
      path,
      copies((tensor) => {
        const other = again(tensor);
        (other.data as Float32Array)[other.data.length - 1]! += 1;
        return other;
      }),
    );
    {
      using different = openCheckpoint(path);
      await assert.rejects(different.verify(), /there twice .* different numbers/);
    }
    writeTorchCheckpoint(path, copies(() => tensor));
    assert.throws(() => openCheckpoint(path), /there twice/);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("a bare state is one, as dict and as OrderedDict", () => {
  const bare = { ...plain, layout: "state_dict", epoch: null, epochBase: null };
  assert.deepEqual(summary(regression), bare);
  assert.deepEqual(summary(new TorchOrderedDict(Object.entries(regression) as never)), bare);
});

Deno.test("wrappers' prefixes are taken off, wherever they are", () => {
  for (
    const prefix of ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module."]
  ) {
    const state = renamed(regression, (key) => `${prefix}${key}`);
    const { keys, wrappers } = summary({ epoch: 1, model_state_dict: state });
    assert.deepEqual(keys, plain.keys, prefix);
    assert.deepEqual(wrappers, [prefix]);
  }
  const inner = renamed(action_expert, (key) => `module.${key}`);
  assert.deepEqual(summary({ sensor_encoder, action_expert: inner }).keys, plain.keys);
  const frozen = renamed(vision, (key) => `module.${key}`);
  assert.deepEqual(summary({ model_state_dict: { ...frozen, ...regression } }).ignored, [
    "vl_model 1",
  ]);
  const twice = { ...regression, ...renamed(regression, (key) => `module.${key}`) };
  assert.deepEqual(summary(twice).keys, plain.keys, "one tensor under two keys");
});

Deno.test("a program without a sensor saves null for the encoder", () => {
  const { keys, layout } = summary({ epoch: 0, sensor_encoder: null, action_expert });
  assert.equal(layout, "stage1");
  assert(keys.every((key) => key.startsWith("action_expert.")));
});

Deno.test("a file that says how it counts epochs and what it is, is believed", () => {
  const config = smallPolicy();
  const value = {
    epoch: 7,
    epoch_base: 1,
    program: "async",
    global_step: 700,
    config: config as unknown as TorchInput,
    sensor_encoder,
    action_expert,
    best_val_loss: 0.5,
    best_epoch: 6,
  } as TorchInput;
  opened(value, (checkpoint) => {
    assert.deepEqual([checkpoint.epoch, checkpoint.program, checkpoint.globalStep], [
      7,
      "async",
      700,
    ]);
    assert.deepEqual(checkpoint.config, config);
    assert.deepEqual(checkpoint.remarks, []);
    assert.deepEqual(checkpoint.losses.bestEpoch, 6);
  });
  const other = { ...value as object, config: { lr: 0.1 } } as TorchInput;
  opened(other, ({ config, remarks }) => {
    assert.equal(config, null);
    assert.match(remarks.join(), /another program/);
  });
  const flow = { ...config, family: "flow" } as unknown;
  const wrong = { ...value as object, config: flow } as TorchInput;
  assert.throws(() => opened(wrong, () => {}), /family must be one of/);
});

Deno.test("files that hold no policy's layout are refused with their keys", () => {
  const refusals: [TorchInput, RegExp][] = [
    [{ epoch: 1, config: { lr: 1 } }, /dictionary of epoch, config/],
    [{}, /dictionary of nothing/],
    [[1, 2], /a list of 2/],
    [tensor, /one tensor/],
    [{ model_state_dict: [1] }, /model_state_dict should be a dictionary/],
    [{ sensor_encoder: 3, action_expert }, /sensor_encoder should be a dictionary/],
  ];
  for (const [value, message] of refusals) assert.throws(() => opened(value, () => {}), message);
});

Deno.test("one file of tensors is opened too, under any name, with a configuration or without", () =>
  withFolder((root) => {
    const config = smallPolicy();
    for (const name of ["model.safetensors", "weights.bin"]) {
      const path = `${root}/${name}`;
      writeSafetensors(path, regression, { config: JSON.stringify(config) });
      using checkpoint = openCheckpoint(path);
      assert.equal(checkpoint.layout, "safetensors");
      assert.deepEqual(checkpoint.config, config);
      assert.deepEqual([...checkpoint.tensors.keys()].sort(), plain.keys);
    }
    writeSafetensors(`${root}/a.safetensors`, regression, { config: "{" });
    assert.throws(() => openCheckpoint(`${root}/a.safetensors`), SyntaxError);
  }));
