import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { printable } from "../../lib/cli/mod.ts";
import { CHECKPOINT_CONVERSIONS, whyNoConversion } from "../../lib/checkpoints/convert/mod.ts";
import {
  checkCheckpoint,
  formatCheck,
  loadPolicy,
  readPointer,
  writePointer,
} from "../../lib/checkpoints/mod.ts";
import { openCheckpoint } from "../../lib/checkpoints/open.ts";
import {
  PickleFloat,
  type TensorArray,
  type TorchInput,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { convert, FIXTURES, membersOf, throughFolder } from "./_convert.ts";
import { partOf, smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

const tensors = tensorsOf(smallPolicy());
const rows = (table: (string | number)[][]) => table.map((row) => row.join(" ")).join("\n");

/** Writes what PyTorch would have saved. */
function written(root: string, value: TorchInput, name = "model.pt"): string {
  writeTorchCheckpoint(join(root, name), value);
  return join(root, name);
}

async function textOf(path: string, options = {}) {
  return formatCheck(await checkCheckpoint(path, options), rows);
}

Deno.test("control characters of a file are shown, not obeyed", () =>
  withFolder(async (root) => {
    assert.equal(printable("a\x1b[2J\r\u202e\x9b\n"), "a\\x1b[2J\\x0d\\u{202e}\\x9b\\x0a");
    const path = written(root, {
      training_stage: "\x1b[31mstage",
      model_state_dict: { ...tensors, "action_expert.\x1b]0;new\nOK: all": tensors[KEY]! },
    });
    const text = await textOf(path);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    assert.match(text, /stage \\x1b\[31mstage/);
    assert.match(text, /unexpected: action_expert\.\\x1b\]0;new\\x0aOK: all/);
  }));

const KEY = "action_expert.output_head.1.bias";

Deno.test("cut lists say how many are left out and what names them", () =>
  withFolder(async (root) => {
    const path = written(root, { model_state_dict: tensors });
    const check = await checkCheckpoint(path, { against: "diffusion:concat" });
    const cut = formatCheck(check, rows);
    assert.match(cut, new RegExp(`and ${check.missing.length - 5} more \\(--verbose names all\\)`));
    const all = formatCheck(check, rows, { all: true }).split("\n").map((line) => line.trim());
    for (const key of check.missing) assert.ok(all.includes(key), key);
  }));

Deno.test("states under other names are read, or the name is said", () =>
  withFolder(async (root) => {
    for (const name of ["model", "network", "net"]) {
      const path = written(root, { [name]: tensors, step: 3 });
      const { ok, layout, remarks } = await checkCheckpoint(path);
      assert.deepEqual([ok, layout], [true, "model_state_dict"]);
      assert.match(remarks.join(), new RegExp(`its member \`${name}\``));
      const members = membersOf(await throughFolder(path));
      assert.deepEqual([members.get("step"), members.has(name)], [3, false]);
    }
    const other = written(root, { weights: tensors });
    assert.throws(() => openCheckpoint(other), /tensors in `weights` only.*`model_state_dict`/s);
    const bare = written(root, partOf(tensors, "action_expert"));
    const text = await textOf(bare);
    assert.match(text, /looks like an action_expert without its prefix/);
    assert.match(text, /compared with nothing/);
    assert.doesNotMatch(text, /missing/, "nothing is compared with sizes of no meaning");
    const encoder = written(root, { sensor_encoder: partOf(tensors, "sensor_encoder") });
    const found = await checkCheckpoint(encoder);
    assert.deepEqual(found.mismatched, []);
    assert.equal(found.matched, found.tensors, "its sizes are its own");
  }));

Deno.test("every refusal says what to do in Python", () =>
  withFolder(async (root) => {
    const wide = Object.fromEntries(
      Object.entries(tensors).map(([key, tensor]) => [
        key,
        tensor.dtype === "float32"
          ? { ...tensor, dtype: "float64", data: Float64Array.from(tensor.data) } as TensorArray
          : tensor,
      ]),
    );
    const text = await textOf(written(root, { model_state_dict: wide }));
    assert.match(text, /should be float32, is float64/);
    assert.match(text, /model\.float\(\)/);
    const spoilt = { ...tensors, [KEY]: { ...tensors[KEY]!, data: new Float32Array(7).fill(NaN) } };
    const path = written(root, { model_state_dict: spoilt as never });
    assert.match(await textOf(path, { stats: true }), /training diverged: go back to an older/);
    assert.throws(
      () => openCheckpoint(join(FIXTURES, "namespace.pt")),
      /argparse\.Namespace\. Nothing was executed.*torch\.save\(\{"model_state_dict": model/s,
    );
  }));

Deno.test("what is asked for is said as asked for, and no more", () =>
  withFolder(async (root) => {
    const path = written(root, { model_state_dict: tensors });
    const compared = async (options: object) =>
      /compared with (.*)/.exec(await textOf(path, options))![1];
    const name = "reference regression:concat";
    assert.equal(await compared({ against: "Regression" }), `${name}, family as asked for`);
    assert.equal(await compared({ preset: "compact" }), `${name}, sizes as asked for`);
    const trocar = await checkCheckpoint(path, { against: "trocar/regression:concat" });
    assert.deepEqual([trocar.ok, trocar.architecture], [false, "reference"]);
    // Facts about the file do not change with the question.
    const gated = await checkCheckpoint(path, { against: "diffusion:gated", preset: "compact" });
    assert.deepEqual(gated.parameters, (await checkCheckpoint(path)).parameters);
    const { model_state_dict } = {
      model_state_dict: Object.fromEntries(
        Object.entries(tensors).map(([key, tensor]) => [`module.${key}`, tensor]),
      ),
    };
    assert.match(
      await textOf(written(root, { model_state_dict })),
      /layout model_state_dict, prefix module\. taken off/,
    );
    await assert.rejects(
      loadPolicy(written(root, { model_state_dict: { ...tensors, more: tensors[KEY]! } })),
      /is 75 that fit and 1 unexpected/,
    );
  }));

Deno.test("members that are not understood are kept as they are, and named", () =>
  withFolder(async (root) => {
    const value = {
      epoch: new PickleFloat(3.5),
      val_loss: new PickleFloat(NaN),
      train_loss: new PickleFloat(2),
      training_stage: null,
    };
    const path = written(root, { ...value, model_state_dict: tensors });
    const { remarks, losses, epoch } = await checkCheckpoint(path);
    assert.deepEqual([epoch, losses.train, losses.validation], [null, 2, null]);
    assert.match(remarks.join("\n"), /epoch should be a count, current value is 3\.5/);
    assert.match(remarks.join("\n"), /val_loss .* NaN.*diverged/);
    const members = membersOf(await throughFolder(path));
    for (const [key, member] of Object.entries(value)) {
      assert.deepEqual(members.get(key), member, key);
    }
    for (const key of ["loss", "epoch_base", "scheduler_state_dict"]) {
      assert.equal(members.has(key), false, key);
    }
  }));

Deno.test("an export says how its epochs are counted", () =>
  withFolder(async (root) => {
    const folder = join(root, "folder");
    const first = await convert(`${FIXTURES}/qwen_vla_sensor_best.pt`, folder);
    assert.match(first.remarks.join("\n"), /epoch 6 is counted from 0.*: 7 epochs completed/);
    const { remarks } = await convert(folder, `${folder}.pt`);
    assert.match(remarks.join("\n"), /epoch 7 is the number of completed.*count from 0 write 6/);
    await convert(`${FIXTURES}/diffusion_epoch3.pt`, join(root, "other"));
    const diffusion = await convert(join(root, "other"), join(root, "other.pt"));
    assert.doesNotMatch(diffusion.remarks.join("\n"), /count from 0/);
  }));

Deno.test("the state of another optimiser than AdamW keeps its groups as they were", () =>
  withFolder(async (root) => {
    const trained = Object.entries(tensors).filter(([key]) => !/running_|num_batches/.test(key));
    const momentum = trained.map(([, { shape, data }], i) =>
      [i, new Map([["momentum_buffer", { dtype: "float32", shape, data }]])] as const
    );
    const group = new Map<string, unknown>([
      ["lr", new PickleFloat(0.1)],
      ["momentum", new PickleFloat(0.9)],
      ["dampening", 0],
      ["nesterov", false],
      ["params", trained.map((_, i) => i)],
    ]);
    const optimizer_state_dict = { state: new Map(momentum as never), param_groups: [group] };
    const path = written(root, { model_state_dict: tensors, optimizer_state_dict } as never);
    const { remarks } = await convert(path, join(root, "folder"));
    assert.match(remarks.join("\n"), /not AdamW's/);
    using folder = openCheckpoint(join(root, "folder"));
    assert.equal((folder.document!.optimizer as { type: string }).type, "unknown");
    await convert(join(root, "folder"), join(root, "back.pt"));
    const back = membersOf(join(root, "back.pt")).get("optimizer_state_dict") as Map<
      string,
      unknown
    >;
    assert.deepEqual(back.get("param_groups"), [group]);
    assert.equal((back.get("state") as Map<number, unknown>).size, trained.length);
  }));

Deno.test("conversions that cannot be say why, and checkpoints are not written into", () =>
  withFolder(async (root) => {
    const input = `${FIXTURES}/no_sensor.pt`, folder = join(root, "folder");
    const claims = (from: string, output: string) =>
      CHECKPOINT_CONVERSIONS.filter((row) => row.claims({ input: from, output })).length;
    await convert(input, folder);
    const refusals: [string, string, RegExp][] = [
      [input, "b.pt", /already a checkpoint \.pt/],
      [input, "b.PTH", /already a checkpoint \.pt/],
      [input, "b.bin", /ends in \.bin/],
      [folder, "c", /already a checkpoint; copy it/],
    ];
    for (const [from, name, message] of refusals) {
      const output = join(root, name);
      assert.equal(claims(from, output), 0, name);
      assert.match(whyNoConversion({ input: from, output })!, message);
    }
    for (const name of ["b.pth", "b.PT"]) assert.equal(claims(folder, join(root, name)), 1, name);
    await assert.rejects(convert(folder, join(folder, "a.pt")), /within the checkpoint/);
    assert.deepEqual([...Deno.readDirSync(root)].map(({ name }) => name), ["folder"]);
  }));

Deno.test("a pointer takes a path from the run, from the current folder, or an absolute one", () =>
  withFolder((run) => {
    const place = join(run, "epoch-1");
    Deno.mkdirSync(place);
    Deno.writeTextFileSync(join(place, "checkpoint.json"), "{}");
    for (const path of ["epoch-1", place, relative(Deno.cwd(), place)]) {
      writePointer(run, "best", path);
      assert.equal(readPointer(run, "best"), place);
      Deno.removeSync(join(run, "best.json"));
    }
  }));

Deno.test("--json is a document also when the file cannot be read", async () => {
  const script = new URL("../../scripts/check_checkpoint.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, `${FIXTURES}/legacy.pt`, "--json"],
    stdin: "null",
  }).output();
  assert.equal(code, 1);
  const document = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual([document.ok, document.layout, document.missing], [false, null, []]);
  assert.match(document.error, /legacy file of PyTorch/);
});
