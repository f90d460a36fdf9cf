/** `.pt` files that hold a whole model with what trocar trained of it, and the way back. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkCheckpoint, openCheckpoint, writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { VISUAL_MEMBER } from "../../lib/checkpoints/document.ts";
import { CHECKPOINT_CONVERSIONS, MODEL_CONVERSIONS } from "../../lib/checkpoints/convert/mod.ts";
import { type ConvertOptions, matchingConversions } from "../../lib/episodes/convert/conversion.ts";
import { toFloat32 } from "../../lib/formats/bfloat16.ts";
import { openTorchCheckpoint } from "../../lib/formats/mod.ts";
import type { TensorArray } from "../../lib/formats/tensor_types.ts";
import { policyShapes, preset } from "../../lib/policies/mod.ts";
import {
  fullTensors,
  loraTensors,
  openModelFolder,
  readModelConfig,
} from "../../lib/vision_language/mod.ts";
import { parameterGroups, visualGroups } from "../../lib/training/groups.ts";
import { temporaryFolder } from "../_temporary.ts";
import { convert as convertPolicy, digestOf } from "./_convert.ts";

const FIXTURES = fileURLToPath(new URL("../../data-fixtures/vision_language", import.meta.url));
const MODEL = join(FIXTURES, "model"), ADAPTER = join(FIXTURES, "lora/attn");
const FULL = join(FIXTURES, "stage2/full.pt");
const TABLE = [...CHECKPOINT_CONVERSIONS, ...MODEL_CONVERSIONS];
const MODEL_CONFIG = readModelConfig(join(MODEL, "config.json"));
const LORA = { rank: 2, alpha: 4, dropout: 0, targets: ["q_proj", "v_proj"] };

async function convert(input: string, output: string, options: ConvertOptions = {}) {
  const request = { input, output, ...options };
  const rows = matchingConversions(TABLE, request);
  assert.equal(rows.length, 1, `${input} to ${output}: ${rows.map(({ to }) => to)}`);
  return await rows[0]!.run(request);
}

const place = (name: string) => join(temporaryFolder(), name);

/** Digest of the tiny model, as conversions record it. */
const base = await (async () => {
  const output = place("known");
  await convert(FULL, output, { model: MODEL });
  using checkpoint = openCheckpoint(output);
  return (checkpoint.document!.extra[VISUAL_MEMBER] as { base: { model: string; digest: string } })
    .base;
})();

type Trained = { readonly finetune: "lora" } | {
  readonly finetune: "full";
  readonly unfreezeLastN: number;
};

/** A checkpoint as a second stage saves it, with moments and averages, every number another. */
async function secondStage(path: string, trained: Trained, isAsBase = false) {
  const config = preset("tiny", { architecture: "reference", family: "diffusion", fusion: "none" });
  let next = 0;
  const filled = (shape: readonly number[]): TensorArray => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return { dtype: "float32", shape, data: data.map(() => Math.fround(++next / 2 ** 20)) };
  };
  const specs = trained.finetune === "lora"
    ? loraTensors(MODEL_CONFIG, LORA)
    : fullTensors(MODEL_CONFIG, trained.unfreezeLastN);
  using folder = openModelFolder(MODEL);
  const tensors = new Map(policyShapes(config).map(({ key, shape }) => [key, filled(shape)]));
  const others = new Map(specs.map(({ key, stored, shape }): [string, TensorArray] => {
    const data = isAsBase
      ? toFloat32(folder.tensors.get(key.replace("vl_model.", ""))!.read())
      : filled(shape).data;
    return [stored, { dtype: "float32", shape, data } as TensorArray];
  }));
  const names = new Map(specs.map(({ key, stored }) => [key, stored]));
  const groups = [...parameterGroups(config), ...visualGroups(specs)].map((
    { name, keys, ...more },
  ) => ({
    ...{ name, keys: keys.map((key) => names.get(key) ?? key) },
    settings: {
      lr: more.learningRate,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weight_decay: more.weightDecay,
    },
  }));
  const state = new Map<string, TensorArray>();
  for (const key of groups.flatMap(({ keys }) => keys)) {
    const { shape } = (tensors.get(key) ?? others.get(key))!;
    state.set(`step.${key}`, { dtype: "float32", shape: [], data: Float32Array.of(7) });
    for (const part of ["exp_avg", "exp_avg_sq", "ema"]) state.set(`${part}.${key}`, filled(shape));
  }
  const isOwn = ([name]: [string, TensorArray]) => !name.includes("vl_model.");
  const description = trained.finetune === "lora" ? { ...trained, lora: LORA } : trained;
  await writeCheckpoint(path, {
    contents: {
      ...{ config, epoch: 1, trainingStage: "stage2", optimizer: { type: "AdamW", groups } },
      extra: { [VISUAL_MEMBER]: { base, ...description } },
    },
    tensors,
    training: new Map([...state].filter(isOwn)),
    others: { tensors: others, training: new Map([...state].filter((each) => !isOwn(each))) },
  });
}

/** Digests of all that a checkpoint holds, by name. */
function contentOf(path: string): Map<string, string> {
  using checkpoint = openCheckpoint(path);
  const { tensors, training } = checkpoint.others() ?? { tensors: [], training: [] };
  const all = [...checkpoint.tensors, ...checkpoint.training() ?? [], ...tensors, ...training];
  return new Map(all.map(([key, tensor]) => [key, digestOf(tensor)] as const).sort());
}

for (
  const trained of [
    { finetune: "full", unfreezeLastN: 0 },
    { finetune: "full", unfreezeLastN: 2 },
    { finetune: "lora" },
  ] as const
) {
  const { finetune } = trained, last = "unfreezeLastN" in trained ? trained.unfreezeLastN : "";
  Deno.test(`what was trained (${finetune} ${last}) comes back out of a .pt file of the whole model, each moment and average by its name`, async () => {
    const folder = place("trained"), file = place("whole.pt"), back = place("back");
    await secondStage(folder, trained);
    await convert(folder, file, { model: MODEL });
    await convert(file, back, { model: MODEL });
    assert.deepEqual(contentOf(back), contentOf(folder));
    using checkpoint = openCheckpoint(back);
    using before = openCheckpoint(folder);
    const { extra, optimizer } = checkpoint.document!;
    assert.deepEqual(extra[VISUAL_MEMBER], before.document!.extra[VISUAL_MEMBER]);
    const sorted = (record: unknown) =>
      (record as { groups: { keys: string[] }[] }).groups.map(({ keys }) => [...keys].sort());
    assert.deepEqual(sorted(optimizer), sorted(before.document!.optimizer));
  });
}

Deno.test("PyTorch counts a tied output layer with the embedding: it is in the state, and in no group", async () => {
  const folder = place("trained"), file = place("whole.pt");
  await secondStage(folder, { finetune: "full", unfreezeLastN: 0 });
  await convert(folder, file, { model: MODEL });
  using opened = openTorchCheckpoint(file);
  const top = opened.value as Map<string, Map<string, unknown>>;
  const state = top.get("model_state_dict") as Map<string, never>;
  const [head, embedding] = ["lm_head", "model.language_model.embed_tokens"].map((name) =>
    digestOf(state.get(`vl_model.${name}.weight`)!)
  );
  assert.equal(head, embedding);
  const groups = top.get("optimizer_state_dict")!.get("param_groups") as Map<string, unknown[]>[];
  const numbers = groups.flatMap((group) => group.get("params")!);
  assert.equal(numbers.length, state.size - 1 - frozenOf(state));
});

/** Tensors of the policy that no optimiser trains. */
function frozenOf(state: ReadonlyMap<string, unknown>): number {
  const config = preset("tiny", { architecture: "reference", family: "diffusion", fusion: "none" });
  const trained = new Set(parameterGroups(config).flatMap(({ keys }) => keys));
  return [...state.keys()].filter((key) => !key.startsWith("vl_model.") && !trained.has(key))
    .length;
}

Deno.test("without --model the adapter is found in a .pt file of the whole model, and a full training asks for --model", async () => {
  const lora = place("lora"), file = place("lora.pt"), back = place("back"), adapter = place("a");
  await secondStage(lora, { finetune: "lora" });
  await convert(lora, file, { model: MODEL });
  const { remarks } = await convert(file, back);
  assert.match(remarks.join("\n"), /12 matrices of the adapter are kept; .*--model DIR/);
  assert.doesNotMatch(remarks.join("\n"), /kept as they are/);
  assert.deepEqual(contentOf(back), contentOf(lora));
  assert.equal((await checkCheckpoint(back)).ok, true);
  await convert(file, adapter, { to: "peft" });
  const again = place("again");
  await convert(lora, again, { to: "peft" });
  const weights = (path: string) => Deno.readFileSync(join(path, "adapter_model.safetensors"));
  assert.deepEqual(weights(adapter), weights(again));
  for (const unfreezeLastN of [0, 2]) {
    const full = place("full"), whole = place("full.pt"), output = place("out");
    await secondStage(full, { finetune: "full", unfreezeLastN });
    await convert(full, whole, { model: MODEL });
    await assert.rejects(
      convert(whole, output),
      /holds \d+ frozen tensors?, too: .*Name with --model the folder of the model [0-9a-f]{12}/,
    );
    assert.throws(() => Deno.statSync(output), Deno.errors.NotFound);
    const trained = place("trained.pt"); // without the frozen rest
    await convert(full, trained);
    await convert(trained, output);
    assert.deepEqual(contentOf(output), contentOf(full));
  }
});

Deno.test("a model that its training left as it was is kept all the same where the checkpoint says that it was trained", async () => {
  const folder = place("trained"), file = place("whole.pt"), back = place("back");
  await secondStage(folder, { finetune: "full", unfreezeLastN: 1 }, true);
  await convert(folder, file, { model: MODEL });
  await convert(file, back, { model: MODEL });
  assert.deepEqual(contentOf(back), contentOf(folder));
  const { ok, visualLanguage } = await checkCheckpoint(back);
  assert.equal(ok, true);
  assert.match(visualLanguage!, /^full, last /);
});

Deno.test("--weights-only keeps the running averages, which predict, of folders and of .pt files", async () => {
  const folder = place("trained"), file = place("with.pt");
  await secondStage(folder, { finetune: "lora" });
  const isWeight = ([name]: [string, string]) => !/^(step|exp_avg|exp_avg_sq)(\.|$)/.test(name);
  const weights = new Map([...contentOf(folder)].filter(isWeight));
  assert(
    [...weights.keys()].some((name) => name.startsWith("ema.action_expert.")),
    "of the policy",
  );
  assert([...weights.keys()].some((name) => name.startsWith("ema.vl_model.")), "of the model");
  await convert(folder, file);
  const outputs: string[] = [];
  for (const input of [folder, file]) {
    const output = place("light");
    const { remarks } = await convert(input, output, { weightsOnly: true });
    assert.match(remarks.join("\n"), /the state of the optimiser is left out/);
    assert.deepEqual(contentOf(output), weights);
    assert.equal((await checkCheckpoint(output)).ok, true);
    outputs.push(output);
  }
  const again = place("again"), light = place("light.pt"), back = place("back");
  const { remarks } = await convert(outputs[0]!, again, { weightsOnly: true });
  assert.doesNotMatch(remarks.join("\n"), /left out/);
  await convert(folder, light, { weightsOnly: true });
  await convert(light, back);
  assert.deepEqual(contentOf(back), weights);
});

Deno.test("damaged running averages are not taken with --weights-only", async () => {
  const folder = place("trained"), output = place("light");
  await secondStage(folder, { finetune: "lora" });
  const path = join(folder, "training.safetensors"), bytes = Deno.readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  Deno.writeFileSync(path, bytes);
  await assert.rejects(convert(folder, output, { weightsOnly: true }), /training\.safetensors/);
});

/** A copy of the tiny model, and a link to it. */
function linkedModel() {
  const parent = temporaryFolder(), model = join(parent, "b1"), link = join(parent, "b1link");
  Deno.mkdirSync(model);
  for (const { name } of Deno.readDirSync(MODEL)) {
    Deno.copyFileSync(join(MODEL, name), join(model, name));
  }
  Deno.symlinkSync(model, link);
  return { parent, model, link };
}

Deno.test("no model is overwritten that is read by another path: links count as what they lead to", async () => {
  const { parent, model, link } = linkedModel();
  const names = () =>
    [...Deno.readDirSync(model)].map(({ name }) => [
      name,
      Deno.statSync(join(model, name)).ino,
    ]).sort();
  const before = names(), request = { to: "model", overwrite: true };
  await assert.rejects(convert(ADAPTER, model, { ...request, model: link }), /is or holds/);
  await assert.rejects(convert(ADAPTER, link, { ...request, model }), /is or holds/);
  const above = join(parent, "above");
  Deno.symlinkSync(parent, above);
  await assert.rejects(
    convert(ADAPTER, join(above, "b1"), { ...request, model: link }),
    /is or holds/,
  );
  assert.deepEqual(names(), before);
  await convert(ADAPTER, join(above, "new", "merged"), { to: "model", model: link });
  assert(Deno.statSync(join(parent, "new", "merged")).isDirectory, "elsewhere is well");
});

Deno.test("no checkpoint is replaced that is read by another path, nor written into by a link", async () => {
  const parent = temporaryFolder(), folder = join(parent, "a"), link = join(parent, "link");
  await secondStage(folder, { finetune: "lora" });
  Deno.symlinkSync(folder, link);
  const options = { weightsOnly: true, overwrite: true };
  const before = contentOf(folder);
  await assert.rejects(convert(link, folder, options), /should not be INPUT or hold it/);
  await assert.rejects(convert(folder, link, options), /should not be INPUT or hold it/);
  await assert.rejects(convert(folder, join(link, "new.pt")), /within the checkpoint/);
  assert.deepEqual(contentOf(folder), before);
  const file = join(parent, "a.pt"), other = join(parent, "b.pt");
  await convertPolicy(folder, file);
  Deno.symlinkSync(file, other);
  const { ino } = Deno.statSync(file);
  await assert.rejects(convert(other, file, options), /OUTPUT/);
  assert.equal(Deno.statSync(file).ino, ino);
});
