import assert from "node:assert/strict";
import { join } from "node:path";
import { openSafetensors, type TensorInput, writeSafetensors } from "../../lib/formats/mod.ts";
import {
  DEFAULT_LORA,
  loraModules,
  loraShapes,
  readAdapter,
  readModelConfig,
  writeAdapter,
} from "../../lib/vision_language/mod.ts";
import { editJson, FIXTURES, MODEL } from "./_folder.ts";
import { temporaryFolder } from "../_temporary.ts";

const config = readModelConfig(join(MODEL, "config.json"));
const ADAPTER = join(FIXTURES, "lora", "attn");
const WEIGHTS = "adapter_model.safetensors";

function copyAdapter(change: (tensors: Map<string, TensorInput>) => void = () => {}): string {
  const folder = temporaryFolder(), tensors = new Map<string, TensorInput>();
  Deno.copyFileSync(join(ADAPTER, "adapter_config.json"), join(folder, "adapter_config.json"));
  using file = openSafetensors(join(ADAPTER, WEIGHTS));
  for (const name of file.names) tensors.set(name, file.read(name) as TensorInput);
  change(tensors);
  writeSafetensors(join(folder, WEIGHTS), tensors, { format: "pt" });
  return folder;
}

/** The text decoder of Qwen2.5-VL-3B-Instruct. */
const published = {
  ...config,
  text: { ...config.text, layers: 36, hiddenSize: 2048, heads: 16, intermediateSize: 11008 },
  vision: { ...config.vision, depth: 32, hiddenSize: 1280, intermediateSize: 3420 },
};

function count(targets: readonly string[] | string, rank = 16): number {
  const shapes = Object.values(loraShapes(published, { rank, targets }));
  return shapes.reduce((sum, [a, b]) => sum + a! * b!, 0);
}

Deno.test("loraShapes has the 7,372,800 parameters of the 3B, and those of other targets", () => {
  const seven = [...DEFAULT_LORA.targets, "gate_proj", "up_proj", "down_proj"];
  assert.equal(count(DEFAULT_LORA.targets), 7_372_800);
  assert.equal(count(DEFAULT_LORA.targets, 8), 3_686_400);
  assert.equal(count(seven), 37_152_768); // with the vision tower's MLPs
  assert.equal(count(`.*language_model\\.layers\\.\\d+\\..*(${seven.join("|")})`), 29_933_568);
  assert.throws(() => count(DEFAULT_LORA.targets, 0), /rank should be an integer from 1/);
});

Deno.test("loraModules refuses targets that hit nothing", () => {
  assert.throws(() => loraModules(config, ["q_proj", "query"]), /"query", which hits none/);
  assert.throws(() => loraModules(config, ".*nothing"), /hits none/);
  assert.throws(() => loraModules(config, []), /hits none/);
  assert.throws(() => loraModules(config, ["proj.weight"]), /hits none/);
});

Deno.test("writeAdapter writes what readAdapter read, to the byte, also under the older names", () => {
  const original = Deno.readFileSync(join(ADAPTER, WEIGHTS));
  const older = copyAdapter((tensors) => {
    for (const [name, tensor] of [...tensors]) {
      tensors.delete(name);
      tensors.set(name.replace("model.language_model.", "model."), tensor);
    }
  });
  for (const folder of [ADAPTER, older]) {
    const again = temporaryFolder(), adapter = readAdapter(folder, config);
    writeAdapter(again, adapter);
    assert.deepEqual(Deno.readFileSync(join(again, WEIGHTS)), original);
    assert.deepEqual(readAdapter(again, config).settings, { ...adapter.settings });
  }
});

Deno.test("readAdapter refuses settings that are not computed and tensors of another model", () => {
  const withSettings = (change: object) => {
    const folder = copyAdapter();
    editJson(folder, "adapter_config.json", (value) => ({ ...value, ...change }));
    return () => readAdapter(folder, config);
  };
  assert.throws(withSettings({ use_dora: true }), /use_dora should be false/);
  assert.throws(withSettings({ use_rslora: true }), /use_rslora should be false/);
  assert.throws(withSettings({ bias: "all" }), /bias should be "none"/);
  assert.throws(withSettings({ rank_pattern: { q_proj: 3 } }), /rank_pattern should be \{\}/);
  assert.throws(withSettings({ r: 3 }), /has rank 2 instead of 3/);
  assert.throws(withSettings({ target_modules: ["q_proj"] }), /matrices of its targets/);
  assert.throws(
    withSettings({ target_modules: ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj"] }),
    /of the model is missing/,
  );
  const [first] = copyNames();
  assert.throws(
    () => readAdapter(copyAdapter((tensors) => tensors.delete(first!)), config),
    /lora_A\.weight is missing/,
  );
  assert.throws(
    () => readAdapter(copyAdapter((tensors) => tensors.set("other", tensors.get(first!)!)), config),
    /other is no matrix of an adapter/,
  );
});

function copyNames(): readonly string[] {
  using file = openSafetensors(join(ADAPTER, WEIGHTS));
  return file.names;
}
