import assert from "node:assert/strict";
import {
  fromBytes,
  openTorchCheckpoint,
  PickleFloat,
  PickleReference,
  PickleTuple,
  TorchDevice,
  TorchOrderedDict,
  TorchSize,
  TorchTensor,
} from "../../lib/formats/mod.ts";
import { content } from "./_tensor_fixtures.ts";
import { at, describe, EXPECTED, torchFixture } from "./_torch_fixtures.ts";

for (const [name, expected] of Object.entries(EXPECTED)) {
  Deno.test(`reads the ${expected.length} tensors of ${name}.pt as PyTorch does, bit for bit`, () => {
    using checkpoint = openTorchCheckpoint(torchFixture(name));
    assert.deepEqual(describe(checkpoint), expected);
  });
}

Deno.test("reads a training checkpoint's numbers and texts beside its tensors", () => {
  using checkpoint = openTorchCheckpoint(torchFixture("stage1"));
  const { value } = checkpoint;
  assert.equal(at(value, "epoch"), 3);
  assert.equal(at(value, "global_step"), 1234);
  assert.equal(at(value, "val_loss"), 0.125);
  assert.equal(at(value, "training_stage"), "stage1");
  assert.deepEqual(at(value, "scheduler_state_dict", "lr_lambdas"), [null, null]);
  const groups = at(value, "optimizer_state_dict", "param_groups") as Map<string, unknown>[];
  assert.deepEqual(groups[0]!.get("betas"), new PickleTuple([0.9, 0.999]));
  assert.deepEqual(groups.map((group) => group.get("params")), [[0, 1], [2, 3, 4, 5]]);
  const state = at(value, "model_state_dict");
  assert(state instanceof TorchOrderedDict);
  assert.deepEqual(at(state.attributes.get("_metadata")!, "bn1"), new Map([["version", 2]]));
  const batches = at(state, "bn1.num_batches_tracked") as TorchTensor;
  assert.deepEqual(batches.read({ dtype: "int64", shape: [] }).data, new BigInt64Array([3n]));
});

Deno.test("reads every other value that PyTorch saves", () => {
  using checkpoint = openTorchCheckpoint(torchFixture("values"), { floats: "tagged" });
  const { value } = checkpoint;
  assert.equal(at(value, "none"), null);
  assert.deepEqual(at(value, "longs"), [2n ** 53n, -(2n ** 63n), 2n ** 64n, -(2n ** 200n)]);
  const floats = [0, -0, 1, 0.1, 1e300, Infinity].map((number) => new PickleFloat(number));
  assert.deepEqual(at(value, "floats"), floats);
  assert.deepEqual(at(value, "texts"), ["", "é😀", "x".repeat(300), "line\n"]);
  assert.deepEqual([...(at(value, "keys") as Map<unknown, unknown>).values()], [
    ...["int", "str", "float", "none", "tuple"],
  ]);
  assert.deepEqual(at(value, "size"), new TorchSize([2, 3]));
  assert.deepEqual(at(value, "device"), new TorchDevice("cuda:1"));
  assert.deepEqual(at(value, "dtype"), new PickleReference("torch.bfloat16"));
  assert.deepEqual([...(at(value, "ordered") as Map<unknown, unknown>)], [["b", 1], ["a", 2]]);
  assert.deepEqual(at(value, "set"), new Set([1, 2]));
  assert.deepEqual(at(value, "bytes"), new Uint8Array([0, 255]));
});

Deno.test("tells which tensors are contiguous, and reads rows of all", () => {
  using checkpoint = openTorchCheckpoint(torchFixture("views"));
  const contiguous = checkpoint.tensors().filter(([, tensor]) => tensor.isContiguous);
  assert.deepEqual(contiguous.map(([path]) => path.join(".")), [
    ...["base", "row", "scalar", "empty", "empty_beyond", "tied.0", "tied.1"],
  ]);
  for (const [path, tensor] of checkpoint.tensors()) {
    const rows = tensor.shape[0] ?? 1, { data } = tensor.read();
    const rowLength = rows === 0 ? 0 : data.length / rows;
    for (let start = 0; start <= rows; start++) {
      for (let end = start; end <= rows; end++) {
        const part = (data as Float32Array).slice(start * rowLength, end * rowLength);
        assert.deepEqual(tensor.readRows(start, end), part, `${path} ${start} ${end}`);
      }
    }
    assert.throws(() => tensor.readRows(0, rows + 1), RangeError);
  }
});

Deno.test("reads into the caller's memory, also where its place is odd", () => {
  using checkpoint = openTorchCheckpoint(torchFixture("views"));
  for (const [path, tensor] of checkpoint.tensors()) {
    const bytes = new Uint8Array(tensor.bytes + 3);
    tensor.readInto(bytes.subarray(1, 1 + tensor.bytes));
    assert.equal(bytes.subarray(1, -2).toHex(), content(tensor.read()).bytes, path.join("."));
    assert.deepEqual([bytes[0], bytes.at(-1), bytes.at(-2)], [0, 0, 0]);
  }
  const base = at(checkpoint.value, "base") as TorchTensor;
  assert.throws(() => base.readInto(new Float32Array(23)), /24|96 bytes of float32/);
  assert.throws(() => base.readInto(new Int32Array(24)), /Int32Array/);
  assert.throws(
    () => base.read({ dtype: "float16" }),
    /record views\/data\/0: the dtype .* float16/,
  );
  assert.throws(
    () => base.read({ shape: [6, 4] }),
    /should be \(6, 4\), current value is \(4, 6\)/,
  );
});

Deno.test("storages come as pieces, and only what is asked for is read", () => {
  const bytes = Deno.readFileSync(torchFixture("stage1"));
  const file = fromBytes(bytes, "stage1.pt");
  let read = 0;
  const counting = {
    ...file,
    read(offset: number, length: number) {
      read += length;
      return file.read(offset, length);
    },
    readInto(target: ArrayBufferView, offset: number) {
      read += target.byteLength;
      file.readInto(target, offset);
    },
  };
  using checkpoint = openTorchCheckpoint(counting);
  const tensors = checkpoint.tensors();
  const opened = read;
  const [, weight] = tensors[0]!;
  weight.readRows(1, 2);
  assert(read - opened <= 15 * 4 + 100, `${read - opened} bytes for 60`);
  const pieces = [...weight.storage.pieces()].map((piece) => piece.toHex());
  assert.deepEqual(pieces, [content(weight.read()).bytes]);
});

Deno.test("names the files that are no checkpoint of torch.save", () => {
  const refused: [string, RegExp][] = [
    ["legacy", /at byte 0: .*zip archive, current value is a legacy file of PyTorch before 1\.6/],
    ["torchscript", /current value is a TorchScript archive of torch\.jit\.save/],
    [
      "sparse",
      /record sparse\/data\.pkl at byte \d+: .*torch\._utils\._rebuild_sparse_tensor.*Noth/,
    ],
    ["conjugated", /at byte \d+: .*elements as they are, current value is conj\. .*resolve_conj/],
  ];
  for (const [name, message] of refused) {
    assert.throws(() => openTorchCheckpoint(torchFixture(name)), (error: Error) => {
      assert(error instanceof SyntaxError, String(error.stack));
      assert.match(error.message, message);
      return true;
    });
  }
  const safetensors = torchFixture("stage1").replace(
    "torch/stage1.pt",
    "safetensors/all.safetensors",
  );
  assert.throws(() => openTorchCheckpoint(safetensors), /a safetensors file\. Open it with/);
  const empty = () => openTorchCheckpoint(fromBytes(new Uint8Array(0), "x.pt"));
  assert.throws(empty, /x\.pt at byte 0: .*an empty file/);
  const html = new TextEncoder().encode("<!DOCTYPE html>");
  assert.throws(() => openTorchCheckpoint(fromBytes(html, "x.pt")), /begins with 3c21444f43545950/);
  const pickle = torchFixture("stage1").replace("torch/stage1.pt", "pickle/plain_p4.pkl");
  assert.throws(() => openTorchCheckpoint(pickle), /a pickle without an archive/);
});

Deno.test("a tensor cannot be read once the checkpoint is closed", () => {
  const checkpoint = openTorchCheckpoint(torchFixture("views"));
  const [, tensor] = checkpoint.tensors()[0]!;
  checkpoint.close();
  checkpoint.close();
  assert.throws(() => tensor.read(), /was closed before/);
});
