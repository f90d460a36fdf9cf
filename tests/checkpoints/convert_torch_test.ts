import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../lib/checkpoints/open.ts";
import {
  openSafetensors,
  openTorchCheckpoint,
  PickleFloat,
  PickleTuple,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import {
  convert,
  digestOf,
  EXPECTED,
  type ExpectedTensor,
  FIXTURES,
  membersOf,
  tensorsOf,
  throughFolder,
} from "./_convert.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const PARTS = ["sensor_encoder", "action_expert"];

/** Tensors of the policy by the keys of the two parts, wherever PyTorch's file has them. */
function weightsOf(tensors: readonly ExpectedTensor[]) {
  const named = tensors.filter(({ path }) => path[0] !== "optimizer_state_dict").map((tensor) => {
    const key = tensor.path.slice(PARTS.includes(String(tensor.path[0])) ? 0 : -1).join(".");
    return [key.replace(/^module\./, ""), tensor] as const;
  });
  return PARTS.flatMap((part) =>
    [...new Map(named)].filter(([key]) => key.startsWith(part)).map(([key, tensor]) => {
      const { dtype, shape, sha256 } = tensor;
      return { key, dtype, shape, sha256 };
    })
  );
}

const momentsOf = (tensors: readonly ExpectedTensor[]) =>
  tensors.filter(({ path }) => path[0] === "optimizer_state_dict");

for (const [name, { values, tensors }] of Object.entries(EXPECTED)) {
  Deno.test(`${name}: .pt to folder to .pt keeps every bit, dtype and key, in order`, async () => {
    const path = await throughFolder(`${FIXTURES}/${name}.pt`);
    const back = tensorsOf(path);
    assert.deepEqual(weightsOf(back), weightsOf(tensors));
    assert.deepEqual(momentsOf(back), momentsOf(tensors));
    const members = membersOf(path), original = membersOf(`${FIXTURES}/${name}.pt`);
    const groups = (of: Map<string, unknown>) =>
      (of.get("optimizer_state_dict") as Map<string, unknown> | undefined)?.get("param_groups");
    assert.deepEqual(groups(members), groups(original));
    for (
      const key of ["scheduler_state_dict", "training_stage", "loss", "train_loss", "val_loss"]
    ) {
      assert.deepEqual(members.get(key), original.get(key), key);
      assert.equal(members.has(key), original.has(key), key);
    }
    assert.equal(members.get("training_stage"), values.training_stage);
  });
}

Deno.test("parts are dictionaries of their own; a policy without sensor has None", async () => {
  const members = membersOf(await throughFolder(`${FIXTURES}/no_sensor.pt`));
  assert.equal(members.get("sensor_encoder"), null);
  assert.ok(members.get("action_expert") instanceof Map);
  const bare = membersOf(await throughFolder(`${FIXTURES}/state_dict.pt`));
  assert.ok(bare.get("sensor_encoder") instanceof Map);
  assert.equal(bare.has("optimizer_state_dict"), false);
  assert.deepEqual([...bare.keys()], [...PARTS, "config", "assumed"], "nothing is made up");
});

Deno.test("epochs are counted from 1, and say so; losses keep their numbers", async () => {
  const stage1 = membersOf(await throughFolder(`${FIXTURES}/qwen_vla_sensor_best.pt`));
  assert.deepEqual([stage1.get("epoch"), stage1.get("epoch_base")], [7, 1]);
  assert.deepEqual(stage1.get("val_loss"), new PickleFloat(0.125));
  const diffusion = membersOf(await throughFolder(`${FIXTURES}/diffusion_epoch3.pt`));
  assert.deepEqual([diffusion.get("epoch"), diffusion.get("epoch_base")], [3, 1]);
  assert.deepEqual(diffusion.get("loss"), new PickleFloat(0.25));
  const unified = membersOf(await throughFolder(`${FIXTURES}/diffusion_best.pt`));
  assert.deepEqual(unified.get("train_loss"), new PickleFloat(1));
  assert.equal(unified.has("loss"), false);
});

Deno.test("tensors of other models are kept, in memory shared with the parts", async () => {
  const folder = temporaryPath("folder"), back = `${folder}.pt`;
  const { remarks } = await convert(`${FIXTURES}/encoder_action_final.pt`, folder);
  assert.match(remarks.join("\n"), /2 tensors of 0\.0 MB belong to no policy \(vl_model\)/);
  const { tensors } = await convert(folder, back).then(({ files: [file] }) => file!);
  const state = tensorsOf(back).filter(({ path }) => path[0] === "model_state_dict");
  const vision = (all: readonly ExpectedTensor[]) =>
    all.filter(({ path }) => String(path[1]).includes("vl_model."))
      .map(({ path, ...tensor }) => [String(path[1]).replace("module.", ""), tensor]);
  assert.deepEqual(vision(state), vision(EXPECTED.encoder_action_final!.tensors));
  assert.equal(vision(state).length, 2);
  using file = openTorchCheckpoint(back);
  const storages = new Set(file.tensors().map(([, tensor]) => tensor.storage));
  assert.equal(storages.size, tensors);
});

Deno.test("a damaged file of other models' tensors is refused", async () => {
  const folder = temporaryPath("folder");
  await convert(`${FIXTURES}/encoder_action_final.pt`, folder);
  const path = join(folder, "other.safetensors"), bytes = Deno.readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  Deno.writeFileSync(path, bytes);
  await assert.rejects(convert(folder, `${folder}.pt`), /other\.safetensors.*SHA-256/);
  assert.deepEqual([...Deno.readDirSync(join(folder, ".."))].map(({ name }) => name), ["folder"]);
});

Deno.test("a safetensors file holds the weights and what is known, and comes back", async () => {
  for (const name of ["bfloat16", "qwen_vla_sensor_best", "encoder_action_final"]) {
    const parent = temporaryFolder(), path = join(parent, "model.safetensors");
    const { remarks } = await convert(`${FIXTURES}/${name}.pt`, path);
    assert.match(remarks.join("\n"), /tensors of the optimiser's state are left out/);
    using file = openSafetensors(path);
    assert.equal(JSON.parse(file.metadata.config!).fusion, EXPECTED[name]!.fusion);
    for (const { key, dtype, sha256 } of weightsOf(EXPECTED[name]!.tensors)) {
      const tensor = file.tensor(key);
      assert.deepEqual([key, tensor.dtype, digestOf(tensor)], [key, dtype, sha256]);
    }
    await convert(path, join(parent, "folder"));
    await convert(path, join(parent, "back.pt"));
    assert.deepEqual(
      weightsOf(tensorsOf(join(parent, "back.pt"))),
      weightsOf(EXPECTED[name]!.tensors),
    );
    using folder = openCheckpoint(join(parent, "folder"));
    using original = openCheckpoint(`${FIXTURES}/${name}.pt`);
    assert.deepEqual([folder.epoch, folder.losses], [original.epoch, original.losses]);
    await convert(join(parent, "folder"), join(parent, "again.safetensors"));
    using again = openSafetensors(join(parent, "again.safetensors"));
    assert.deepEqual([again.names, again.metadata.config], [file.names, file.metadata.config]);
  }
});

Deno.test("--weights-only leaves out the optimiser and says so", async () => {
  const path = await throughFolder(`${FIXTURES}/qwen_vla_sensor_best.pt`, { weightsOnly: true });
  const members = membersOf(path);
  assert.equal(members.has("optimizer_state_dict"), false);
  assert.equal(members.has("scheduler_state_dict"), false);
  assert.deepEqual(
    weightsOf(tensorsOf(path)),
    weightsOf(EXPECTED.qwen_vla_sensor_best!.tensors),
  );
});

Deno.test("a configuration replaces what shapes do not show; one that does not fit is refused", async () => {
  const parent = temporaryFolder(), config = join(parent, "config.json");
  const input = `${FIXTURES}/diffusion_epoch3.pt`;
  await convert(input, join(parent, "guessed"));
  const right =
    JSON.parse(Deno.readTextFileSync(join(parent, "guessed", "checkpoint.json"))).config;
  Object.assign(right.actionExpert, { heads: 2, horizon: 4, timesteps: 20 });
  Deno.writeTextFileSync(config, JSON.stringify(right));
  const { remarks } = await convert(input, join(parent, "told"), { config });
  assert.doesNotMatch(remarks.join("\n"), /has no configuration/);
  using told = openCheckpoint(join(parent, "told"));
  assert.deepEqual(told.config, right);
  right.actionExpert.hiddenDim = 16;
  Deno.writeTextFileSync(config, JSON.stringify(right));
  await assert.rejects(convert(input, join(parent, "wrong"), { config }), /of another shape/);
  assert.throws(() => Deno.statSync(join(parent, "wrong")), Deno.errors.NotFound);
});

Deno.test("an optimiser whose numbers no program gives is refused, and nothing is written", async () => {
  const parent = temporaryFolder(), input = join(parent, "odd.pt");
  {
    using file = openTorchCheckpoint(`${FIXTURES}/no_sensor.pt`, { floats: "tagged" });
    const top = new Map(file.value as unknown as Map<string, unknown>);
    const optimizer = new Map(top.get("optimizer_state_dict") as Map<string, unknown>);
    const [first, second] = optimizer.get("param_groups") as Map<string, number[]>[];
    const [a, b] = [first!.get("params")!, second!.get("params")!];
    const swapped = [a[1]!, a[0]!, ...a.slice(2)];
    const groups = [
      new Map([...first!, ["params", swapped]]),
      new Map([...second!, ["params", b]]),
    ];
    top.set("optimizer_state_dict", new Map([...optimizer, ["param_groups", groups]]));
    writeTorchCheckpoint(input, top as ReadonlyMap<unknown, unknown>);
  }
  const error = /groups should hold the parameters.*--weights-only/s;
  await assert.rejects(convert(input, join(parent, "folder")), error);
  assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["odd.pt"]);
  await convert(input, join(parent, "folder"), { weightsOnly: true });
});

Deno.test("what has no name of ours is kept: infinite losses, states of generators, other members", async () => {
  const parent = temporaryFolder(), input = join(parent, "more.pt");
  const generator = { dtype: "uint8", shape: [5], data: Uint8Array.of(1, 2, 3, 4, 255) } as const;
  const rest = new Map<string, unknown>([
    ["val_loss", new PickleFloat(Infinity)],
    ["best_val", new PickleFloat(2)],
    ["args", new Map<unknown, unknown>([["lr", new PickleFloat(1e-4)], [3, null], ["$x", true]])],
    ["shape", new PickleTuple([1, 2n ** 70n])],
  ]);
  {
    using file = openTorchCheckpoint(`${FIXTURES}/state_dict.pt`);
    writeTorchCheckpoint(
      input,
      new Map<string, never>([
        ["model_state_dict", file.value as never],
        ...rest as Map<string, never>,
        ["torch_rng", generator as never],
      ]),
    );
  }
  const back = await throughFolder(input), members = membersOf(back);
  for (const [key, value] of rest) assert.deepEqual(members.get(key), value);
  const made = tensorsOf(back).find(({ path }) => path[0] === "torch_rng")!;
  assert.deepEqual([made.dtype, made.shape, made.sha256], ["uint8", [5], digestOf(generator)]);
});

Deno.test("a file of PyTorch before 1.6 is refused by name", async () => {
  const folder = temporaryPath("folder");
  await assert.rejects(convert(`${FIXTURES}/legacy.pt`, folder), /legacy file of PyTorch/);
});

Deno.test("a file that lacks some of its policy's tensors is refused, whatever it is to become", async () => {
  const parent = temporaryFolder(), input = join(parent, "part.pt");
  {
    using file = openTorchCheckpoint(`${FIXTURES}/state_dict.pt`);
    const state = new Map(file.value as unknown as Map<string, unknown>);
    state.delete("sensor_encoder.projection.1.bias");
    writeTorchCheckpoint(input, state as ReadonlyMap<unknown, unknown>);
  }
  for (const name of ["folder", "a.safetensors"]) {
    const error = /1 tensor missing: sensor_encoder\.projection\.1\.bias/;
    await assert.rejects(convert(input, join(parent, name)), error);
  }
  assert.deepEqual([...Deno.readDirSync(parent)].map(({ name }) => name), ["part.pt"]);
});
