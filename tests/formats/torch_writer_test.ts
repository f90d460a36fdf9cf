import assert from "node:assert/strict";
import {
  NumpyScalar,
  openRandomAccess,
  openSafetensors,
  openTorchCheckpoint,
  PickleFloat,
  PickleReference,
  PickleTuple,
  readZipDirectory,
  type TorchInput,
  TorchTensor,
  writeSafetensors,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { checkpointWriter } from "../../lib/formats/torch_checkpoint_writer.ts";
import { zipDataOffset } from "../../lib/formats/zip.ts";
import { content, formatFixture } from "./_tensor_fixtures.ts";
import { at, describe, EXPECTED, NAMES, plain, torchFixture } from "./_torch_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

function temporary(name = "checkpoint.pt"): string {
  return `${temporaryFolder()}/${name}`;
}

for (const name of NAMES) {
  Deno.test(`${name}.pt is the same after it was read and written`, () => {
    const path = temporary();
    using original = openTorchCheckpoint(torchFixture(name), { floats: "tagged" });
    writeTorchCheckpoint(path, original.value);
    using copy = openTorchCheckpoint(path, { floats: "tagged" });
    assert.deepEqual(describe(copy), EXPECTED[name]);
    assert.deepEqual(plain(copy.value), plain(original.value));
  });
}

Deno.test("PyTorch loads what is written with weights_only=True, where it is installed", async (t) => {
  const folder = temporaryFolder();
  for (const name of NAMES) {
    using original = openTorchCheckpoint(torchFixture(name), { floats: "tagged" });
    writeTorchCheckpoint(`${folder}/${name}.pt`, original.value);
  }
  const python = await hasPyTorch();
  await t.step({
    name: "bit for bit, with types, strides and shared storages",
    ignore: !python,
    fn: async () => {
      const { success, stdout, stderr } = await new Deno.Command("python3", {
        args: ["make_torch.py", "check", folder],
        cwd: formatFixture("torch"),
      }).output();
      const text = new TextDecoder();
      assert(success, text.decode(stderr));
      assert.match(text.decode(stdout), /^6 files are the same/);
    },
  });
});

async function hasPyTorch(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("python3", {
      args: ["-c", "import torch; assert torch.__version__ >= '2.6'"],
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}

Deno.test("the archive is laid out as PyTorch's: stored, storages at multiples of 64", () => {
  const path = temporary();
  const data = (length: number) => new Uint8Array(length).fill(7);
  const tensors = Array.from({ length: 70 }, (_, length) => ({
    dtype: "uint8" as const,
    shape: [length],
    data: data(length),
  }));
  writeTorchCheckpoint(path, tensors);
  using file = openRandomAccess(path);
  const entries = readZipDirectory(file);
  const names = ["data.pkl", "byteorder", ...tensors.map((_, i) => `data/${i}`), "version"];
  assert.deepEqual(entries.map(({ name }) => name), names.map((name) => `archive/${name}`));
  for (const entry of entries) {
    assert.equal(entry.method, 0);
    assert.equal(zipDataOffset(file, entry) % 64, 0, entry.name);
  }
});

Deno.test("equal contents give equal bytes, whatever the file is called", () => {
  const value = {
    epoch: 3,
    x: { dtype: "float32", shape: [2], data: new Float32Array(2) },
  } as const;
  const [a, b] = [temporary("a.pt"), temporary("b.pt")];
  writeTorchCheckpoint(a, value);
  writeTorchCheckpoint(b, value);
  assert.deepEqual(Deno.readFileSync(a), Deno.readFileSync(b));
});

Deno.test("a checkpoint may be one tensor, as a cached feature is", () => {
  const path = temporary();
  const data = new Float16Array([0.5, -2]);
  writeTorchCheckpoint(path, { dtype: "float16", shape: [1, 1, 2], data });
  using checkpoint = openTorchCheckpoint(path);
  const { value } = checkpoint;
  assert(value instanceof TorchTensor);
  assert.deepEqual(checkpoint.tensors(), [[[], value]]);
  assert.deepEqual(value.read({ dtype: "float16", shape: [1, 1, null] }).data, data);
});

Deno.test("tensors of one typed array share a storage, one dtype each", () => {
  const path = temporary();
  const data = new Uint16Array([1, 2, 3, 4]);
  writeTorchCheckpoint(path, {
    a: { dtype: "bfloat16", shape: [4], data },
    b: { dtype: "bfloat16", shape: [2, 2], data },
    c: { dtype: "uint16", shape: [4], data },
    d: { dtype: "bfloat16", shape: [4], data: data.slice() },
  });
  using checkpoint = openTorchCheckpoint(path);
  const [a, b, c, d] = checkpoint.tensors().map(([, tensor]) => tensor.storage.key);
  assert.deepEqual([a, b, c, d], ["0", "0", "1", "2"]);
  assert.deepEqual(checkpoint.tensors().map(([, tensor]) => tensor.strides), [[1], [2, 1], [1], [
    1,
  ]]);
});

Deno.test("tensors go from safetensors to a checkpoint and back without a change", () => {
  const path = temporary(), back = temporary("back.safetensors");
  const source = formatFixture("safetensors/all.safetensors");
  using all = openSafetensors(source);
  writeTorchCheckpoint(path, new Map(all.names.map((name) => [name, all.tensor(name)])));
  using checkpoint = openTorchCheckpoint(path);
  for (const [[name], tensor] of checkpoint.tensors()) {
    assert.deepEqual(content(tensor.read()), content(all.read(name as string)));
  }
  const tensors = checkpoint.tensors().map(([[name], tensor]) => [name as string, tensor] as const);
  writeSafetensors(back, new Map(tensors), all.metadata);
  assert.deepEqual(Deno.readFileSync(back), Deno.readFileSync(source));
});

Deno.test("a state that was read is written with changes, over the file it came from", () => {
  const path = temporary();
  Deno.copyFileSync(torchFixture("stage1"), path);
  using original = openTorchCheckpoint(path);
  const value = new Map(original.value as Map<string, unknown>);
  value.set("epoch", 4).set("note", "again").delete("optimizer_state_dict");
  writeTorchCheckpoint(path, value);
  using copy = openTorchCheckpoint(path);
  assert.equal(at(copy.value, "epoch"), 4);
  const state = (value: typeof copy.value) => plain(at(value, "model_state_dict"));
  assert.deepEqual(state(copy.value), state(original.value));
});

Deno.test("a checkpoint in the form of one beyond 4 GB is the same to us", () => {
  const path = temporary();
  using original = openTorchCheckpoint(torchFixture("stage1"));
  {
    using file = Deno.openSync(path, { write: true, createNew: true });
    checkpointWriter(path, original.value)(file, { bytes: 10, count: 3 });
  }
  using copy = openTorchCheckpoint(path);
  assert.deepEqual(describe(copy), EXPECTED.stage1);
});

Deno.test("refuses by its place what PyTorch would not load, and leaves the old file", () => {
  const path = temporary();
  writeTorchCheckpoint(path, { epoch: 1 });
  const before = Deno.readFileSync(path);
  const data = new Float32Array(6);
  const refused: [RegExp, unknown][] = [
    [/value\["a"\]\[1\].*undefined/, { a: [1, undefined] }],
    [/value\["loss"\].*numpy\.float64/, { loss: new NumpyScalar("float64", 2) }],
    [/value\["x"\].*a tensor of Float32Array of 6, which should hold 5 numbers.*\(5,\)/, {
      x: { dtype: "float32", shape: [5], data },
    }],
    [/value\["x"\].*a tensor of float31/, { x: { dtype: "float31", shape: [6], data } }],
    [/value\["x"\].*\(-6,\)/, { x: { dtype: "float32", shape: [-6], data } }],
    [/value\["x"\].*Float32Array/, { x: data }],
    [/value\["f"\].*Date/, { f: new Date() }],
    [/value\["t"\].*os\.system/, { t: new PickleReference("os.system") }],
    [/data\/0 should give float32 \(2,\), current value is float32 \(6,\)/, {
      x: { dtype: "float32", shape: [2], read: () => ({ dtype: "float32", shape: [6], data }) },
    }],
  ];
  for (const [message, value] of refused) {
    assert.throws(() => writeTorchCheckpoint(path, value as TorchInput), (error: Error) => {
      assert(error instanceof TypeError, String(error.stack));
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(Deno.readFileSync(path), before);
  assert.deepEqual([...Deno.readDirSync(path.slice(0, -14))].length, 1);
});

Deno.test("a damaged storage is not copied", () => {
  const path = temporary(), copy = temporary();
  writeTorchCheckpoint(path, {
    x: { dtype: "uint8", shape: [100], data: new Uint8Array(100).fill(9) },
  });
  const bytes = Deno.readFileSync(path);
  bytes[
    bytes.indexOf(9) +
    bytes.subarray(bytes.indexOf(9)).findIndex((_, i, all) =>
      all.subarray(i, i + 50).every((byte) => byte === 9)
    )
  ]! ^= 1;
  Deno.writeFileSync(path, bytes);
  using checkpoint = openTorchCheckpoint(path);
  assert.throws(
    () => writeTorchCheckpoint(copy, checkpoint.value),
    /data\/0 should have the CRC-32/,
  );
  assert.throws(() => Deno.statSync(copy), Deno.errors.NotFound);
  const tensor = at(checkpoint.value, "x") as TorchTensor;
  assert.throws(
    () => tensor.read(),
    /checkpoint\.pt at byte \d+: archive\/data\/0 should have the CRC/,
  );
});

Deno.test("keys are what they are, numbers are int or float by their value", () => {
  const path = temporary();
  const state = new Map<unknown, unknown>([[0, 1], [70000, -5], ["0", 2.5], [1n << 70n, true]]);
  writeTorchCheckpoint(path, { state, lr: new PickleFloat(1), betas: new PickleTuple([0.9, 1]) });
  using checkpoint = openTorchCheckpoint(path, { floats: "tagged" });
  assert.deepEqual([...(at(checkpoint.value, "state") as Map<unknown, unknown>)], [
    ...[[0, 1], [70000, -5], ["0", new PickleFloat(2.5)], [1n << 70n, true]],
  ]);
  assert.deepEqual(at(checkpoint.value, "lr"), new PickleFloat(1));
  assert.deepEqual(at(checkpoint.value, "betas"), new PickleTuple([new PickleFloat(0.9), 1]));
});
