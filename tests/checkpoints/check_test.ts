import assert from "node:assert/strict";
import {
  checkCheckpoint,
  formatCheck,
  parsePolicyChoice,
  writeCheckpoint,
  writePointer,
} from "../../lib/checkpoints/mod.ts";
import { type TensorArray, type TensorInput, writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { policyShapes, preset } from "../../lib/policies/mod.ts";
import { partOf, smallPolicy, tensorsOf, withFolder } from "./_policies.ts";
import { writeSparseTensors, writeSparseTorch, zeros } from "./_sparse.ts";

const config = smallPolicy();
const tensors = tensorsOf(config);

function writeState(root: string, state: Readonly<Record<string, TensorInput>>): string {
  const path = `${root}/model.pt`;
  writeTorchCheckpoint(path, { epoch: 4, model_state_dict: state });
  return path;
}

Deno.test("a checkpoint is compared with what it looks like, says it is, or is asked to be", () =>
  withFolder(async (root) => {
    const path = writeState(root, tensors);
    const inferred = await checkCheckpoint(path);
    assert.deepEqual(
      [inferred.ok, inferred.basis, inferred.architecture, inferred.layout, inferred.epoch],
      [true, "inferred", "reference", "model_state_dict", 5],
    );
    assert.deepEqual([inferred.matched, inferred.tensors, inferred.stage], [75, 75, null]);
    assert.deepEqual([inferred.family, inferred.fusion], ["regression", "concat"]);
    await writeCheckpoint(`${root}/run`, {
      contents: { config, trainingStage: "stage1" },
      tensors,
    });
    const recorded = await checkCheckpoint(`${root}/run`);
    assert.deepEqual([recorded.ok, recorded.basis, recorded.stage], [true, "recorded", "stage1"]);
    const asked = await checkCheckpoint(path, { against: "regression:concat" });
    assert.deepEqual([asked.ok, asked.basis], [true, "asked"]);
    assert.deepEqual(asked.parameters, inferred.parameters);
  }));

Deno.test("a checkpoint of another family says what it looks like", () =>
  withFolder(async (root) => {
    const path = writeState(root, tensors);
    const check = await checkCheckpoint(path, { against: "diffusion:concat" });
    assert.equal(check.ok, false);
    assert(check.missing.includes("action_expert.cond_proj.weight"));
    assert(check.unexpected.includes("action_expert.fusion_proj.weight"));
    assert.match(check.remarks.join("\n"), /It looks like reference regression:concat\./);
    // The sensor encoder fits: sizes are the checkpoint's own.
    assert(
      !check.missing.concat(check.unexpected).some((key) => key.startsWith("sensor_encoder.")),
    );
    const trocar = await checkCheckpoint(path, { against: "trocar/regression:concat" });
    assert(trocar.missing.includes("action_expert.memory_token"));
  }));

Deno.test("sizes of a preset are compared one by one", () =>
  withFolder(async (root) => {
    const tiny = preset("tiny", { architecture: "reference" });
    const path = `${root}/tiny.safetensors`;
    writeSparseTensors(path, policyShapes(tiny));
    assert((await checkCheckpoint(path, { preset: "tiny" })).ok);
    const check = await checkCheckpoint(path, { preset: "reference" });
    assert.deepEqual([check.ok, check.missing, check.unexpected], [false, [], []]);
    const wrong = check.mismatched.find(({ key }) => key === "action_expert.fusion_proj.weight");
    assert.deepEqual(wrong, {
      key: "action_expert.fusion_proj.weight",
      expected: [1024, 5120],
      found: [128, 2304],
    });
    assert.match(check.remarks.join("\n"), /of other sizes .*hiddenDim: 512, 64/);
  }));

Deno.test("a stage 1 file without one of its parts is not ok, whatever is asked", () =>
  withFolder(async (root) => {
    const full = preset("reference", { architecture: "reference" });
    const small = tensorsOf(config);
    const path = `${root}/stage1.pt`;
    writeTorchCheckpoint(path, { epoch: 0, sensor_encoder: partOf(small, "sensor_encoder") });
    for (const options of [{}, { against: "regression:concat" }]) {
      const check = await checkCheckpoint(path, options);
      assert.equal(check.ok, false);
      assert(check.missing.includes("action_expert.pos_embed"));
      assert.match(check.remarks.join("\n"), /no action_expert/);
    }
    const expert = policyShapes(full).filter(({ key }) => key.startsWith("action_expert."));
    const lone = `${root}/expert.safetensors`;
    writeSparseTensors(lone, expert);
    const check = await checkCheckpoint(lone);
    assert.deepEqual([check.ok, check.missing.length], [false, 58]);
    assert.match(check.remarks.join("\n"), /no sensor_encoder/);
    writeTorchCheckpoint(path, { epoch: 0, sensor_encoder: null, action_expert: null });
    assert.equal((await checkCheckpoint(path)).ok, false);
  }));

Deno.test("values show NaN, infinity, lost weights and copies, each with its key", () =>
  withFolder(async (root) => {
    const state: Record<string, TensorArray> = { ...tensors };
    const change = (key: string, edit: (data: Float32Array) => void) => {
      const { shape, data } = tensors[key]!;
      const copy = (data as Float32Array<ArrayBuffer>).slice();
      edit(copy);
      state[key] = { dtype: "float32", shape, data: copy };
    };
    change("action_expert.fusion_proj.weight", (data) => data[77] = NaN);
    change("action_expert.output_head.1.weight", (data) => data[3] = -Infinity);
    change("action_expert.temporal_decoder.layers.0.linear1.weight", (data) => data.fill(0));
    change(
      "action_expert.temporal_decoder.layers.0.self_attn.in_proj_bias",
      (data) => data.fill(0),
    );
    for (const layer of [0, 1]) {
      change(`action_expert.temporal_decoder.layers.${layer}.norm1.weight`, (data) => data.fill(1));
    }
    const copied = "action_expert.temporal_decoder.layers.0.linear2.weight";
    const copy = copied.replace("layers.0", "layers.1");
    state[copy] = state[copied]!;
    const path = writeState(root, state);
    const headers = await checkCheckpoint(path);
    assert.deepEqual([headers.ok, headers.valuesRead, headers.nonFinite], [true, false, []]);
    const check = await checkCheckpoint(path, { stats: true });
    assert.deepEqual([check.ok, check.valuesRead], [false, true]);
    assert.deepEqual(check.nonFinite.toSorted(), [
      "action_expert.fusion_proj.weight",
      "action_expert.output_head.1.weight",
    ]);
    assert.deepEqual(check.allZero, ["action_expert.temporal_decoder.layers.0.linear1.weight"]);
    assert.deepEqual(check.duplicated, [[copied, copy]]);
    const text = formatCheck(check, (rows) => rows.map((row) => row.join(" ")).join("\n"));
    assert.match(text, /2 tensors with NaN or infinity/);
    assert(text.split("\n").length <= 40, "one screen");
    const whole = await checkCheckpoint(writeState(root, tensors), { stats: true });
    assert.deepEqual([whole.ok, whole.nonFinite, whole.allZero, whole.duplicated], [
      true,
      [],
      [],
      [],
    ]);
  }));

Deno.test("moments that are not finite are found, and changed files too", () =>
  withFolder(async (root) => {
    const key = "action_expert.pos_embed";
    const moment: TensorArray = {
      dtype: "float32",
      shape: tensors[key]!.shape,
      data: new Float32Array(tensors[key]!.data.length).fill(NaN),
    };
    const training = { [`exp_avg_sq.${key}`]: moment };
    await writeCheckpoint(`${root}/a`, { contents: { config }, tensors, training });
    writePointer(root, "best", "a");
    const check = await checkCheckpoint(root, { which: "best", stats: true });
    assert.deepEqual(check.nonFinite, [`exp_avg_sq.${key}`]);
    const path = `${root}/a/training.safetensors`, bytes = Deno.readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    Deno.writeFileSync(path, bytes);
    assert((await checkCheckpoint(`${root}/a`)).ok);
    await assert.rejects(checkCheckpoint(`${root}/a`, { stats: true }), /SHA-256 should be/);
  }));

Deno.test("of files of many gigabytes the headers are read only", () =>
  withFolder(async (root) => {
    const full = preset("reference", { architecture: "reference" });
    const path = `${root}/full.pt`;
    const state = Object.fromEntries([
      ...policyShapes(full).map(({ key, shape, dtype }) => [
        key,
        dtype === "int64"
          ? { dtype, shape, data: new BigInt64Array(1) } as TensorArray
          : zeros(key, shape),
      ]),
      ...Array.from({ length: 300 }, (_, i) => {
        const key = `vl_model.model.layers.${i}.mlp.weight`;
        return [key, zeros(key, [2048, 1024])];
      }),
    ]);
    writeSparseTorch(path, state);
    assert(Deno.statSync(path).size > 2.5e9);
    const before = Deno.memoryUsage().rss;
    const check = await checkCheckpoint(path, {
      against: "regression:concat",
      preset: "reference",
    });
    assert(check.ok, check.remarks.join("\n"));
    assert.deepEqual(check.ignored, [{ name: "vl_model", tensors: 300, bytes: 300 * 2 ** 23 }]);
    assert.equal(check.parameters.total, 119_686_663);
    assert(Deno.memoryUsage().rss - before < 5e7, "nothing of it is kept in memory");
  }));

Deno.test("what is asked for is read with care", () => {
  assert.deepEqual(parsePolicyChoice("no-sensor"), { family: "no-sensor", fusion: "none" });
  assert.deepEqual(parsePolicyChoice("regression"), { family: "regression" });
  assert.deepEqual(parsePolicyChoice("Reference/Diffusion:Cross-Attention"), {
    architecture: "reference",
    family: "diffusion",
    fusion: "cross_attention",
  });
  for (
    const text of ["", "regresion", "regression:sum", "no-sensor:concat", "a/regression:none", ":"]
  ) {
    assert.throws(() => parsePolicyChoice(text), RangeError, text);
  }
});

/** Runs the command. */
async function command(...args: string[]) {
  const script = new URL("../../scripts/check_checkpoint.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("the command says it in one screen, as a document and as an exit code", () =>
  withFolder(async (root) => {
    const path = writeState(root, tensors);
    const good = await command(path, "--stats", "--quiet");
    assert.deepEqual([good.code, good.stderr], [0, ""]);
    assert.match(good.stdout, /^OK: .*model\.pt\n/);
    const bad = await command(path, "--against", "diffusion:gated", "--json");
    assert.equal(bad.code, 1);
    const document = JSON.parse(bad.stdout) as Record<string, unknown>;
    const { ok, layout, stage, architecture } = document;
    assert.deepEqual([ok, layout, stage, architecture], [
      false,
      "model_state_dict",
      null,
      "reference",
    ]);
    for (const list of ["missing", "unexpected", "mismatched", "nonFinite"]) {
      assert(Array.isArray(document[list]), list);
    }
    const typo = await command(path, "--against", "regresion:concat");
    assert.equal(typo.code, 2);
    assert.match(typo.stderr, /--against.*regression/);
    assert.equal((await command(`${root}/nothing.pt`)).code, 1);
    const help = await command("--help");
    assert.equal(help.code, 0);
    assert.match(help.stdout, /sensor_encoder missing/);
  }));
