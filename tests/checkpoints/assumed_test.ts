import assert from "node:assert/strict";
import { join } from "node:path";
import { startEngine, tf } from "../../lib/engine/mod.ts";
import { checkCheckpoint, formatCheck, loadPolicy } from "../../lib/checkpoints/mod.ts";
import { openCheckpoint } from "../../lib/checkpoints/open.ts";
import { openTorchCheckpoint, writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { convert, FIXTURES, membersOf } from "./_convert.ts";
import { withFolder } from "./_policies.ts";

await startEngine({ engine: "wasm", quiet: true });
const STAGE1 = `${FIXTURES}/qwen_vla_sensor_best.pt`;
const HEADS = ["sensorEncoder.heads", "actionExpert.heads"];
type Config = Record<string, Record<string, unknown>>;

/** A configuration like that of a folder, with changes of the expert, as a file. */
function configFile(path: string, folder: string, change: Record<string, unknown>): string {
  const { config } = JSON.parse(Deno.readTextFileSync(join(folder, "checkpoint.json"))) as {
    config: Config;
  };
  Object.assign(config.actionExpert!, change);
  Deno.writeTextFileSync(path, JSON.stringify(config));
  return path;
}

Deno.test("what nobody named stays assumed through every form, in check and load", () =>
  withFolder(async (root) => {
    const paths = ["folder", "a.pt", "b.safetensors", "again"].map((name) => join(root, name));
    let from = STAGE1;
    for (const path of paths) {
      await convert(from, path);
      const { assumed, basis } = await checkCheckpoint(path);
      assert.equal(basis, "recorded");
      for (const name of HEADS) assert.ok(assumed.includes(name), `${path}: ${name}`);
      const loaded = await loadPolicy(path);
      assert.deepEqual(loaded.assumed, assumed);
      tf.dispose(loaded.parameters);
      from = path;
    }
    const text = formatCheck(await checkCheckpoint(paths[0]!), (rows) => rows.join("\n"));
    assert.match(text, /as recorded, but for what is assumed/);
    assert.match(text, /actionExpert\.heads 8/);
    assert.match(text, /fusion concat \(a projection of this width could also take vision alone\)/);
  }));

Deno.test("--config settles what was assumed, in every form, and contradicts nothing recorded", () =>
  withFolder(async (root) => {
    const folder = join(root, "folder"), told = join(root, "told.pt");
    await convert(STAGE1, folder);
    const right = configFile(join(root, "right.json"), folder, { heads: 2 });
    await convert(folder, told, { config: right });
    {
      using checkpoint = openCheckpoint(told);
      assert.deepEqual(checkpoint.assumed, []);
      assert.equal(checkpoint.config!.actionExpert.heads, 2);
    }
    assert.equal(membersOf(told).has("assumed"), false);
    const { assumed } = await loadPolicy(told);
    assert.deepEqual(assumed, []);
    const refuse = (config: string, message: RegExp) =>
      assert.rejects(convert(told, join(root, "none"), { config }), message);
    await refuse(
      configFile(join(root, "four.json"), folder, { heads: 4 }),
      /\(given, recorded\) actionExpert\.heads: 4, 2\./,
    );
    // What is used in training only is recorded too.
    await refuse(
      configFile(join(root, "dropout.json"), folder, { heads: 2, dropout: 0.5 }),
      /actionExpert\.dropout: 0\.5, 0\.1/,
    );
    await refuse(configFile(join(root, "five.json"), folder, { heads: 3 }), /its 3 heads/);
    await assert.rejects(
      convert(folder, join(root, "none.pt"), {
        config: configFile(join(root, "deep.json"), folder, { layers: 1 }),
      }),
      /actionExpert\.layers: 1, 2/,
    );
    await refuse(join(root, "nothing.json"), /nothing\.json.*current value is no file/s);
    await refuse(root, /current value is a folder/);
    Deno.writeTextFileSync(join(root, "text.json"), "{");
    await refuse(join(root, "text.json"), /no JSON/);
    assert.throws(() => Deno.statSync(join(root, "none")), Deno.errors.NotFound);
    // A whole checkpoint.json says what it only assumes itself.
    await convert(folder, join(root, "same.pt"), { config: join(folder, "checkpoint.json") });
    using same = openCheckpoint(join(root, "same.pt"));
    for (const name of HEADS) assert.ok(same.assumed.includes(name), name);
  }));

Deno.test("a caller's configuration overrides what is assumed, not what is recorded", () =>
  withFolder(async (root) => {
    const folder = join(root, "folder");
    await convert(STAGE1, folder);
    const config = () => {
      using checkpoint = openCheckpoint(folder);
      return structuredClone(checkpoint.config!) as unknown as Config;
    };
    const two = config(), deep = config();
    two.actionExpert!.heads = 2;
    deep.actionExpert!.layers = 1;
    const loaded = await loadPolicy(folder, { config: two as never });
    assert.deepEqual([loaded.assumed, loaded.config.actionExpert.heads], [[], 2]);
    tf.dispose(loaded.parameters);
    await assert.rejects(loadPolicy(folder, { config: deep as never }), /layers: 1, 2/);
  }));

Deno.test("tensors of a part that its policy has not are not converted", () =>
  withFolder(async (root) => {
    const input = join(root, "extra.pt");
    {
      using file = openTorchCheckpoint(`${FIXTURES}/state_dict.pt`);
      const state = new Map(file.value as unknown as Map<string, unknown>);
      const tensor = { dtype: "float32", shape: [3], data: new Float32Array(3) };
      state.set("action_expert.extra", tensor);
      writeTorchCheckpoint(input, { model_state_dict: state as never });
    }
    const error = /1 tensor more: action_expert\.extra\..*del state\["action_expert\.extra"\]/s;
    for (const name of ["folder", "a.safetensors"]) {
      await assert.rejects(convert(input, join(root, name)), error);
    }
    const check = await checkCheckpoint(input);
    assert.deepEqual([check.ok, check.unexpected], [false, ["action_expert.extra"]]);
    assert.match(check.remarks.join("\n"), /more than the policy/);
  }));

Deno.test("the file of other tensors is part of its checkpoint", () =>
  withFolder(async (root) => {
    const folder = join(root, "folder"), path = join(folder, "other.safetensors");
    await convert(`${FIXTURES}/encoder_action_final.pt`, folder);
    const bytes = Deno.readFileSync(path);
    const { ok, ignored } = await checkCheckpoint(folder, { stats: true });
    assert.deepEqual([ok, ignored.map(({ name, tensors }) => [name, tensors])], [true, [[
      "other",
      2,
    ]]]);
    const changed = bytes.slice();
    changed[changed.length - 1]! ^= 1;
    Deno.writeFileSync(path, changed);
    assert.equal((await checkCheckpoint(folder)).ok, true);
    await assert.rejects(checkCheckpoint(folder, { stats: true }), /other\.safetensors.*SHA-256/);
    Deno.writeFileSync(path, bytes.subarray(1));
    await assert.rejects(checkCheckpoint(folder), /other\.safetensors should hold/);
    Deno.removeSync(path);
    await assert.rejects(checkCheckpoint(folder), /other\.safetensors should be there/);
    await assert.rejects(convert(folder, `${folder}.pt`), /other\.safetensors should be there/);
  }));

Deno.test("a folder's keys are in the order of the model", () =>
  withFolder(async (root) => {
    await convert(STAGE1, join(root, "folder"));
    using folder = openCheckpoint(join(root, "folder")), original = openCheckpoint(STAGE1);
    assert.deepEqual([...folder.tensors.keys()], [...original.tensors.keys()]);
  }));
