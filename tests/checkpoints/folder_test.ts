import assert from "node:assert/strict";
import {
  type CheckpointContents,
  openCheckpoint,
  pointerPath,
  readPointer,
  writeCheckpoint,
  writePointer,
} from "../../lib/checkpoints/mod.ts";
import { narrowToBfloat16, openSafetensors, type TensorArray } from "../../lib/formats/mod.ts";
import { smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

const config = smallPolicy();
const contents: CheckpointContents = {
  config,
  program: "stage1",
  trainingStage: "stage1",
  epoch: 12,
  globalStep: 3456,
  consumedSamples: 27648,
  statisticsDigest: "ab".repeat(32),
  splitDigest: "cd".repeat(32),
  features: { name: "pixel-2048", version: 1 },
  losses: { train: 0.25, validation: 0.5, bestValidation: 0.125, bestEpoch: 7 },
  sampler: { epoch: 12, position: 5 },
  random: [1, 2 ** 53 - 1],
  schedule: { name: "trapezoid", step: 3456 },
  extra: { note: "größer als Ω" },
};

/** Bytes of a tensor in memory. */
function bytesOf({ data }: TensorArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

Deno.test("a checkpoint comes back from its folder as it was written, bit by bit", () =>
  withFolder(async (root) => {
    const tensors = tensorsOf(config);
    const key = "action_expert.fusion_proj.weight", other = "action_expert.output_head.1.weight";
    const values = tensors[key]!.data as Float32Array;
    values.set([NaN, -0, Infinity, 1e-45]); // bits, not numbers, are kept
    tensors[other] = {
      dtype: "bfloat16",
      shape: tensors[other]!.shape,
      data: narrowToBfloat16(tensors[other]!.data as Float32Array<ArrayBuffer>),
    };
    const half = "action_expert.pos_embed";
    tensors[half] = {
      dtype: "float16",
      shape: tensors[half]!.shape,
      data: Float16Array.from(tensors[half]!.data as Float32Array),
    };
    const training: Record<string, TensorArray> = {
      step: { dtype: "int32", shape: [], data: new Int32Array([3456]) },
      [`exp_avg.${key}`]: tensors[key]!,
      [`ema.${half}`]: tensors[half]!,
    };
    const folder = `${root}/epoch-0012`;
    const written = await writeCheckpoint(folder, { contents, tensors, training });
    using checkpoint = openCheckpoint(folder);
    assert.equal(checkpoint.layout, "folder");
    assert.deepEqual(checkpoint.document, written);
    const { format: _f, files, digest: _d, createdBy, formatVersion, epochBase, ...rest } = written;
    assert.deepEqual([createdBy.split(" ")[0], formatVersion, epochBase], ["trocar", 1, 1]);
    assert.deepEqual(files.map(({ name }) => name), ["model.safetensors", "training.safetensors"]);
    assert.deepEqual(rest, {
      ...contents,
      optimizer: null,
      actionRepresentation: null,
      assumed: [],
    });
    assert.deepEqual(
      [...checkpoint.tensors.keys()].sort(),
      Object.keys(tensors).sort(),
    );
    for (const [name, tensor] of Object.entries(tensors)) {
      const found = checkpoint.tensors.get(name)!.read();
      assert.deepEqual([found.dtype, found.shape], [tensor.dtype, tensor.shape], name);
      assert.deepEqual(bytesOf(found), bytesOf(tensor), name);
    }
    const moments = checkpoint.training()!;
    assert.deepEqual([...moments.keys()].sort(), Object.keys(training).sort());
    assert.deepEqual(bytesOf(moments.get(`exp_avg.${key}`)!.read()), bytesOf(tensors[key]!));
    await checkpoint.verify();
    // Any program that reads safetensors finds the reference's keys.
    using file = openSafetensors(`${folder}/model.safetensors`);
    assert(file.names.includes("sensor_encoder.conv_backbone.1.num_batches_tracked"));
  }));

Deno.test("what could not be loaded again is not written, and says why", () =>
  withFolder(async (root) => {
    const folder = `${root}/a`, tensors = tensorsOf(config);
    const write = (change: Partial<Parameters<typeof writeCheckpoint>[1]>) =>
      writeCheckpoint(folder, { contents, tensors, ...change });
    const { "action_expert.pos_embed": one, ...missing } = tensors;
    await assert.rejects(write({ tensors: missing }), /1 tensor missing: action_expert.pos_embed/);
    await assert.rejects(
      write({ tensors: { ...tensors, extra: one! } }),
      /1 tensor unexpected: extra/,
    );
    await assert.rejects(
      write({ tensors: { ...tensors, "action_expert.output_head.1.bias": one! } }),
      /of another shape: action_expert.output_head.1.bias should be \(7\), is \(1, 8, 16\)/,
    );
    await assert.rejects(write({ tensors: {} }), RangeError);
    await assert.rejects(write({ training: { "exp_avg.nothing": one! } }), /exp_avg.nothing/);
    await assert.rejects(
      write({ training: { "exp_avg.action_expert.output_head.1.bias": one! } }),
      RangeError,
    );
    await assert.rejects(
      write({ contents: { ...contents, losses: { train: NaN } } }),
      /losses.train/,
    );
    await assert.rejects(write({ contents: { ...contents, epoch: -1 } }), /epoch/);
    await assert.rejects(write({ contents: { ...contents, random: NaN } }), /random/);
    assert.deepEqual([...Deno.readDirSync(root)], [], "nothing is left behind");
  }));

Deno.test("a checkpoint is replaced by one that reads its tensors from the old one", () =>
  withFolder(async (root) => {
    const folder = `${root}/latest`;
    await writeCheckpoint(folder, { contents, tensors: tensorsOf(config) });
    using old = openCheckpoint(folder);
    await writeCheckpoint(folder, {
      contents: { ...contents, epoch: 13 },
      tensors: old.tensors,
    });
    using replaced = openCheckpoint(folder);
    assert.deepEqual([old.epoch, replaced.epoch], [12, 13]);
    const key = "action_expert.fusion_proj.weight";
    assert.deepEqual(replaced.tensors.get(key)!.read(), old.tensors.get(key)!.read());
    await old.verify(); // what is open stays whole
    await replaced.verify();
  }));

Deno.test("members that are not known are kept, and a newer version is refused by name", () =>
  withFolder(async (root) => {
    const folder = `${root}/a`;
    const extra = { later: [{ any: null }] };
    await writeCheckpoint(folder, { contents: { ...contents, extra }, tensors: tensorsOf(config) });
    {
      using checkpoint = openCheckpoint(folder);
      assert.deepEqual(checkpoint.document!.extra, extra);
    }
    const path = `${folder}/checkpoint.json`;
    const text = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, text.replace('"formatVersion": 1', '"formatVersion": 2'));
    assert.throws(() => openCheckpoint(folder), /Update trocar/);
  }));

Deno.test("pointers of a run lead to its checkpoints, and say what they miss", () =>
  withFolder(async (run) => {
    for (const epoch of [1, 2]) {
      await writeCheckpoint(`${run}/epoch-${epoch}`, {
        contents: { ...contents, epoch },
        tensors: tensorsOf(config, epoch),
      });
    }
    writePointer(run, "latest", "epoch-2");
    writePointer(run, "best", `${run}/epoch-1`);
    const epoch = (path: string, which?: "best" | "final") => {
      using checkpoint = openCheckpoint(path, which === undefined ? {} : { which });
      return checkpoint.epoch;
    };
    assert.equal(epoch(run), 2);
    assert.equal(epoch(run, "best"), 1);
    assert.equal(epoch(pointerPath(run, "best")), 1);
    assert.equal(epoch(`${run}/epoch-1/checkpoint.json`), 1);
    assert.throws(() => openCheckpoint(run, { which: "final" }), /only latest, best/);
    for (const wrong of ["epoch-3", "..", "../other", "/etc", ""]) {
      assert.throws(() => writePointer(run, "final", wrong), RangeError, wrong);
    }
    Deno.removeSync(`${run}/epoch-2`, { recursive: true });
    assert.throws(() => readPointer(run, "latest"), /moved or deleted/);
    for (
      const text of [
        "",
        "{",
        "[]",
        "null",
        '{"format":"trocar-pointer"}',
        ...["../x", "/etc/passwd", "a/../../x", "C:/x", "a\\\\b", "", "./a", "a\\u0000b"].map(
          (target) => `{"format":"trocar-pointer","checkpoint":"${target}"}`,
        ),
      ]
    ) {
      Deno.writeTextFileSync(pointerPath(run, "final"), text);
      assert.throws(() => readPointer(run, "final"), SyntaxError, text);
    }
  }));

Deno.test("a folder that is no checkpoint, and a path that is not there, are told apart", () =>
  withFolder((root) => {
    assert.throws(() => openCheckpoint(`${root}/nothing`), Deno.errors.NotFound);
    assert.throws(() => openCheckpoint(root), /checkpoint\.json, or the pointers/);
    Deno.writeTextFileSync(`${root}/a.pt`, "no archive");
    assert.throws(() => openCheckpoint(`${root}/a.pt`), SyntaxError);
    Deno.writeTextFileSync(`${root}/b.safetensors`, "");
    assert.throws(() => openCheckpoint(`${root}/b.safetensors`), SyntaxError);
  }));
