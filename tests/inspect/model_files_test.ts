import assert from "node:assert/strict";
import { join } from "node:path";
import { checkModelFiles, inspect } from "../../lib/inspect/mod.ts";
import { changeTensors, copyOf, FIXTURES } from "./_model_files.ts";
import { seeded } from "../formats/_seeded.ts";
import { rewriteFile, temporaryFolder } from "../_temporary.ts";

const MODEL = join(FIXTURES, "model"), ADAPTER = join(FIXTURES, "lora/attn");
const SECOND = "model-00002-of-00002.safetensors";
const PREFIX = "base_model.model.model.language_model.layers.0.self_attn.q_proj.lora_";

async function problemsOf(path: string): Promise<string> {
  const check = await checkModelFiles(path), { details } = await inspect(path);
  assert.deepEqual(details.problems, check!.problems);
  assert.equal(check!.ok, check!.problems.length === 0);
  return check!.problems.join("\n");
}

Deno.test("model: sizes, counts from headers, processor, tokenizer, digest and shards", async () => {
  const { kind, bytes, tensors, details } = await inspect(MODEL);
  assert.deepEqual([kind, tensors.length, details.tensors], ["model", 92, 92]);
  const sizes = [...Deno.readDirSync(MODEL)].map(({ name }) =>
    Deno.statSync(join(MODEL, name)).size
  );
  assert.equal(bytes, sizes.reduce((a, b) => a + b));
  const { type, dtype, text, vision, dtypes, tokenizer, problems } = details as Record<
    string,
    Record<string, unknown>
  >;
  assert.deepEqual([type, dtype, tokenizer], ["qwen2_5_vl", "bfloat16", "present"]);
  assert.deepEqual([text!.layers, text!.width, vision!.blocks, vision!.width], [3, 48, 4, 32]);
  assert.deepEqual([dtypes, problems], [{ bfloat16: 92 }, []]);
  // The index has the bytes of all weights, two for each number.
  const index = JSON.parse(Deno.readTextFileSync(join(MODEL, "model.safetensors.index.json")));
  const { total } = details.parameters as Record<string, number>;
  assert.equal(2 * total!, index.metadata.total_size);
  const { minPixels, maxPixels } = details.processor as Record<string, number>;
  assert.deepEqual([minPixels, maxPixels], [3136, 12544]);
  assert.match(String(details.digest), /^[0-9a-f]{64}$/);
  assert.deepEqual((details.shards as { bytes: number }[]).map(({ bytes }) => bytes), [
    146432,
    194944,
  ]);
});

Deno.test("model: files behind links count, statistics read values", async () => {
  const folder = temporaryFolder();
  for (const { name } of Deno.readDirSync(MODEL)) {
    Deno.symlinkSync(join(MODEL, name), join(folder, name));
  }
  const { bytes, tensors } = await inspect(folder, { stats: true });
  assert.equal(bytes, (await inspect(MODEL)).bytes);
  assert(tensors.every(({ statistics }) => statistics!.nan === 0));
});

Deno.test("model: what is missing, extra, mis-shaped or cut short is named, the rest is shown", async () => {
  const changed = copyOf("model");
  const cases: [change: () => void, problem: RegExp][] = [
    [() => Deno.removeSync(join(changed, "tokenizer.json")), /^tokenizer\.json is missing$/m],
    [
      () => Deno.removeSync(join(changed, "preprocessor_config.json")),
      /^preprocessor_config\.json is missing$/m,
    ],
    [
      () => Deno.removeSync(join(changed, "model.safetensors.index.json")),
      /should hold model\.safetensors\.index\.json/,
    ],
  ];
  for (const [change, problem] of cases) {
    change();
    assert.match(await problemsOf(changed), problem);
  }
  const { tensors, details } = await inspect(changed);
  assert.deepEqual([tensors.length, details.digest], [92, "none: not whole"]);

  const shaped = copyOf("model");
  changeTensors(join(shaped, SECOND), (stored) => {
    const [name] = [...stored.keys()].filter((key) => key.endsWith("norm1.weight"));
    stored.set(name!, { dtype: "float32", shape: [7], data: new Float32Array(7) });
  });
  assert.match(await problemsOf(shaped), /norm1\.weight is \(7,\) instead of \(32,\)/);

  const cut = copyOf("model");
  Deno.truncateSync(join(cut, SECOND), 1000);
  assert.match(await problemsOf(cut), new RegExp(SECOND));
  assert((await inspect(cut)).tensors.length > 0);

  const other = copyOf("model");
  changeTensors(join(other, SECOND), (stored) => {
    const [name] = stored.keys();
    stored.set("extra.weight", { dtype: "float32", shape: [1], data: new Float32Array(1) });
    stored.delete(name!);
  });
  assert.match(await problemsOf(other), /lacks .* has extra\.weight besides/);

  const config = copyOf("model");
  Deno.writeTextFileSync(join(config, "config.json"), '{"model_type": "llama"}');
  assert.match(await problemsOf(config), /config\.json/);
});

Deno.test("model: a processor for other patches is a problem", async () => {
  const folder = copyOf("model"), path = join(folder, "preprocessor_config.json");
  Deno.writeTextFileSync(
    path,
    Deno.readTextFileSync(path).replace('"patch_size":14', '"patch_size":16'),
  );
  assert.match(await problemsOf(folder), /patchSize should be 14/);
});

Deno.test("adapter: rank, alpha, dropout, targets, base model and counts", async () => {
  const { kind, tensors, details } = await inspect(ADAPTER);
  assert.deepEqual([kind, tensors.length], ["adapter", 24]);
  const count = tensors.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  assert.deepEqual(details, {
    rank: 2,
    alpha: 4,
    dropout: 0,
    targets: ["k_proj", "o_proj", "q_proj", "v_proj"],
    baseModel: "random",
    tensors: 24,
    parameters: count,
    dtypes: { float32: 24 },
    problems: [],
  });
});

Deno.test("adapter: A without B, another rank, foreign names and unknown settings are named", async () => {
  const weights = "adapter_model.safetensors";
  const damaged = copyOf("lora/attn");
  changeTensors(join(damaged, weights), (stored) => {
    stored.delete(`${PREFIX}B.weight`);
    const foreign = { dtype: "float32", shape: [1], data: new Float32Array(1) } as const;
    stored.set("norm.weight", foreign);
    const wide = { dtype: "float32", shape: [3, 48], data: new Float32Array(144) } as const;
    stored.set(`${PREFIX.replace("layers.0", "layers.1")}A.weight`, wide);
  });
  const found = await problemsOf(damaged);
  assert(found.includes(`${PREFIX}B.weight is missing`), found);
  assert.match(found, /layers\.1\.self_attn\.q_proj\.lora_A\.weight has rank 3 instead of 2/);
  assert.match(found, /^norm\.weight is no matrix of an adapter$/m);

  const settings = copyOf("lora/attn"), path = join(settings, "adapter_config.json");
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, text.replace('"use_dora":false', '"use_dora":true'));
  assert.match(await problemsOf(settings), /use_dora should be false/);
  Deno.writeTextFileSync(path, text.replace('"k_proj",', ""));
  assert.match(await problemsOf(settings), /k_proj\.lora_A\.weight is of none of its targets/);
  Deno.writeTextFileSync(path, text.replace('"k_proj"', '"k_proj","up_proj"'));
  assert.match(await problemsOf(settings), /no matrix is of its target up_proj/);
  Deno.writeTextFileSync(path, text);
  assert.equal(await problemsOf(settings), "");
  Deno.truncateSync(join(settings, weights), 500);
  assert.match(await problemsOf(settings), /adapter_model\.safetensors/);
  Deno.removeSync(join(settings, weights));
  assert.equal(await problemsOf(settings), "adapter_model.safetensors is missing");
});

Deno.test("checkModelFiles: compares an adapter with its model, and finds NaN if values are read", async () => {
  for (const name of ["attn", "attn_batch", "seven_everywhere"]) {
    const check = await checkModelFiles(join(FIXTURES, "lora", name), { model: MODEL });
    assert.deepEqual(check!.problems, [], name);
  }
  const other = await checkModelFiles(ADAPTER, { model: join(FIXTURES, "3b") });
  assert(!other!.ok);
  assert.match(other!.problems[0]!, /k_proj\.lora_A\.weight is \(2, 48\) instead of \(2, 2048\)/);
  assert.match(other!.problems.at(-1)!, /layers\.9\..* of the model is missing/);

  const damaged = copyOf("lora/attn");
  changeTensors(join(damaged, "adapter_model.safetensors"), (stored) => {
    const { shape } = stored.get(`${PREFIX}A.weight`)!;
    const data = new Float32Array(96).fill(NaN, 3, 4);
    stored.set(`${PREFIX}A.weight`, { dtype: "float32", shape, data });
  });
  assert((await checkModelFiles(damaged))!.ok);
  const { ok, nonFinite } = (await checkModelFiles(damaged, { stats: true }))!;
  assert.deepEqual([ok, nonFinite], [false, [`${PREFIX}A.weight`]]);
});

Deno.test("checkModelFiles: files with changed bytes are fine, or have problems, and never crash it", async () => {
  const random = seeded(7);
  const whole = { model: copyOf("model"), adapter: copyOf("lora/attn") };
  const files: [folder: string, name: string, most: number][] = [
    [whole.model, "config.json", Infinity],
    [whole.model, "preprocessor_config.json", Infinity],
    [whole.model, "model.safetensors.index.json", Infinity],
    [whole.model, SECOND, 2000],
    [whole.adapter, "adapter_config.json", Infinity],
    [whole.adapter, "adapter_model.safetensors", 2000],
  ];
  let wrong = 0;
  for (const [folder, name, most] of files) {
    const path = join(folder, name), bytes = Deno.readFileSync(path);
    for (let k = 0; k < 40; k++) {
      const changed = bytes.slice();
      changed[random.below(Math.min(most, bytes.length))] = random.below(256);
      rewriteFile(path, changed);
      if (!(await checkModelFiles(folder))!.ok) wrong++;
    }
    rewriteFile(path, bytes);
    assert((await checkModelFiles(folder))!.ok);
  }
  assert(wrong > 60, `${wrong} of ${40 * files.length}`);
});
