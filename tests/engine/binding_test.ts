import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { ATTR } from "../../lib/engine/tensorflow/_attributes.ts";
import type { TensorFlowBinding } from "../../lib/engine/tensorflow/_binding.ts";
import { DT } from "../../lib/engine/tensorflow/_dtypes.ts";
import { TensorFlowError } from "../../lib/engine/tensorflow/_library.ts";
import { attributes, bytes, handlesLeft, nativeTest, residentMegabytes, take } from "./_native.ts";

const FLOAT = attributes(["T", ATTR.type, DT.float32]);

const zeros = (binding: TensorFlowBinding, ...shape: number[]) =>
  binding.createTensor(shape, DT.float32, new Float32Array(shape.reduce((a, b) => a * b, 1)));

nativeTest("executeOp() names the op and the shapes of its inputs when it fails", (_, binding) => {
  const left = handlesLeft(binding, () => {
    const [a, b] = [zeros(binding, 2, 3), zeros(binding, 4, 5)];
    assert.throws(() => binding.executeOp("MatMul", FLOAT, [a, b], 1), (error) => {
      assert.ok(error instanceof TensorFlowError);
      assert.equal(error.code, 3); // TF_INVALID_ARGUMENT
      assert.ok(error.message.startsWith("Cannot run MatMul(float32[2,3], float32[4,5]): "));
      return true;
    });
    assert.throws(() => binding.executeOp("NoSuchOp", [], [a], 1), {
      name: "TensorFlowError",
      message: /^Cannot run NoSuchOp\(float32\[2,3\]\): .*NoSuchOp/,
    });
    assert.throws(
      () => binding.executeOp("AddN", FLOAT, new Array(12).fill(a).concat(b), 1),
      /^TensorFlowError: Cannot run AddN\((float32\[2,3\], ){8}… 5 more\): /,
    );
    binding.deleteTensor(a);
    binding.deleteTensor(b);
  });
  assert.equal(left, 0);
});

nativeTest("executeOp() works again after an op that failed", (_native, binding) => {
  const [a, b] = [zeros(binding, 2, 3), zeros(binding, 4, 5)];
  assert.throws(() => binding.executeOp("MatMul", FLOAT, [a, b], 1));
  const [square] = binding.executeOp("Square", FLOAT, [a], 1);
  assert.deepEqual(take(binding, square!.id), [0, 0, 0, 0, 0, 0]);
  binding.deleteTensor(a);
  binding.deleteTensor(b);
});

nativeTest("executeOp() tells missing and superfluous inputs", (_native, binding) => {
  const a = zeros(binding, 1);
  assert.throws(
    () => binding.executeOp("Add", FLOAT, [a], 1),
    /^TensorFlowError: Cannot run Add\(/,
  );
  assert.throws(() => binding.executeOp("Neg", FLOAT, [a, a], 1), /Cannot run Neg\(/);
  binding.deleteTensor(a);
});

nativeTest("a tensor cannot be used after it was deleted", (_native, binding) => {
  const id = zeros(binding, 1);
  binding.deleteTensor(id);
  const message = `Cannot use tensor: it does not exist or was disposed, current value is id ${id}`;
  assert.throws(() => binding.tensorDataSync(id), { message });
  assert.throws(() => binding.deleteTensor(id), { message });
  assert.throws(() => binding.executeOp("Neg", FLOAT, [id], 1), { message });
  assert.throws(() => binding.tensors.share(id), { message });
});

nativeTest("share() keeps the memory of a tensor that is deleted", (_native, binding) => {
  const first = binding.createTensor([2], DT.int32, Int32Array.of(4, 5));
  const second = binding.tensors.share(first);
  binding.deleteTensor(first);
  assert.deepEqual(take(binding, second), [4, 5]);
});

nativeTest("a resource handle holds a variable until it is deleted", (_native, binding) => {
  const left = handlesLeft(binding, () => {
    const [handle] = binding.executeOp(
      "VarHandleOp",
      attributes(["dtype", ATTR.type, DT.float32], ["shape", ATTR.shape, [2]]),
      [],
      1,
    );
    assert.equal(handle!.dtype, DT.resource);
    assert.deepEqual(handle!.shape, []);
    const type = attributes(["dtype", ATTR.type, DT.float32]);
    const value = binding.createTensor([2], DT.float32, Float32Array.of(1, 2));
    assert.deepEqual(binding.executeOp("AssignVariableOp", type, [handle!.id, value], 0), []);
    binding.executeOp("AssignAddVariableOp", type, [handle!.id, value], 0);
    const [read] = binding.executeOp("ReadVariableOp", type, [handle!.id], 1);
    assert.deepEqual(take(binding, read!.id), [2, 4]);
    binding.executeOp("DestroyResourceOp", [], [handle!.id], 0);
    assert.throws(() => binding.executeOp("ReadVariableOp", type, [handle!.id], 1), {
      name: "TensorFlowError",
      message: /^Cannot run ReadVariableOp\(resource\[\]\): /,
    });
    binding.deleteTensor(value);
    binding.deleteTensor(handle!.id);
  });
  assert.equal(left, 0);
});

nativeTest("executeOp() returns lists of outputs", (_native, binding) => {
  const x = binding.createTensor([4], DT.float32, Float32Array.of(1, 2, 3, 4));
  const axis = binding.createTensor([], DT.int32, Int32Array.of(0));
  const split = attributes(["num_split", ATTR.int, 4], ["T", ATTR.type, DT.float32]);
  const parts = binding.executeOp("Split", split, [axis, x], 4);
  assert.deepEqual(parts.map((part) => take(binding, part.id)), [[1], [2], [3], [4]]);
  binding.deleteTensor(x);
  binding.deleteTensor(axis);
});

/** Many kinds of ops, with some that fail. */
function mixedOps(binding: TensorFlowBinding): void {
  tf.tidy(() => {
    const x = tf.tensor2d([[1, 2, 3], [4, 5, 6]]);
    const [left, right] = tf.split(x, [1, 2], 1);
    const joined = tf.concat([left!, right!], 1).matMul(x, false, true).relu();
    const indices = joined.argMax(1).toInt();
    x.gather(indices, 1).sum().add(tf.scalar(1)).dataSync();
    tf.complex(x, x).mul(tf.complex(x, x));
    tf.topk(x, 2).values.notEqual(tf.scalar(0)).any();
    tf.grad((v: tf.Tensor) => v.conv1d(tf.ones([1, 3, 2]), 1, "same").square().mean())(
      x.expandDims(0),
    );
    tf.tensor1d(["a", "a string that is not stored in place"]).dataSync();
    assert.throws(() => x.reshape([3, 2]).matMul(tf.ones([4, 4])));
  });
  const wide = binding.createTensor([2], DT.int64, BigInt64Array.of(1n, -1n));
  const list = attributes(["SrcT", ATTR.type, DT.int64], ["DstT", ATTR.type, DT.float32]);
  const [narrow] = binding.executeOp("Cast", list, [wide], 1);
  binding.deleteTensor(wide);
  take(binding, narrow!.id);
  assert.throws(() => binding.executeOp("MatMul", FLOAT, [narrow!.id, 0], 1));
}

/** How many ops a body runs. */
function countOps(binding: TensorFlowBinding, body: () => void): number {
  const { execute } = binding;
  let count = 0;
  binding.execute = (...args) => {
    count++;
    return execute.apply(binding, args);
  };
  body();
  binding.execute = execute;
  return count;
}

nativeTest("10,000 ops leave no handle, no tensor and no memory behind", (_native, binding) => {
  for (let i = 0; i < 100; i++) mixedOps(binding);
  const handles = binding.getNumOfTensors();
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  const before = residentMegabytes();
  const ops = countOps(binding, () => {
    for (let i = 0; i < 400; i++) mixedOps(binding);
  });
  const grown = residentMegabytes() - before;
  assert.ok(ops >= 10_000, `only ${ops} ops`);
  assert.equal(binding.getNumOfTensors(), handles);
  const after = tf.memory();
  assert.equal(after.numTensors, numTensors);
  assert.equal(after.numDataBuffers, numDataBuffers);
  assert.equal(after.numBytes, numBytes);
  assert.ok(grown < 30, `resident memory grew by ${grown.toFixed(1)} MB`);
});

nativeTest("large tensors give their memory back", (_native, binding) => {
  const values = new Float32Array(1 << 20);
  const step = () => {
    const id = binding.createTensor([values.length], DT.float32, values);
    const [negative] = binding.executeOp("Neg", FLOAT, [id], 1);
    binding.deleteTensor(id);
    binding.deleteTensor(negative!.id);
  };
  for (let i = 0; i < 20; i++) step();
  const before = residentMegabytes();
  for (let i = 0; i < 200; i++) step(); // 200 × 8 MB
  const grown = residentMegabytes() - before;
  assert.ok(grown < 50, `resident memory grew by ${grown.toFixed(1)} MB`);
});

nativeTest("100,000 long strings give their memory back", (_native, binding) => {
  const values = bytes(...Array.from({ length: 1000 }, (_, i) => `${i}`.padEnd(500, "∂")));
  const join = attributes(["N", ATTR.int, 2], ["separator", ATTR.string, " "]);
  const step = () => {
    const id = binding.createTensor([values.length], DT.string, values);
    const [joined] = binding.executeOp("StringJoin", join, [id, id], 1);
    binding.deleteTensor(id);
    binding.deleteTensor(joined!.id);
  };
  for (let i = 0; i < 100; i++) step();
  const before = residentMegabytes();
  for (let i = 0; i < 100; i++) step(); // 100 × 1000 strings of 1.5 kB, and of 3 kB: 450 MB
  const grown = residentMegabytes() - before;
  assert.ok(grown < 40, `resident memory grew by ${grown.toFixed(1)} MB`);
});

nativeTest("a string tensor outlives the tensor that it was made from", (_native, binding) => {
  const text = "a string that is not stored in place";
  const first = binding.createTensor([1], DT.string, bytes(text));
  const list = attributes(["T", ATTR.type, DT.string]);
  const [second] = binding.executeOp("Identity", list, [first], 1);
  binding.deleteTensor(first);
  for (let i = 0; i < 100; i++) {
    binding.deleteTensor(binding.createTensor([1], DT.string, bytes(text.replaceAll("s", "x"))));
  }
  assert.deepEqual(take(binding, second!.id), [text]);
});

nativeTest("startTensorFlow() lets a process end in order, and with an error", async () => {
  const start = 'import { startEngine } from "trocar/engine"; ' +
    'await startEngine({ engine: "tensorflow", install: false });';
  for (const [last, expected] of [["", 0], ["throw new Error('on purpose')", 1]] as const) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", `${start} ${last}`],
      cwd: new URL("../..", import.meta.url),
    }).output();
    assert.equal(code, expected, new TextDecoder().decode(stderr));
  }
});
