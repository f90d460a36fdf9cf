import assert from "node:assert/strict";
import { join } from "node:path";
import { modelTensors, readModelConfig } from "../../lib/vision_language/mod.ts";
import { copyModel, editJson, MODEL } from "./_folder.ts";

const CONFIG = "config.json";

function edited(edit: (value: Record<string, unknown>) => unknown) {
  const folder = copyModel();
  editJson(folder, CONFIG, edit);
  return () => readModelConfig(join(folder, CONFIG));
}

/** Values of Qwen2.5-VL-3B-Instruct. */
function published(value: Record<string, unknown>): void {
  Object.assign(value, {
    hidden_size: 2048,
    num_hidden_layers: 36,
    num_attention_heads: 16,
    intermediate_size: 11008,
    vocab_size: 151936,
    rope_scaling: { type: "mrope", mrope_section: [16, 24, 24] },
  });
  Object.assign(value["vision_config"] as object, {
    depth: 32,
    hidden_size: 1280,
    num_heads: 16,
    intermediate_size: 3420,
    out_hidden_size: 2048,
    fullatt_block_indexes: [7, 15, 23, 31],
  });
}

Deno.test("readModelConfig reads the published flat file and the nested one of newer libraries alike", () => {
  const nested = edited((flat) => {
    const { vision_config, model_type, ...rest } = flat;
    const { rope_scaling, rope_theta, ...text } = rest;
    const tokens = Object.fromEntries(
      Object.entries(flat).filter(([key]) =>
        /^(image|vision_(start|end)|video)_token_id$/.test(key)
      ),
    );
    return {
      ...tokens,
      model_type,
      vision_config,
      tie_word_embeddings: true,
      dtype: "bfloat16",
      text_config: {
        ...text,
        rope_parameters: { ...rope_scaling as object, rope_theta, rope_type: "default" },
      },
    };
  })();
  assert.deepEqual(nested, readModelConfig(join(MODEL, CONFIG)));
});

Deno.test("modelTensors gives the 824 tensors and 3,754,622,976 values of the 3B", () => {
  const shapes = [...modelTensors(edited(published)()).values()];
  const values = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b), 0);
  assert.equal(shapes.length, 824);
  assert.equal(values, 3_754_622_976);
});

Deno.test("readModelConfig refuses what is missing or cannot be computed, and names it", () => {
  const without = (key: string) => edited((value) => void delete value[key]);
  const withValue = (change: object) => edited((value) => void Object.assign(value, change));
  const withVision = (change: object) =>
    edited((value) => void Object.assign(value["vision_config"] as object, change));
  assert.throws(without("rms_norm_eps"), /rms_norm_eps should be a number/);
  assert.throws(without("vision_config"), /vision_config should be an object/);
  assert.throws(without("rope_scaling"), /rope_scaling/);
  assert.throws(withValue({ model_type: "qwen2_vl" }), /"qwen2_5_vl"/);
  assert.throws(withValue({ hidden_act: "gelu" }), /"silu"/);
  assert.throws(withValue({ use_sliding_window: true }), /use_sliding_window/);
  assert.throws(withValue({ num_key_value_heads: 3 }), /3 of 4/);
  assert.throws(withValue({ vocab_size: 300 }), /row of the embedding, current value is 3\d\d/);
  assert.throws(withValue({ hidden_size: 1e12 }), /hiddenSize should be an integer/);
  assert.throws(withValue({ num_hidden_layers: 2.5 }), /layers should be an integer/);
  assert.throws(
    withValue({ rope_scaling: { mrope_section: [2, 3, 3] } }),
    /mrope_section should cover half of a head/,
  );
  assert.throws(withVision({ out_hidden_size: 64 }), /as wide as text tokens, current value is 64/);
  assert.throws(withVision({ window_size: 100 }), /whole visual tokens, current value is 100/);
  assert.throws(withVision({ hidden_size: 30 }), /multiple of 4/);
});

Deno.test("readModelConfig refuses rotary frequencies that are scaled, and numbers that make no sense", () => {
  const sections = { mrope_section: [1, 2, 3] };
  const withValue = (change: object) => edited((value) => void Object.assign(value, change));
  const withRotary = (change: object) => withValue({ rope_scaling: { ...sections, ...change } });
  const expected = readModelConfig(join(MODEL, CONFIG));
  for (const change of [{}, { type: "mrope" }, { rope_type: "default" }, { type: "default" }]) {
    assert.deepEqual(withRotary(change)(), expected);
  }
  const yarn = { rope_type: "yarn", factor: 4 };
  assert.throws(withRotary(yarn), /rope_scaling\.rope_type should be one of mrope.*"yarn"/);
  assert.throws(withRotary({ type: "linear" }), /rope_scaling\.type .*"linear"/);
  assert.throws(withRotary({ type: "mrope", rope_type: "yarn" }), /"yarn"/);
  assert.throws(
    withValue({ rope_parameters: { ...sections, ...yarn } }),
    /rope_parameters\.rope_type .*"yarn"/,
  );
  assert.throws(
    withValue({ rope_parameters: sections, rope_scaling: { ...sections, ...yarn } }),
    /"yarn"/,
  );
  for (const rms_norm_eps of [0, -1e-6, 1]) {
    assert.throws(withValue({ rms_norm_eps }), /rms_norm_eps should be between 0 and 1/);
  }
  for (const rope_theta of [0, -1e6]) {
    assert.throws(withValue({ rope_theta }), /rope_theta should be above 0/);
  }
  for (const mrope_section of [[0, 3, 3], [-1, 4, 3], [1.5, 1.5, 3]]) {
    assert.throws(withRotary({ mrope_section }), /mrope_section should be positive integers/);
  }
  for (const index of [-1, 4, 1.5]) {
    const blocks = { fullatt_block_indexes: [1, index] };
    assert.throws(
      edited((value) => void Object.assign(value["vision_config"] as object, blocks)),
      /fullatt_block_indexes should be integers from 0 to 3, current value is \[1,/,
    );
  }
});
