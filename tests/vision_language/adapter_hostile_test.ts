/** Adapters that are damaged, of another model, or of a kind that trocar does not compute. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSafetensors, type TensorInput, writeSafetensors } from "../../lib/formats/mod.ts";
import { loraModules, readAdapter, readModelConfig } from "../../lib/vision_language/mod.ts";
import { editJson, FIXTURES, MODEL } from "./_folder.ts";
import { temporaryFolder } from "../_temporary.ts";

const config = readModelConfig(join(MODEL, "config.json"));
const WEIGHTS = "adapter_model.safetensors", SETTINGS = "adapter_config.json";
const QUERY = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_A.weight";

function copy(
  change: (tensors: Map<string, TensorInput>) => void = () => {},
  name = "attn",
): string {
  const folder = temporaryFolder(), source = join(FIXTURES, "lora", name);
  Deno.copyFileSync(join(source, SETTINGS), join(folder, SETTINGS));
  const tensors = new Map<string, TensorInput>();
  using file = openSafetensors(join(source, WEIGHTS));
  for (const each of file.names) tensors.set(each, file.read(each));
  change(tensors);
  writeSafetensors(join(folder, WEIGHTS), tensors, { format: "pt" });
  return folder;
}

function withSettings(change: object): () => unknown {
  const folder = copy();
  editJson(folder, SETTINGS, (value) => ({ ...value, ...change }));
  return () => readAdapter(folder, config);
}

Deno.test("settings that compute something else are refused by their names", () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ peft_type: "LOHA" }, /peft_type should be "LORA"/],
    [{ use_dora: true }, /use_dora should be false/],
    [{ use_rslora: true }, /use_rslora should be false/],
    [{ bias: "lora_only" }, /bias should be "none"/],
    [{ lora_bias: true }, /lora_bias should be false/],
    [{ modules_to_save: ["lm_head"] }, /modules_to_save should be null/],
    [{ alpha_pattern: { q_proj: 1 } }, /alpha_pattern should be \{\}/],
    [{ init_lora_weights: "pissa_niter_4" }, /init_lora_weights should be true, false, "gaussian"/],
    [{ arrow_config: { top_k: 2 } }, /arrow_config should be null/],
    [{ a_setting_of_tomorrow: 3 }, /a_setting_of_tomorrow should be null/],
    [{ lora_alpha: 0 }, /lora_alpha should be above 0: with 0 it adds nothing/],
    [{ lora_alpha: -4 }, /lora_alpha should be above 0/],
    [{ lora_alpha: "4" }, /lora_alpha should be a finite number|lora_alpha should be a number/],
    [{ r: 0 }, /r should be an integer from 1/],
    [{ r: 1.5 }, /r should be an integer from 1/],
    [{ lora_dropout: 1 }, /lora_dropout should be from 0 to below 1/],
    [{ target_modules: null }, /target_modules should be/],
  ];
  for (const [change, message] of wrong) assert.throws(withSettings(change), message);
  const harmless = { init_lora_weights: "gaussian", eva_config: { rho: 2 }, peft_version: "9" };
  assert.doesNotThrow(withSettings(harmless), "these change nothing of a trained adapter");
});

Deno.test("a pattern that would take for ever, or that JavaScript has not, is refused at once", () => {
  for (
    const pattern of [
      "(.|..)+Z",
      "((.|..))*Z",
      "((a+)+)+b",
      "(.*)*x",
      "(?:x|(\\w+)){2,}",
      ".*.*.*.*.*.*x",
      "(?P<a>q)",
    ]
  ) {
    assert.throws(() => loraModules(config, pattern), RangeError, pattern);
    assert.throws(withSettings({ target_modules: pattern }), SyntaxError, pattern);
  }
  const usual = ".*language_model\\.layers\\.\\d+\\..*(?:q|k|v|o)_proj";
  assert.equal(loraModules(config, usual).length, 12);
});

Deno.test("matrices of another rank, of another model or there twice are named", () => {
  assert.throws(
    withSettings({ r: 3 }),
    /q_proj.lora_A.weight has rank 2 instead of 3|instead of 3/,
  );
  const wide = { dtype: "float32", shape: [2, 64], data: new Float32Array(128) } as const;
  assert.throws(
    () => readAdapter(copy((tensors) => tensors.set(QUERY, wide)), config),
    /layers\.0\.self_attn\.q_proj\.lora_A\.weight is \(2, 64\) instead of \(2, 48\) in the model/,
  );
  const older = QUERY.replace("language_model.", "");
  assert.throws(
    () => readAdapter(copy((tensors) => tensors.set(older, tensors.get(QUERY)!)), config),
    /is base_model\.model\.model\S*q_proj\.lora_A\.weight again/,
  );
  const deeper = { ...config, text: { ...config.text, layers: 4 } };
  assert.throws(
    () => readAdapter(join(FIXTURES, "lora/attn"), deeper),
    /lora\.model\.layers\.3\.self_attn\.k_proj\.lora_A of the model is missing/,
  );
  const fewer = { ...config, text: { ...config.text, layers: 2 } };
  assert.throws(() => readAdapter(join(FIXTURES, "lora/attn"), fewer), /layers\.2.*no layer/);
});

Deno.test("the list of seven names asks for the vision tower's layers, too", () => {
  const { lora } = readAdapter(join(FIXTURES, "lora/seven_everywhere"), config);
  assert.equal(loraModules(config, lora.targets).length, 33);
  const textOnly = copy((tensors) => {
    for (const name of [...tensors.keys()]) if (name.includes("visual")) tensors.delete(name);
  }, "seven_everywhere");
  assert.throws(
    () => readAdapter(textOnly, config),
    /lora\.visual\.blocks\.0\.mlp\.down_proj\.lora_A of the model is missing/,
  );
});

Deno.test("numbers that are none, and other dtypes, are refused", () => {
  const set = (data: Float32Array<ArrayBuffer>) => (tensors: Map<string, TensorInput>) =>
    tensors.set(QUERY, { dtype: "float32", shape: [2, 48], data });
  const sick = new Float32Array(96);
  sick[5] = NaN;
  assert.throws(
    () => readAdapter(copy(set(sick)), config),
    /finite numbers, current value is NaN at 5/,
  );
  const halves = copy((tensors) =>
    tensors.set(QUERY, { dtype: "float16", shape: [2, 48], data: new Float16Array(96) })
  );
  assert.throws(() => readAdapter(halves, config), /float16, neither float32 nor bfloat16/);
});

Deno.test("a file cut at any place, and folders without one of the two, are refused", () => {
  const folder = copy(), path = join(folder, WEIGHTS), whole = Deno.readFileSync(path);
  for (let cut = 0; cut < whole.length; cut += 397) {
    Deno.writeFileSync(path, whole.subarray(0, cut));
    assert.throws(() => readAdapter(folder, config), SyntaxError, `${cut} bytes`);
  }
  Deno.removeSync(path);
  assert.throws(() => readAdapter(folder, config), Deno.errors.NotFound);
  Deno.removeSync(join(folder, SETTINGS));
  assert.throws(() => readAdapter(folder, config), /should hold adapter_config\.json/);
  Deno.writeTextFileSync(join(folder, SETTINGS), "{");
  assert.throws(() => readAdapter(folder, config), /adapter_config\.json/);
});

Deno.test("any byte of the weights changed is read as an adapter of finite numbers or refused", () => {
  const folder = copy(), path = join(folder, WEIGHTS), whole = Deno.readFileSync(path);
  let state = 12345;
  const random = (below: number) => (state = (state * 48271) % 2147483647) % below;
  for (let round = 0; round < 300; round++) {
    const changed = whole.slice();
    changed[random(round < 150 ? 4000 : changed.length)] = random(256);
    Deno.writeFileSync(path, changed);
    try {
      const { tensors } = readAdapter(folder, config);
      assert.equal(Object.keys(tensors).length, 24);
      assert(Object.values(tensors).every(({ data }) => data.every(Number.isFinite)), "finite");
    } catch (error) {
      assert(error instanceof SyntaxError, String(error));
    }
  }
});
