import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { startEngine } from "../../lib/engine/mod.ts";
import { buildFeatures, FeatureStore, planFeatures } from "../../lib/features/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { copyModel, editJson, MODEL } from "../vision_language/_folder.ts";
import { ENGINE, pictureEpisode, tinyFeatures } from "./_qwen.ts";

await startEngine({ engine: ENGINE, quiet: true });
// What is remembered of models goes where it is removed again.
Deno.env.set("TROCAR_CACHE", temporaryFolder());

Deno.test("a model's folder that is not whole is refused, naming the file", async () => {
  const without = (name: string) => {
    const folder = copyModel();
    Deno.removeSync(join(folder, name));
    return folder;
  };
  const cut = copyModel(), shard = join(cut, "model-00001-of-00002.safetensors");
  Deno.writeFileSync(shard, Deno.readFileSync(shard).subarray(0, 100_000));
  const cases: [string, RegExp][] = [
    ["/nowhere", /\/nowhere: it should be a folder with config\.json/],
    [join(MODEL, "config.json"), /current value is a file/],
    [without("config.json"), /should hold config\.json/],
    [without("model-00002-of-00002.safetensors"), /should hold model-00002-of-00002\.safetensors/],
    [without("model.safetensors.index.json"), /should hold model\.safetensors/],
    [without("tokenizer.json"), /should hold tokenizer\.json/],
    [without("preprocessor_config.json"), /should hold preprocessor_config\.json/],
    [cut, /model-00001-of-00002\.safetensors/],
  ];
  for (const [model, message] of cases) await assert.rejects(tinyFeatures({ model }), message);
});

Deno.test("what is wrong with a model's small files is told before its weights are digested", async () => {
  const changed = (change: (folder: string) => void) => {
    const folder = copyModel();
    change(folder);
    return folder;
  };
  const cases: [string, RegExp][] = [
    [changed((folder) => Deno.removeSync(join(folder, "tokenizer.json"))), /tokenizer\.json/],
    [
      changed((folder) => Deno.removeSync(join(folder, "preprocessor_config.json"))),
      /preprocessor_config\.json/,
    ],
    [
      changed((folder) =>
        editJson(folder, "preprocessor_config.json", (value) => ({ ...value, patch_size: 16 }))
      ),
      /patchSize should be 14/,
    ],
    [
      changed((folder) => {
        // A vocabulary of other ids; the special tokens are the same.
        editJson(folder, "tokenizer.json", (value) => {
          const { model } = value as { model: { vocab: Record<string, number> } };
          for (const token of Object.keys(model.vocab).slice(0, 300)) model.vocab[token]! += 9000;
        });
      }),
      /token ids of tokenizer\.json should be below 320.*9\d\d\d/,
    ],
    [
      changed((folder) =>
        editJson(folder, "preprocessor_config.json", (value) => ({
          ...value,
          min_pixels: 1e15,
          max_pixels: 1e16,
        }))
      ),
      /at most the second and 16777216, current value is 1000000000000000/,
    ],
    [
      changed((folder) =>
        editJson(folder, "config.json", (value) => ({ ...value, image_token_id: 7 }))
      ),
      /image_pad.* should be 7/,
    ],
  ];
  for (const [model, message] of cases) {
    const told: string[] = [];
    const onProgress = (line: string) => void told.push(line);
    await assert.rejects(tinyFeatures({ model, onProgress }), message);
    assert.deepEqual(told, []);
  }
});

Deno.test("images that no model can see fail their own features, and their files are named", async () => {
  const path = temporaryFolder(), folder = temporaryFolder();
  const episode = await pictureEpisode({ path, steps: 8 });
  const write = async (step: number, width: number, height: number) => {
    const create = { width, height, channels: 3, background: "red" } as const;
    Deno.writeFileSync(`${path}/View1_${step}.jpg`, await sharp({ create }).jpeg().toBuffer());
  };
  await write(1, 1, 1);
  await write(2, 4000, 10);
  await write(3, 2000, 10);
  const whole = Deno.readFileSync(`${path}/View1_4.jpg`);
  Deno.writeFileSync(`${path}/View1_4.jpg`, whole.subarray(0, whole.length / 2));
  Deno.writeFileSync(`${path}/View1_5.jpg`, new Uint8Array());
  Deno.removeSync(`${path}/View1_6.jpg`);
  Deno.mkdirSync(`${path}/View1_6.jpg`);
  using extractor = await tinyFeatures();
  const plan = await planFeatures([episode], extractor, folder);
  using store = await FeatureStore.openForWriting(folder);
  const { built, failures } = await buildFeatures(plan, store);
  assert.equal(built, 4);
  const told = new Map(failures.map(({ step, message }) => [step, message]));
  assert.deepEqual([...told.keys()].sort(), [2, 4, 5, 6]);
  assert.match(told.get(2)!, /Cannot resize .*View1_2\.jpg: a side should be at most 200 times/);
  assert.match(told.get(4)!, /Cannot decode .*View1_4\.jpg/);
  assert.match(told.get(5)!, /Cannot decode .*View1_5\.jpg/);
  assert.match(told.get(6)!, /View1_6\.jpg: it should be a file, current value is a folder/);
});

Deno.test("weights that are no numbers give no features", async () => {
  const model = copyModel(), shard = join(model, "model-00002-of-00002.safetensors");
  const bytes = Deno.readFileSync(shard);
  bytes.fill(0xff, bytes.length - 4000);
  Deno.writeFileSync(shard, bytes);
  const folder = temporaryFolder(), path = temporaryFolder();
  using extractor = await tinyFeatures({ model });
  const plan = await planFeatures([await pictureEpisode({ path, steps: 3 })], extractor, folder);
  using store = await FeatureStore.openForWriting(folder);
  const { built, failures } = await buildFeatures(plan, store);
  assert.equal(built, 0);
  assert.match(failures[0]!.message, /should be finite in float16, current value is NaN/);
});
