import assert from "node:assert/strict";
import fc from "fast-check";
import { join } from "node:path";
import { fromPlain, toPlain } from "../../lib/checkpoints/convert/_plain_value.ts";
import { readTorchOptimizer } from "../../lib/checkpoints/convert/_torch_optimizer.ts";
import { type CheckpointContents, writeCheckpoint } from "../../lib/checkpoints/mod.ts";
import { openCheckpoint } from "../../lib/checkpoints/open.ts";
import { writePointer } from "../../lib/checkpoints/pointer.ts";
import {
  narrowToBfloat16,
  openTorchCheckpoint,
  PickleFloat,
  PickleTuple,
  type TensorInput,
  TorchOrderedDict,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { type PolicyConfig, policyShapes } from "../../lib/policies/mod.ts";
import { smallPolicy, tensorsOf as smallTensors } from "./_policies.ts";
import { convert, digestOf, FIXTURES, membersOf, tensorsOf } from "./_convert.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const small = (architecture: PolicyConfig["architecture"], fusion: "concat" | "none") =>
  smallPolicy({ architecture, fusion });

/** Tensors of a policy, floats of a dtype. */
function drawn(config: PolicyConfig, dtype: "float32" | "bfloat16"): Map<string, TensorInput> {
  return new Map(
    Object.entries(smallTensors(config)).map(([key, tensor]) => [
      key,
      dtype === "bfloat16" && tensor.dtype === "float32"
        ? { ...tensor, dtype, data: narrowToBfloat16(tensor.data) }
        : tensor,
    ]),
  );
}

async function folderOf(
  contents: CheckpointContents,
  { dtype = "float32", withMoments = false }: {
    dtype?: "float32" | "bfloat16";
    withMoments?: boolean;
  } = {},
) {
  const folder = temporaryPath("epoch-0003");
  const tensors = drawn(contents.config, dtype);
  const trained = policyShapes(contents.config).filter(({ trainable }) => trainable);
  const moments = trained.flatMap(({ key, shape }): [string, TensorInput][] => {
    const count = shape.reduce((product, size) => product * size, 1);
    const of = (value: number) => ({
      dtype: "float32",
      shape,
      data: new Float32Array(count).fill(value),
    } as const);
    return [[`exp_avg.${key}`, of(0.5)], [`exp_avg_sq.${key}`, of(2)], [`ema.${key}`, of(3)]];
  });
  const step = { dtype: "int64", shape: [], data: BigInt64Array.of(41n) } as const;
  const training = new Map<string, TensorInput>([["step", step], ...moments]);
  await writeCheckpoint(folder, { contents, tensors, ...(withMoments ? { training } : {}) });
  return { folder, tensors };
}

Deno.test("moments without groups get the reference's four, and each a step of its own", async () => {
  const config = small("reference", "concat");
  const { folder } = await folderOf({ config, epoch: 3, globalStep: 41 }, { withMoments: true });
  const { remarks } = await convert(folder, `${folder}.pt`);
  assert.match(remarks.join("\n"), /records no groups of its optimiser/);
  const members = membersOf(`${folder}.pt`);
  const optimizer = members.get("optimizer_state_dict") as Map<string, unknown>;
  const groups = optimizer.get("param_groups") as Map<string, unknown>[];
  assert.equal(groups.length, 4);
  const numbers = groups.flatMap((group) => group.get("params") as number[]);
  assert.deepEqual(numbers, numbers.map((_, i) => i));
  assert.deepEqual(groups[0]!.get("betas"), new PickleTuple([0.9, 0.999].map(float)));
  assert.deepEqual(groups.map((group) => group.get("weight_decay")), [0.01, 0, 0.01, 0].map(float));
  using file = openTorchCheckpoint(`${folder}.pt`);
  const steps = file.tensors().filter(([path]) => path.at(-1) === "step");
  assert.equal(steps.length, numbers.length);
  assert.equal(new Set(steps.map(([, { storage }]) => storage)).size, numbers.length);
  assert.deepEqual(steps[0]![1].read().data, Float32Array.of(41));
  assert.equal(steps[0]![1].dtype, "float32");
  const averages = members.get("ema_state_dict") as Map<string, unknown>;
  assert.equal(averages.size, numbers.length);
  const shape =
    tensorsOf(`${folder}.pt`).find(({ path }) =>
      path.join("/") === "optimizer_state_dict/state/0/exp_avg"
    )!.shape;
  assert.deepEqual(shape, policyShapes(config).find(({ key }) => /pos_embed$/.test(key))!.shape);
  await convert(`${folder}.pt`, `${folder}-again`);
  using again = openCheckpoint(`${folder}-again`), first = openCheckpoint(folder);
  for (const [name, tensor] of first.training()!) {
    if (name === "step") continue;
    assert.equal(digestOf(again.training()!.get(name)!), digestOf(tensor), name);
  }
});

const float = (value: number) => new PickleFloat(value);

Deno.test("the corrected architecture goes into a .pt file too, which says what cannot load it", async () => {
  const config = small("trocar", "concat");
  const { folder, tensors } = await folderOf({ config, epoch: 3 }, { dtype: "bfloat16" });
  const { remarks } = await convert(folder, `${folder}.pt`);
  assert.match(remarks.join("\n"), /modules of the Python reference cannot load it/);
  await convert(`${folder}.pt`, `${folder}-again`);
  using again = openCheckpoint(`${folder}-again`);
  assert.deepEqual(again.config, config);
  assert.equal(again.tensors.size, tensors.size);
  for (const [key, tensor] of tensors) {
    assert.equal(digestOf(again.tensors.get(key)!), digestOf(tensor), key);
  }
});

Deno.test("of a run --which chooses; an output that is there is kept, other folders always", async () => {
  const run = temporaryFolder(), config = small("reference", "none");
  for (const [name, epoch] of [["latest", 2], ["best", 1]] as const) {
    const { folder } = await folderOf({ config, epoch });
    Deno.renameSync(folder, join(run, `epoch-${epoch}`));
    writePointer(run, name, `epoch-${epoch}`);
  }
  const path = temporaryPath("a.pt");
  await convert(run, path);
  assert.equal(membersOf(path).get("epoch"), 2);
  await assert.rejects(convert(run, path, { which: "best" }), /there already/);
  await convert(run, path, { which: "best", overwrite: true });
  assert.equal(membersOf(path).get("epoch"), 1);
  const other = temporaryFolder();
  Deno.writeTextFileSync(join(other, "thesis.txt"), "");
  await assert.rejects(convert(path, other, { overwrite: true }), /one without checkpoint\.json/);
  assert.ok(Deno.statSync(join(other, "thesis.txt")).isFile);
  const model = join(run, "epoch-2", "model.safetensors");
  const within = convert(model, join(run, "epoch-2"), { overwrite: true });
  await assert.rejects(within, /INPUT or hold it/);
  assert.ok(Deno.statSync(model).isFile);
});

Deno.test("what a checkpoint says goes into a .pt file and comes back", async () => {
  const contents: CheckpointContents = {
    config: small("reference", "concat"),
    program: "stage1",
    trainingStage: "stage1",
    epoch: 3,
    globalStep: 1234,
    consumedSamples: 9999,
    losses: { train: 1, validation: 0.5, bestValidation: 0.25, bestEpoch: 2 },
    statisticsDigest: "ab",
    splitDigest: "cd",
    features: { name: "pixel-2048", views: ["View1", "View5"] },
    schedule: { type: "trapezoid", total: 1000, base_lrs: [1e-4, 1] },
    sampler: { seed: 42, epoch: 3, position: 7 },
    random: { seed: 42, counter: 123456789012 },
    extra: { note: "a", program: "another", nested: [1, { "10": 0.5, "9": null }] },
  };
  const { folder } = await folderOf(contents);
  await convert(folder, `${folder}.pt`);
  await convert(`${folder}.pt`, `${folder}-again`);
  using first = openCheckpoint(folder), again = openCheckpoint(`${folder}-again`);
  const { digest: _a, files: _b, ...before } = first.document!;
  const { digest: _c, files: _d, ...after } = again.document!;
  assert.deepEqual(after, before);
});

const plainValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.bigInt({ min: 2n ** 60n, max: 2n ** 90n }),
      fc.double().map((value) => new PickleFloat(value)),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array({ maxLength: 9 }),
    ),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new PickleTuple(items as never[])),
    fc.array(fc.tuple(fc.oneof(fc.string(), fc.integer()), tie("value")), { maxLength: 4 })
      .map((entries) => new Map(entries as [string, unknown][])),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 3 })
      .map((entries) => new TorchOrderedDict(entries as never)),
  ),
})).value;

Deno.test("any Python value goes through JSON and a .pt file unchanged", () => {
  const folder = temporaryFolder();
  let run = 0;
  fc.assert(
    fc.property(plainValue, (value) => {
      const path = join(folder, `${run++ % 4}.pt`);
      const json = JSON.parse(JSON.stringify(toPlain("value", value)));
      writeTorchCheckpoint(path, new Map([["value", fromPlain("value", json)]]));
      assert.deepEqual(membersOf(path).get("value"), value);
    }),
    { numRuns: 150 },
  );
});

Deno.test("random states of AdamW get their names, whatever order their entries have", () => {
  using file = openTorchCheckpoint(`${FIXTURES}/qwen_vla_sensor_best.pt`, { floats: "tagged" });
  const top = file.value as Map<string, Map<string, unknown>>;
  const shapes = new Map(
    ["sensor_encoder", "action_expert"].flatMap((part) =>
      [...top.get(part)!].map(([key, tensor]) =>
        [`${part}.${key}`, (tensor as { shape: number[] }).shape] as const
      )
    ).filter(([key]) => !/running_|num_batches/.test(key)),
  );
  const optimizer = top.get("optimizer_state_dict")!;
  const state = [...optimizer.get("state") as Map<number, unknown>];
  const whole = readTorchOptimizer("whole", optimizer, shapes).state;
  fc.assert(
    fc.property(fc.shuffledSubarray(state), (some) => {
      const value = new Map([...optimizer, ["state", new Map(some)]]);
      const named = readTorchOptimizer("some", value, shapes).state;
      assert.equal(named.size, 3 * some.length);
      for (const [name, tensor] of named) assert.equal(tensor, whole.get(name), name);
    }),
    { numRuns: 50 },
  );
});

Deno.test("values that hold themselves many times are refused, not expanded", () => {
  let value: unknown = [];
  for (let depth = 0; depth < 40; depth++) value = [value, value];
  assert.throws(() => toPlain("value", value), /at most 100000 values/);
});
