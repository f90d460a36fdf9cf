import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { loadSavedModel } from "../../lib/engine/saved_model.ts";
import { DT } from "../../lib/engine/tensorflow/_dtypes.ts";
import { bytes, handlesLeft, nativeTest, residentMegabytes, take } from "./_native.ts";

const url = new URL("../../data-fixtures/saved_model/affine", import.meta.url);
const folder = fileURLToPath(url);

nativeTest("loadSavedModel() runs a signature with a variable", async () => {
  const model = await loadSavedModel(url);
  assert.deepEqual(model.inputs, {
    x: { modelDtype: "float32", dtype: "float32", shape: [null, 2] },
  });
  assert.deepEqual(Object.keys(model.outputs).sort(), ["total", "y"]);
  const x = tf.tensor2d([[1, 0], [0, 1], [1, 1]]);
  const { y, total } = model.run({ x });
  assert.deepEqual(y!.arraySync(), [[1.5, 2.5], [3.5, 4.5], [4.5, 6.5]]);
  assert.deepEqual(total!.arraySync(), 4);
  tf.dispose([x, y!, total!]);
  model.dispose();
});

nativeTest("loadSavedModel() holds int64 as int32 on both sides", async (_native, binding) => {
  const model = await loadSavedModel(folder, { signature: "count" });
  assert.equal(model.inputs.a!.modelDtype, "int64");
  assert.equal(model.inputs.a!.dtype, "int32");
  const handles = binding.getNumOfTensors();
  const [a, b] = [tf.tensor1d([5, -5], "int32"), tf.tensor1d([7, 2 ** 30], "int32")];
  const { difference } = model.run({ b, a });
  assert.equal(difference!.dtype, "int32");
  assert.deepEqual(difference!.arraySync(), [-2, -5 - 2 ** 30]);
  tf.dispose([a, b, difference!]);
  assert.equal(binding.getNumOfTensors(), handles);
  model.dispose();
});

nativeTest("loadSavedModel() runs a signature of strings", async () => {
  const model = await loadSavedModel(folder, { signature: "greet" });
  const text = tf.tensor1d(["", "針", "a string that is not stored in place"]);
  const { greeting } = model.run({ text });
  assert.deepEqual(greeting!.arraySync(), [
    "hello ",
    "hello 針",
    "hello a string that is not stored in place",
  ]);
  tf.dispose([text, greeting!]);
  model.dispose();
});

nativeTest("loadSavedModel() says what is missing", async (_native, binding) => {
  const before = binding.getNumOfSavedModels();
  await assert.rejects(loadSavedModel("no/such/folder"), {
    message: 'Cannot load SavedModel "no/such/folder": there is no file saved_model.pb in it',
  });
  await assert.rejects(loadSavedModel(folder, { tags: ["serve", "gpu"] }), {
    message:
      `Cannot load SavedModel "${folder}": its graphs have the tags "serve", current value is "serve,gpu"`,
  });
  await assert.rejects(loadSavedModel(folder, { signature: "predict" }), {
    message: /its signatures are .*serving_default.*, current value is "predict"$/,
  });
  assert.equal(binding.getNumOfSavedModels(), before);
});

nativeTest("SavedModel.run() refuses wrong inputs", async () => {
  const model = await loadSavedModel(folder);
  const x = tf.tensor2d([[1, 0]]);
  assert.throws(() => model.run({}), {
    name: "TypeError",
    message: `Cannot run SavedModel "${folder}": its inputs are x, current value is `,
  });
  assert.throws(() => model.run({ x, y: x }), /current value is x, y$/);
  assert.throws(() => tf.tidy(() => model.run({ x: x.toInt() })), {
    name: "TypeError",
    message: /input "x" takes float32, current value is int32; cast it$/,
  });
  assert.throws(() => tf.tidy(() => model.run({ x: tf.zeros([1, 3]) })), /1,3/);
  x.dispose();
  model.dispose();
});

nativeTest("SavedModel.dispose() frees the model once", async (_native, binding) => {
  const before = binding.getNumOfSavedModels();
  const first = await loadSavedModel(folder);
  const second = await loadSavedModel(folder, { signature: "greet" });
  assert.equal(binding.getNumOfSavedModels(), before + 2);
  first.dispose();
  first.dispose();
  assert.equal(binding.getNumOfSavedModels(), before + 1);
  assert.throws(() => first.run({ x: tf.zeros([1, 2]) }), {
    message: `Cannot run SavedModel "${folder}": it was disposed`,
  });
  second.dispose();
  assert.equal(binding.getNumOfSavedModels(), before);
});

nativeTest("SavedModel.run() keeps nothing, strings included", async (_native, binding) => {
  const model = await loadSavedModel(folder, { signature: "greet" });
  const texts = Array.from({ length: 1000 }, (_, i) => `${i}`.repeat(100));
  const step = () =>
    tf.tidy(() => {
      model.run({ text: tf.tensor1d(texts) });
    });
  for (let i = 0; i < 150; i++) step();
  const [tensors, handles, before] = [
    tf.memory().numTensors,
    binding.getNumOfTensors(),
    residentMegabytes(),
  ];
  for (let i = 0; i < 600; i++) step(); // 600 × 1000 strings of 290 bytes, in and out: 340 MB
  const grown = residentMegabytes() - before;
  assert.equal(tf.memory().numTensors, tensors);
  assert.equal(binding.getNumOfTensors(), handles);
  assert.ok(grown < 100, `resident memory grew by ${grown.toFixed(1)} MB`);
  model.dispose();
});

const X = "serving_default_x:0";
const Y = "StatefulPartitionedCall:1";

nativeTest("runSavedModel() takes graph names in any order", (_native, binding) => {
  const id = binding.loadSavedModel(folder, "serve");
  const x = binding.createTensor([1, 2], DT.float32, Float32Array.of(1, 1));
  const outputs = binding.runSavedModel(id, [x], X, `StatefulPartitionedCall,${Y}`);
  assert.deepEqual(outputs.map(({ shape }) => shape), [[], [1, 2]]);
  assert.deepEqual(outputs.map((output) => take(binding, output.id)), [[2], [4.5, 6.5]]);
  binding.deleteTensor(x);
  binding.deleteSavedModel(id);
});

nativeTest("runSavedModel() names what is wrong and leaves no handle", (_native, binding) => {
  const id = binding.loadSavedModel(folder, "serve");
  const left = handlesLeft(binding, () => {
    const x = binding.createTensor([1, 2], DT.float32, Float32Array.of(1, 1));
    const text = binding.createTensor([1], DT.string, bytes("one"));
    const run = (inputs: number[], names: string, outputs: string) => () =>
      binding.runSavedModel(id, inputs, names, outputs);
    assert.throws(run([x], "no_such_op:0", Y), {
      message: /no operation of this name, current value is "no_such_op"$/,
    });
    assert.throws(run([x], X, "no_such_op:0"), /current value is "no_such_op"$/);
    assert.throws(run([x], X, "StatefulPartitionedCall:9"), /StatefulPartitionedCall:9/);
    assert.throws(run([x, x], X, Y), {
      name: "RangeError",
      message: /it was given 1 input names, current value is 2 tensors$/,
    });
    assert.throws(run([], "", Y), /serving_default_x/);
    assert.throws(run([text], X, Y), /string.*float|float.*string/i);
    assert.throws(run([987654], X, Y), /does not exist or was disposed/);
    binding.deleteTensor(x);
    binding.deleteTensor(text);
  });
  assert.equal(left, 0);
  binding.deleteSavedModel(id);
});

nativeTest("loadSavedModel() of the binding names folder and tags", (_native, binding) => {
  const before = binding.getNumOfSavedModels();
  assert.throws(() => binding.loadSavedModel(folder, "train"), (error: Error) => {
    assert.ok(error.message.startsWith(`Cannot load SavedModel "${folder}" with tags "train": `));
    return true;
  });
  assert.throws(
    () => binding.loadSavedModel("no/such/folder", "serve"),
    /^Error: Cannot load SavedModel "no\/such\/folder" with tags "serve": .*(no\/such|not find)/,
  );
  assert.equal(binding.getNumOfSavedModels(), before);
});

nativeTest("deleteSavedModel() makes the id unusable", (_native, binding) => {
  const id = binding.loadSavedModel(folder, "serve");
  binding.deleteSavedModel(id);
  const message =
    `Cannot use SavedModel: it was deleted or never loaded, current value is id ${id}`;
  assert.throws(() => binding.runSavedModel(id, [], "", Y), { message });
  assert.throws(() => binding.deleteSavedModel(id), { message });
});
