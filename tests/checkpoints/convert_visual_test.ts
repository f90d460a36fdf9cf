/** Visual-language models of second stages: from and to peft, the published layout and `.pt` files. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { CHECKPOINT_CONVERSIONS, MODEL_CONVERSIONS } from "../../lib/checkpoints/convert/mod.ts";
import { checkCheckpoint, openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { type ConvertOptions, matchingConversions } from "../../lib/episodes/convert/conversion.ts";
import {
  narrowToBfloat16,
  openSafetensors,
  openTorchCheckpoint,
  type TensorInput,
  writeSafetensors,
} from "../../lib/formats/mod.ts";
import {
  openModelFolder,
  publishedName,
  readAdapter,
  readModelConfig,
} from "../../lib/vision_language/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { digestOf } from "./_convert.ts";

const FIXTURES = fileURLToPath(new URL("../../data-fixtures/vision_language", import.meta.url));
const MODEL = join(FIXTURES, "model"), ADAPTER = join(FIXTURES, "lora/attn");
const LORA = join(FIXTURES, "stage2/lora.pt"), FULL = join(FIXTURES, "stage2/full.pt");
const TABLE = [...CHECKPOINT_CONVERSIONS, ...MODEL_CONVERSIONS];
const config = readModelConfig(join(MODEL, "config.json"));
const expected = readAll(join(FIXTURES, "stage2/expected.safetensors"));

function readAll(path: string) {
  using file = openSafetensors(path);
  return new Map(file.names.map((name) => [name, file.read(name)]));
}

async function convert(input: string, output: string, options: ConvertOptions = {}) {
  const request = { input, output, ...options };
  const rows = matchingConversions(TABLE, request);
  assert.equal(rows.length, 1, `${input} to ${output}: ${rows.map(({ to }) => to)}`);
  return await rows[0]!.run(request);
}

const place = (name: string) => join(temporaryFolder(), name);

/** A copy of the model in which one number is another. */
function otherModel(): string {
  const folder = place("other");
  Deno.mkdirSync(folder);
  for (const { name } of Deno.readDirSync(MODEL)) {
    Deno.copyFileSync(join(MODEL, name), join(folder, name));
  }
  const path = join(folder, "model-00002-of-00002.safetensors");
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length - 2]! ^= 1;
  Deno.writeFileSync(path, bytes);
  return folder;
}

Deno.test("a reference's checkpoint with an adapter becomes a second stage's: trained tensors, base by digest", async () => {
  const output = place("lora");
  const { remarks } = await convert(LORA, output, { model: MODEL });
  assert(
    remarks.some((text) => /alpha 32, the Python reference's, is assumed/.test(text)),
    "alpha",
  );
  using checkpoint = openCheckpoint(output);
  const { extra, features, trainingStage } = checkpoint.document!;
  const { base, ...said } = extra.visionLanguage as { base: { digest: string } };
  assert.match(base.digest, /^[0-9a-f]{64}$/);
  const targets = ["k_proj", "o_proj", "q_proj", "v_proj"];
  assert.deepEqual(said, {
    finetune: "lora",
    lora: { rank: 2, alpha: 32, dropout: 0.05, targets },
  });
  assert.equal(trainingStage, "stage2");
  assert.equal((features as { identity: { revision: string } }).identity.revision, base.digest);
  const { tensors, training } = checkpoint.others()!;
  assert.equal(tensors.size, 24);
  for (const [key, tensor] of tensors) {
    assert.equal(digestOf(tensor), digestOf(expected.get(key)!), key);
    const moment = `exp_avg.${key}`;
    assert.equal(digestOf(training.get(moment)!), digestOf(expected.get(moment)!), moment);
  }
});

Deno.test("what was unfrozen is found by comparison with the base, and kept as float32", async () => {
  const output = place("full");
  await convert(FULL, output, { model: MODEL });
  using checkpoint = openCheckpoint(output);
  const { finetune, unfreezeLastN } = checkpoint.document!.extra.visionLanguage as Record<
    string,
    unknown
  >;
  assert.deepEqual([finetune, unfreezeLastN], ["full", 1]);
  const { tensors, training } = checkpoint.others()!;
  assert.equal(tensors.size, 12);
  for (const [key, tensor] of tensors) {
    assert.equal(tensor.dtype, "float32");
    const narrow = narrowToBfloat16(tensor.read().data as Float32Array<ArrayBuffer>);
    assert.deepEqual(narrow, expected.get(key)!.data, key);
    assert(training.has(`exp_avg.${key}`), key);
  }
});

Deno.test("folder and .pt again with the base: the state and AdamW's numbers of the reference", async () => {
  for (const [source, name] of [[LORA, "lora"], [FULL, "full"]] as const) {
    const folder = place(name), back = place(`${name}.pt`);
    await convert(source, folder, { model: MODEL });
    await convert(folder, back, { model: MODEL });
    using before = openTorchCheckpoint(source);
    using after = openTorchCheckpoint(back);
    const [first, second] = [before, after].map((file) => file.value as Map<string, unknown>);
    const states = [first!, second!].map((top) =>
      top.get("model_state_dict") as Map<string, never>
    );
    const model = states.map((state) => [...state.keys()].filter((key) => key.startsWith("vl_")));
    assert.deepEqual(model[1], model[0], "the order of PyTorch's parameters");
    for (const [key, tensor] of states[0]!) {
      if (name === "full" && key.includes("layers.2.")) continue; // widened to float32
      assert.equal(digestOf(states[1]!.get(key)!), digestOf(tensor), key);
    }
    const steps = [first!, second!].map((top) => {
      const optimizer = top.get("optimizer_state_dict") as Map<
        string,
        Map<number, Map<string, never>>
      >;
      return [...optimizer.get("state")!].map(([number, state]) =>
        [number, digestOf(state.get("exp_avg")!)] as const
      );
    });
    assert.deepEqual(steps[1], steps[0]);
  }
});

Deno.test("without the base all is kept, and the hint says what --model does", async () => {
  const output = place("plain");
  const { remarks } = await convert(LORA, output);
  assert(remarks.some((text) => /With --model DIR/.test(text)), remarks.join("\n"));
  using checkpoint = openCheckpoint(output);
  assert.equal(checkpoint.others()!.tensors.size, 117);
  await assert.rejects(convert(output, place("adapter"), { to: "peft" }), /--model the model/);
});

Deno.test("the adapter of a checkpoint is the one that peft saved, to the bit", async () => {
  const folder = place("stage2"), first = place("first"), second = place("second");
  await convert(LORA, folder, { model: MODEL, loraAlpha: 4 });
  await convert(folder, first, { to: "peft" });
  await convert(LORA, second, { to: "peft", model: MODEL, loraAlpha: 4 });
  const { lora, tensors } = readAdapter(ADAPTER, config);
  for (const made of [first, second]) {
    const again = readAdapter(made, config);
    assert.deepEqual(again.tensors, tensors);
    assert.deepEqual({ ...again.lora, dropout: 0 }, lora);
  }
  await assert.rejects(convert(FULL, place("x"), { to: "peft", model: MODEL }), /--to model/);
});

Deno.test("merged models are those of peft's merge_and_unload in bfloat16, to the bit", async () => {
  const folder = place("stage2");
  await convert(LORA, folder, { model: MODEL, loraAlpha: 4 });
  for (const input of [ADAPTER, folder, LORA]) {
    const output = place("merged");
    const { remarks } = await convert(input, output, { to: "model", model: MODEL, loraAlpha: 4 });
    assert(
      remarks.some((text) => /rounded to bfloat16.* moved them by 0\.51 %/.test(text)),
      "said",
    );
    using base = openModelFolder(MODEL);
    using merged = openModelFolder(output);
    const matrices = new Map<string, TensorInput>(
      [...expected].filter(([name]) => name.startsWith("merged."))
        .map(([name, tensor]) => [publishedName(name.slice("merged.".length)), tensor]),
    );
    assert.equal(matrices.size, 12);
    for (const [name, tensor] of merged.tensors) {
      const right = matrices.get(name) ?? base.tensors.get(name)!;
      assert.equal(digestOf(tensor), digestOf(right), name);
    }
    const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    assert.deepEqual(names(output), names(MODEL));
  }
});

Deno.test("a fully trained model is the base with the tensors of the checkpoint", async () => {
  const output = place("model");
  await convert(FULL, output, { to: "model", model: MODEL });
  using merged = openModelFolder(output);
  const key = "vl_model.model.language_model.layers.2.mlp.up_proj.weight";
  const made = merged.tensors.get("model.layers.2.mlp.up_proj.weight")!;
  assert.equal(digestOf(made), digestOf(expected.get(key)!));
});

Deno.test("another base is refused, whoever says so", async () => {
  const other = otherModel(), folder = place("stage2"), adapter = place("adapter");
  await assert.rejects(convert(LORA, place("a"), { model: other }), /differs in 1 of 93 tensors/);
  await convert(LORA, folder, { model: MODEL });
  await convert(folder, adapter, { to: "peft" });
  const asked = { to: "model", model: other };
  for (const input of [folder, adapter]) {
    await assert.rejects(
      convert(input, place("b"), asked),
      /it was trained with the model 3ad8653/,
    );
  }
  await assert.rejects(convert(folder, place("c.pt"), { model: other }), /Name the right one/);
  await assert.rejects(convert(folder, place("d"), { to: "model" }), /--model should name/);
});

Deno.test("what lies in OUTPUT is not lost, and a failure leaves nothing", async () => {
  const output = place("out"), request = { to: "model", model: MODEL };
  await convert(ADAPTER, output, request);
  await assert.rejects(convert(ADAPTER, output, request), Deno.errors.AlreadyExists);
  await convert(ADAPTER, output, { ...request, overwrite: true });
  Deno.writeTextFileSync(join(output, "notes.txt"), "mine");
  await assert.rejects(
    convert(ADAPTER, output, { ...request, overwrite: true }),
    /holds notes\.txt/,
  );
  const own = { ...request, model: output, overwrite: true };
  await assert.rejects(convert(ADAPTER, output, own), /is or holds/);
  const parent = temporaryFolder(), damaged = join(parent, "adapter");
  Deno.mkdirSync(damaged);
  Deno.copyFileSync(join(ADAPTER, "adapter_config.json"), join(damaged, "adapter_config.json"));
  writeSafetensors(join(damaged, "adapter_model.safetensors"), {});
  await assert.rejects(convert(damaged, join(parent, "merged"), request), /no matrices/);
  assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["adapter"]);
});

Deno.test("what was trained of the model, and the features, are in .pt and .safetensors files of ours, too", async () => {
  const folder = place("lora");
  await convert(LORA, folder, { model: MODEL });
  using ours = openCheckpoint(folder);
  const { features, extra } = ours.notes!;
  for (
    const [name, options] of [["a.pt", {}], ["b.pt", { model: MODEL }], [
      "c.safetensors",
      {},
    ]] as const
  ) {
    const path = place(name);
    await convert(folder, path, options);
    using checkpoint = openCheckpoint(path);
    assert.deepEqual(checkpoint.notes, {
      features,
      extra: { visionLanguage: extra.visionLanguage },
    });
    const { tensors } = checkpoint.others()!;
    for (const [key, tensor] of ours.others()!.tensors) {
      assert.equal(digestOf(tensors.get(key)!), digestOf(tensor), `${name}: ${key}`);
    }
    const { ok, visualLanguage } = await checkCheckpoint(path);
    assert(ok, name);
    const where = name === "b.pt" ? "which is in it" : "which is not in it";
    assert.match(
      visualLanguage!,
      new RegExp(`^lora, rank 2, alpha 32, 2,016 parameters, .* ${where}$`),
    );
  }
  using foreign = openCheckpoint(LORA);
  assert.equal(foreign.notes, null);
});
