import assert from "node:assert/strict";
import { join } from "node:path";
import {
  Bfloat16Tensor,
  compile,
  isBfloat16Faster,
  Random,
  startEngine,
  tf,
  valueAndGradients,
} from "../../lib/engine/mod.ts";
import { nativeBackend } from "../../lib/engine/tensorflow/_active.ts";
import {
  type BatchTensors,
  batchTensors,
  disposeWeights,
  hiddenStates,
  initialAdapter,
  loadWeights,
  mergeAdapter,
  openModelFolder,
  type Picture,
  pool,
  prepareBatch,
  VisionLanguageModel,
  visionRuns,
} from "../../lib/vision_language/mod.ts";
import { syntheticPicture } from "../../lib/vision_language/parity/mod.ts";
import { copyModel, MODEL } from "./_folder.ts";

const MATRIX = "model.layers.0.mlp.down_proj.weight";
const view = (salt: number): Picture => syntheticPicture({ width: 160, height: 90 }, salt);

function distance(a: Float32Array, b: Float32Array): number {
  const square = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(a.map((value, i) => value - b[i]!)) / square(b));
}

Deno.test("loadWeights keeps bfloat16 matrices on the native engine and widens them elsewhere to the same values", async () => {
  using folder = openModelFolder(MODEL);
  const values = async (engine: "tensorflow" | "wasm") => {
    await startEngine({ engine, quiet: true });
    const seen: number[] = [];
    const weights = await loadWeights(folder, { onProgress: (read, all) => seen.push(read / all) });
    const matrix = weights.get(MATRIX)!;
    assert.equal(matrix instanceof Bfloat16Tensor, engine === "tensorflow");
    assert.deepEqual([...matrix.shape], [...folder.tensors.get(MATRIX)!.shape]);
    assert(seen.at(-1) === 1 && seen.every((share, i) => i === 0 || share > seen[i - 1]!));
    const wide = matrix instanceof Bfloat16Tensor ? matrix.toFloat32() : matrix.clone();
    const data = await wide.data();
    wide.dispose();
    disposeWeights(weights);
    return data;
  };
  assert.deepEqual(await values("wasm"), await values("tensorflow"));
});

Deno.test("loadWeights frees what it loaded when it is stopped", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  using folder = openModelFolder(MODEL);
  const before = tf.memory().numTensors, stop = new AbortController();
  await assert.rejects(loadWeights(folder, {
    dtype: "float32",
    signal: stop.signal,
    onProgress: (read, all) => read > all / 2 && stop.abort(),
  }));
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("VisionLanguageModel gives each prompt of a batch the feature that it has alone", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  using model = await VisionLanguageModel.open(MODEL, { dtype: "float32" });
  const prompts = [
    model.prompt([view(1), view(2)], "Perform Green point insertion task"),
    model.prompt([], "Move left."),
    model.prompt([view(3)], "Hello"),
  ];
  const before = tf.memory().numTensors;
  for (const tap of ["mean", "image-mean", "last-token"] as const) {
    const together = await model.features(prompts, tap);
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await model.features([prompt], tap);
      if (tap === "image-mean" && i === 1) assert(alone!.every((value) => value === 0));
      else assert(distance(together[i]!, alone!) < 2e-6);
    }
  }
  assert.equal(tf.memory().numTensors, before);
  const swapped = model.prompt([view(2), view(1)], "Perform Green point insertion task");
  const [feature, other] = await model.features([prompts[0]!, swapped]);
  assert(distance(feature!, other!) > 1e-3, "the order of views matters");
});

Deno.test("VisionLanguageModel in bfloat16 is close to float32 and has the same shape on other engines", async () => {
  const feature = async (engine: "tensorflow" | "wasm", options = {}) => {
    await startEngine({ engine, quiet: true });
    using model = await VisionLanguageModel.open(MODEL, options);
    const [values] = await model.features([model.prompt([view(1)], "Move left.")]);
    return values!;
  };
  const exact = await feature("tensorflow", { dtype: "float32" });
  const narrow = distance(await feature("tensorflow", { precision: "bfloat16" }), exact);
  assert(narrow > 1e-5 && narrow < 2e-2, `${narrow}`);
  assert(distance(await feature("tensorflow", { precision: "float32" }), exact) < 2e-6);
  assert(distance(await feature("tensorflow"), exact) < (isBfloat16Faster() ? 2e-2 : 2e-6));
  assert(distance(await feature("wasm"), exact) < 2e-6);
});

Deno.test("VisionLanguageModel names the file that a folder lacks", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  for (const name of ["config.json", "tokenizer.json", "preprocessor_config.json"]) {
    const folder = copyModel();
    Deno.removeSync(join(folder, name));
    await assert.rejects(VisionLanguageModel.open(folder), new RegExp(name.replace(".", "\\.")));
  }
});

Deno.test("mergeAdapter changes nothing for a fresh adapter and keeps the dtype of the weights", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  using folder = openModelFolder(MODEL);
  for (const dtype of ["stored", "float32"] as const) {
    const weights = await loadWeights(folder, { dtype });
    const fresh = initialAdapter(folder.config, { rank: 2, targets: ["down_proj"] }, 1);
    const merged = mergeAdapter(weights, fresh, 2);
    assert.equal(Object.keys(merged).length, 7); // 3 layers of the text, 4 blocks of the tower
    const numbers = async (weight: tf.Tensor | Bfloat16Tensor) =>
      await (weight instanceof Bfloat16Tensor ? weight.toFloat32() : weight).data();
    assert.deepEqual(await numbers(merged[MATRIX]!), await numbers(weights.get(MATRIX)!));
    assert.equal(merged[MATRIX] instanceof Bfloat16Tensor, dtype === "stored");
    disposeWeights(weights);
  }
});

Deno.test("hiddenStates passes gradients to adapters of text and tower: through bfloat16 as through float32, and the same when layers are computed again", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  using model = await VisionLanguageModel.open(MODEL);
  using folder = openModelFolder(MODEL);
  const { config } = model, wide = await loadWeights(folder, { dtype: "float32" });
  const batch = prepareBatch([model.prompt([view(1), view(4)], "Move left.")], config);
  const inputs = batchTensors(batch, config), runs = visionRuns(batch);
  const adapter = initialAdapter(config, { rank: 2, targets: ["q_proj", "o_proj", "up_proj"] }, 3);
  for (const key of Object.keys(adapter)) {
    if (key.endsWith("lora_B")) adapter[key] = tf.fill(adapter[key]!.shape, 0.1);
  }
  const gradientsWith = async (
    weights: typeof wide,
    precision: "bfloat16" | "float32",
    more: { readonly recomputes?: boolean; readonly dropout?: number } = {},
  ): Promise<Record<string, Float32Array>> => {
    const { recomputes = false, dropout = 0 } = more;
    const random = () => new Random({ seed: 5, counter: 1 });
    const run = compile((x: BatchTensors, p: Record<string, tf.Tensor>) => {
      const { value, gradients } = valueAndGradients((tensors) => {
        const adapter = { tensors, scale: 2, dropout, random };
        const forward = { config, weights, precision, recomputes, adapter };
        return pool("mean", hiddenStates(forward, x, runs), x).square().sum();
      }, p);
      value.dispose();
      return { ...gradients };
    }, { name: "gradients", precision });
    const found: Record<string, Float32Array> = {};
    for (const [key, tensor] of Object.entries(run(inputs, adapter))) {
      found[key] = await tensor.data() as Float32Array;
    }
    run.dispose();
    return found;
  };
  const exact = await gradientsWith(wide, "float32");
  const same = await gradientsWith(model.weights, "float32");
  const narrow = await gradientsWith(model.weights, "bfloat16");
  assert(Object.keys(exact).some((key) => key.includes("visual.blocks.0")));
  for (const [key, expected] of Object.entries(exact)) {
    assert(distance(same[key]!, expected) < 2e-5, key);
    assert(distance(narrow[key]!, expected) < 0.2, `${key} ${distance(narrow[key]!, expected)}`);
  }
  const dropped = await gradientsWith(wide, "float32", { dropout: 0.2 });
  const again = await gradientsWith(wide, "float32", { dropout: 0.2, recomputes: true });
  for (const [key, expected] of Object.entries(dropped)) {
    assert(distance(again[key]!, expected) < 2e-5, key);
    assert(distance(exact[key]!, expected) > 1e-2, key);
  }
  disposeWeights(wide);
});

Deno.test("hiddenStates leaves no tensor behind op by op", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  using model = await VisionLanguageModel.open(MODEL);
  const { config, weights } = model, { binding } = nativeBackend()!;
  const batch = prepareBatch([model.prompt([view(1)], "Hello")], config);
  const inputs = batchTensors(batch, config);
  const run = () =>
    tf.tidy(() => hiddenStates({ config, weights }, inputs, visionRuns(batch))).dispose();
  run(); // uploads the inputs
  const before = binding.getNumOfTensors();
  run();
  assert.equal(binding.getNumOfTensors(), before);
});
