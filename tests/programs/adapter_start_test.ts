/** Programs that take an adapter of peft: frozen on the model, or to be trained further. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { currentEngine, startEngine, tf } from "../../lib/engine/mod.ts";
import { createExtractor } from "../../lib/features/mod.ts";
import { QwenExtractor } from "../../lib/features/qwen_extractor.ts";
import { extractorOptions, namedAdapter } from "../../lib/programs/feature_flags.ts";
import type { TrainingValues } from "../../lib/programs/flags.ts";
import { tuningOf } from "../../lib/programs/visual_tuning.ts";
import { visualTraining } from "../../lib/programs/_visual_training.ts";
import { digestAdapter, readAdapter, writeAdapter } from "../../lib/vision_language/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { TINY_MODEL } from "../training/_small_run.ts";
import { run } from "./_command.ts";
import { ENGINE, smallData } from "./_small_data.ts";

const ADAPTER = join(TINY_MODEL, "../lora/attn");
const request = { views: [{ name: "View1", image: null }], instruction: "Insert the needle" };
const values = { model: TINY_MODEL, adapter: ADAPTER, views: ["View1"], maxPixels: 3136 };
const ownData = { ...values, data: ["episodes"] };

async function extractorOf(given: Parameters<typeof extractorOptions>[0]) {
  if (currentEngine() === undefined) {
    await startEngine({ engine: ENGINE[1] as "wasm", install: false, quiet: true });
  }
  return await createExtractor("qwen2.5-vl-3b", extractorOptions(given)) as QwenExtractor;
}

Deno.test("a frozen adapter changes the features, and is in their identity by what it computes", async () => {
  using adapted = await extractorOf(values);
  using plain = await extractorOf({ ...values, adapter: undefined });
  const adapter = namedAdapter(values)!, copy = temporaryFolder();
  assert.equal(adapted.identity.adapter, digestAdapter(adapter));
  assert.equal(plain.identity.adapter, null);
  writeAdapter(copy, { ...adapter, settings: {}, base: plain.identity.revision });
  using again = await extractorOf({ ...values, adapter: copy });
  assert.equal(again.identity.adapter, adapted.identity.adapter);
  const [a, b] = await Promise.all([adapted, plain].map((each) => each.extract([request])));
  assert.notDeepEqual(a![0]!.values, b![0]!.values);
});

Deno.test("stage 2 begins with the adapter's matrices: the first features are those of the frozen one", async () => {
  using adapted = await extractorOf(values);
  const tuning = tuningOf("lora", ownData as unknown as TrainingValues, [])!;
  assert.deepEqual([tuning.lora.rank, tuning.lora.alpha, tuning.recomputes], [2, 4, true]);
  const settings = { seed: 1 } as Parameters<typeof visualTraining>[0]["settings"];
  const visual = await visualTraining({ tuning, settings }, adapted, namedAdapter(values));
  using trained = visual!.model;
  const { tensors, layout } = (await trained.read([request], 1)).upload();
  const { tokens } = trained.encode(trained.parameters, { tensors, layout });
  const [frozen] = await adapted.extract([request]), begun = await tokens.data();
  const distance = Math.max(...frozen!.values.map((each, i) => Math.abs(each - begun[i]!)));
  assert.ok(distance < 5e-3, `${distance}: features are kept in float16`);
  tf.dispose(tensors);
});

Deno.test("flags that contradict the adapter are refused, the demonstration's tiny model learns faster, and the vision tower's layers are named", () => {
  const tune = (more: object, parts: "lora" | "full" = "lora", warnings: string[] = []) =>
    tuningOf(parts, { ...ownData, ...more } as unknown as TrainingValues, warnings);
  assert.throws(() => tune({ loraR: 8 }), /--lora-r with --adapter .* as the adapter has it, 2/);
  assert.throws(() => tune({ loraAlpha: 8 }), /as the adapter has it, 4/);
  assert.throws(() => tune({ loraTargets: ["q_proj"] }), /k_proj,o_proj,q_proj,v_proj/);
  assert.throws(() => tune({}, "full"), /Merge it first: deno task convert/);
  assert.throws(
    () => tune({}, "full"),
    /another model to a policy .* train stage 1 on MERGED, too/,
  );
  const same = { loraR: 2, loraTargets: ["v_proj", "q_proj", "k_proj", "o_proj"] };
  assert.equal(tune({ ...same, loraDropout: 0.1 })!.lora.dropout, 0.1);
  assert.deepEqual(
    [tune({}), tune({ data: [] }), tune({ data: [], vlLr: 1e-4 })].map((each) =>
      each!.textLearningRate
    ),
    [1e-5, 1e-3, 1e-4],
  );
  const warnings: string[] = [];
  tune({ adapter: join(ADAPTER, "../seven_everywhere") }, "lora", warnings);
  assert.match(warnings.join(), /The adapter's targets .*up_proj.* are layers of the vision tower/);
});

Deno.test("an adapter without a model, of another model, or none at all is refused", async () => {
  assert.throws(() => namedAdapter({ adapter: ADAPTER }), /--model DIR should name the model/);
  assert.throws(
    () => namedAdapter({ adapter: ADAPTER, randomWeights: "3b" }),
    /instead of \(2, 2048\)|of the model is missing/,
  );
  assert.throws(() => namedAdapter({ ...values, adapter: TINY_MODEL }), /adapter_config\.json/);
  const other = temporaryFolder();
  writeAdapter(other, { ...namedAdapter(values)!, base: "0".repeat(64) });
  await assert.rejects(extractorOf({ ...values, adapter: other }), /trained with the model 0000/);
});

Deno.test("train:stage2 --adapter: the plan says so, the run records it and trains it further", async () => {
  const { folder, flags } = await smallData();
  const second = join(folder, "second");
  const begin = [
    ...[...flags, "--features", "qwen2.5-vl-3b", "--model", TINY_MODEL, "--max-pixels", "3136"],
    ...["--views", "View1", "--batch-size", "16", "--epochs", "1", "--epoch-samples", "64"],
    ...["--allow-scratch-stage2", "--adapter", ADAPTER, "--vl-lr", "1e-3"],
  ];
  const plan = await run("train_stage2.ts", [...begin, "--dry-run"]);
  assert.match(plan.stderr + plan.stdout, /12 layers, 2,016 parameters.*beginning with .*attn/);
  const trained = await run("train_stage2.ts", [...begin, "--run", second]);
  assert.equal(trained.code, 0, trained.stderr);
  const { settings, notes } = JSON.parse(Deno.readTextFileSync(join(second, "config.json")));
  const before = namedAdapter(values)!;
  assert.equal(settings.features.identity.adapter, digestAdapter(before));
  assert.deepEqual(settings.visionLanguage.lora, before.lora);
  assert.equal(notes.flags.adapter, ADAPTER);
  const { config } = await extractorOf(values),
    after = readAdapter(join(second, "adapter"), config);
  const moved = Object.entries(after.tensors).map(([key, { data }]) =>
    Math.max(...data.map((value, i) => Math.abs(value - before.tensors[key]!.data[i]!)))
  );
  assert.ok(moved.every((each) => each < 0.1) && moved.some((each) => each > 0), `${moved}`);
});
