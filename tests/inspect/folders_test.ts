import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKPOINT_CONVERSIONS } from "../../lib/checkpoints/convert/mod.ts";
import { writePointer } from "../../lib/checkpoints/pointer.ts";
import { FeatureStore } from "../../lib/features/cache/store.ts";
import { sha256 } from "../../lib/features/cache/key.ts";
import { inspect } from "../../lib/inspect/mod.ts";
import { readRun } from "../../lib/runs/mod.ts";
import { makeRun } from "../runs/_runs.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const FIXTURES = new URL("../../data-fixtures/checkpoints/", import.meta.url).pathname;
/** Computed by PyTorch: the sizes of both modules' parameters. */
const PARAMETERS = { sensorEncoder: 1172, actionExpert: 1759, total: 2931 };

async function folderOf(name: string, folder: string): Promise<string> {
  const request = { input: `${FIXTURES}/${name}.pt`, output: folder };
  await CHECKPOINT_CONVERSIONS.find((row) => row.claims(request))!.run(request);
  return folder;
}

Deno.test("checkpoint: a policy's tensors, its parameters by part, and what is known of it", async () => {
  const folder = await folderOf("encoder_action_final", temporaryPath("epoch"));
  const { kind, keys, tensors, details, bytes } = await inspect(folder);
  assert.equal(kind, "checkpoint");
  assert.deepEqual(details.parameters, PARAMETERS);
  const { layout, architecture, family, fusion, configuration, epoch } = details;
  assert.deepEqual({ layout, architecture, family, fusion, configuration, epoch }, {
    layout: "folder",
    architecture: "reference",
    family: "regression",
    fusion: "cross_attention",
    configuration: "recorded",
    epoch: 100,
  });
  const sizes = [...Deno.readDirSync(folder)]
    .map(({ name }) => Deno.statSync(join(folder, name)).size);
  assert.equal(bytes, sizes.reduce((a, b) => a + b));
  for (
    const key of [
      "action_expert.pos_embed",
      "exp_avg.action_expert.pos_embed",
      "step.action_expert.pos_embed",
      "vl_model.model.norm.weight",
    ]
  ) assert.ok(keys.includes(key), key);
  assert.equal(tensors[0]!.statistics, undefined);
  const { tensors: [measured] } = await inspect(folder, { stats: true });
  assert.equal(measured!.statistics!.nan, 0);
});

Deno.test("pt and safetensors: layout, architecture and parameters where they hold a policy", async () => {
  const { details } = await inspect(`${FIXTURES}/encoder_action_final.pt`);
  assert.deepEqual(details.parameters, PARAMETERS);
  assert.deepEqual([details.layout, details.wrappers], ["model_state_dict", ["module."]]);
  assert.deepEqual(details.otherModels, [{ name: "vl_model", tensors: 2, bytes: 56 }]);
  assert.match(String(details.configuration), /none/);
  const path = temporaryPath("a.safetensors");
  await folderOf("diffusion_epoch3", path);
  const { details: file } = await inspect(path);
  assert.deepEqual([file.layout, file.family, file.fusion], ["safetensors", "diffusion", "concat"]);
});

Deno.test("run: metrics as columns, the split's sizes, checkpoints with their pointers", async () => {
  const run = temporaryFolder();
  await folderOf("qwen_vla_sensor_best", join(run, "epoch-0007"));
  await folderOf("diffusion_epoch3", join(run, "epoch-0003"));
  writePointer(run, "latest", "epoch-0007");
  writePointer(run, "best", "epoch-0007");
  Deno.writeTextFileSync(join(run, "config.json"), '{"preset": "tiny"}');
  Deno.writeTextFileSync(join(run, "split.json"), '{"seed": 7, "training": [{}, {}]}');
  const lines = [
    '{"global_step": 1, "train/loss": 2, "note": "a"}',
    '{"global_step": 2, "train/loss": 1}',
  ];
  Deno.writeTextFileSync(
    join(run, "metrics.jsonl"),
    `${lines.join("\n")}\n{"global_step": 3, "tra`,
  );
  const { kind, keys, tensors, details } = await inspect(run, { stats: true });
  assert.equal(kind, "run");
  assert.deepEqual(keys, ["global_step", "train/loss"]);
  assert.deepEqual([tensors[1]!.shape, tensors[1]!.statistics!.min], [[2], 1]);
  assert.equal(details.isFinished, false);
  assert.deepEqual(details.metrics, { lines: 2, hasTornLastLine: true });
  assert.deepEqual(details.split, { seed: 7, training: 2, validation: null });
  assert.deepEqual(details.config, { preset: "tiny" });
  const table = details.checkpoints as Record<string, unknown>[];
  assert.deepEqual(table.map(({ checkpoint, pointers, epoch }) => [checkpoint, pointers, epoch]), [
    ["epoch-0003", "", 3],
    ["epoch-0007", "latest, best", 7],
  ]);
});

Deno.test("run: says of it what the table of runs says", async () => {
  const path = makeRun(temporaryPath("run"), { rmse: 0.1, successRate: 0.5 });
  const { details, bytes } = await inspect(path);
  const facts = readRun(path);
  assert.equal(bytes, facts.bytes);
  for (const name of ["state", "program", "seed", "epochs", "ratio", "closedLoop"] as const) {
    assert.deepEqual(details[name], facts[name], name);
  }
  assert(!("problems" in details));
});

Deno.test("run: a pointer alone makes a folder one, a file that only has its name does not", async () => {
  const run = temporaryFolder();
  Deno.writeTextFileSync(join(run, "latest.json"), '{"checkpoint": "epoch-0003"}');
  const { kind, details } = await inspect(run);
  assert.deepEqual([kind, details.recordings], ["folder", undefined]);
  await folderOf("diffusion_epoch3", join(run, "epoch-0003"));
  writePointer(run, "latest", "epoch-0003");
  const found = await inspect(run);
  assert.equal(found.kind, "run");
  const [row] = found.details.checkpoints as Record<string, unknown>[];
  assert.deepEqual([row!.checkpoint, row!.pointers], ["epoch-0003", "latest"]);
});

Deno.test("run: a damaged checkpoint or a pointer to nothing is shown, damaged metrics are an error", async () => {
  const run = temporaryFolder();
  const folder = await folderOf("qwen_vla_sensor_best", join(run, "epoch-0007"));
  writePointer(run, "latest", "epoch-0007");
  Deno.writeTextFileSync(join(run, "config.json"), "{}");
  Deno.truncateSync(join(folder, "model.safetensors"), 1000);
  const first = (await inspect(run)).details.checkpoints as Record<string, unknown>[];
  assert.match(String(first[0]!.problem), /model\.safetensors should hold/);
  Deno.removeSync(folder, { recursive: true });
  const second = (await inspect(run)).details.checkpoints as Record<string, unknown>[];
  assert.match(String(second[0]!.problem), /epoch-0007 should be there/);
  Deno.writeTextFileSync(join(run, "metrics.jsonl"), '{"global_step": 1}\n{"global_step"\n{}\n');
  await assert.rejects(inspect(run), /line 2 of .*metrics\.jsonl/);
});

Deno.test("cache: features by extractor and shape; damaged ones are counted and left as they are", async () => {
  const folder = temporaryFolder();
  const shape = { width: 4, dtype: "float32", norm: [0, 100] } as const;
  {
    using store = await FeatureStore.openForWriting(folder);
    store.write(
      [1, 2, 3].map((k) => ({
        key: sha256(`${k}`),
        feature: {
          tokens: k === 3 ? 2 : 1,
          visualTokens: 0,
          values: new Float32Array(k === 3 ? 8 : 4).fill(k),
        },
      })),
      shape,
    );
  }
  const { kind, keys, tensors, details } = await inspect(folder);
  assert.equal(kind, "cache");
  assert.deepEqual([...keys].sort(), ["1", "2", "3"].map(sha256).sort());
  assert.deepEqual(tensors, [
    { name: "of no plan", dtype: "float32", shape: [2, 1, 4], bytes: 32 },
    { name: "of no plan", dtype: "float32", shape: [1, 2, 4], bytes: 32 },
  ]);
  assert.deepEqual([details.entries, details.shards, details.damaged], [3, 1, undefined]);
  const [shard] = [...Deno.readDirSync(`${folder}/shards`)].filter(({ name }) =>
    name.endsWith(".shard")
  );
  const path = `${folder}/shards/${shard!.name}`, bytes = Deno.readFileSync(path);
  bytes[bytes.length - 1]! ^= 1; // a value of the last record
  Deno.writeFileSync(path, bytes);
  const { tensors: [measured, ...others], details: found } = await inspect(folder, { stats: true });
  assert.deepEqual([measured!.statistics!.mean, others.length, found.damaged], [1.5, 0, 1]);
  assert.equal((await inspect(folder)).details.quarantined, 0);
  Deno.writeTextFileSync(join(folder, "cache.json"), "{");
  await assert.rejects(inspect(folder), /cache\.json/);
});
