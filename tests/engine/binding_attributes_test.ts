import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { trace } from "../../lib/engine/_trace.ts";
import { ATTR } from "../../lib/engine/tensorflow/_attributes.ts";
import type { TensorFlowBinding } from "../../lib/engine/tensorflow/_binding.ts";
import { DT, type ElementArray } from "../../lib/engine/tensorflow/_dtypes.ts";
import { attributes, type AttributeTuple, bytes, nativeTest, take } from "./_native.ts";

type Input = readonly [shape: number[], dtype: number, values: ElementArray | Uint8Array[]];

/** Runs an op on new tensors and returns the values of its outputs; leaves no handle behind. */
function run(
  binding: TensorFlowBinding,
  op: string,
  list: readonly AttributeTuple[],
  inputs: readonly Input[],
  outputs = 1,
): (number | bigint | string)[][] {
  const ids = inputs.map((input) => binding.createTensor(...input));
  try {
    const results = binding.executeOp(op, attributes(...list), ids, outputs);
    return results.map(({ id }) => take(binding, id));
  } finally {
    for (const id of ids) binding.deleteTensor(id);
  }
}

const floats = (...values: number[]): Input => [
  [values.length],
  DT.float32,
  Float32Array.from(values),
];
const ints = (...values: number[]): Input => [[values.length], DT.int32, Int32Array.from(values)];
const scalar = (value: number): Input => [[], DT.int32, Int32Array.of(value)];
const strings = (...texts: string[]): Input => [[texts.length], DT.string, bytes(...texts)];

nativeTest("executeOp() passes string attributes", (_native, binding) => {
  const [found] = run(binding, "StringJoin", [
    ["N", ATTR.int, 2],
    ["separator", ATTR.string, "–∂–"],
  ], [strings("a", "b"), strings("c", "")]);
  assert.deepEqual(found, ["a–∂–c", "b–∂–"]);
  const [replaced] = run(binding, "StaticRegexReplace", [
    ["pattern", ATTR.string, "needle"],
    ["rewrite", ATTR.string, ""],
  ], [strings("a needle", "needleneedle")]);
  assert.deepEqual(replaced, ["a ", ""]);
});

nativeTest("executeOp() passes bool attributes", (_native, binding) => {
  for (const [all, expected] of [[true, "bb"], [false, "ba"]] as const) {
    const [found] = run(binding, "StaticRegexReplace", [
      ["pattern", ATTR.string, "a"],
      ["rewrite", ATTR.string, "b"],
      ["replace_global", ATTR.bool, all],
    ], [strings("aa")]);
    assert.deepEqual(found, [expected]);
  }
});

nativeTest("executeOp() passes int attributes, numbers, bigints and fractions", (_, binding) => {
  for (const axis of [0, 0n, 0.9]) {
    const [found] = run(binding, "OneHot", [
      ["axis", ATTR.int, axis],
      ["T", ATTR.type, DT.float32],
      ["TI", ATTR.type, DT.int32],
    ], [ints(0, 1), scalar(2), [[], DT.float32, Float32Array.of(5)], [
      [],
      DT.float32,
      Float32Array.of(0),
    ]]);
    assert.deepEqual(found, [5, 0, 0, 5]);
  }
});

nativeTest("executeOp() passes lists of ints", (_native, binding) => {
  const [found] = run(binding, "Conv2D", [
    ["T", ATTR.type, DT.float32],
    ["strides", ATTR.int, [1, 2, 2, 1]],
    ["padding", ATTR.string, "EXPLICIT"],
    ["explicit_paddings", ATTR.int, [0, 0, 1, 0, 1, 0, 0, 0]],
  ], [
    [[1, 3, 3, 1], DT.float32, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)],
    [[1, 1, 1, 1], DT.float32, Float32Array.of(10)],
  ]);
  assert.deepEqual(found, [0, 0, 0, 50]);
});

nativeTest("executeOp() passes float attributes and lists of floats", (_native, binding) => {
  const [leaky] = run(binding, "LeakyRelu", [
    ["T", ATTR.type, DT.float32],
    ["alpha", ATTR.float, 0.25],
  ], [floats(-4, 4)]);
  assert.deepEqual(leaky, [-1, 4]);
  const [buckets] = run(binding, "Bucketize", [
    ["T", ATTR.type, DT.float32],
    ["boundaries", ATTR.float, [-0.5, 0.5, 1.5]],
  ], [floats(-1, 0, 1, 2)]);
  assert.deepEqual(buckets, [0, 1, 2, 3]);
});

nativeTest("executeOp() passes types and lists of types", (_native, binding) => {
  const [cast] = run(binding, "Cast", [
    ["SrcT", ATTR.type, DT.float32],
    ["DstT", ATTR.type, DT.int64],
  ], [floats(1.9, -1.9)]);
  assert.deepEqual(cast, [1n, -1n]);
  const both = run(
    binding,
    "IdentityN",
    [
      ["T", ATTR.type, [DT.int32, DT.string]],
    ],
    [ints(7), strings("seven")],
    2,
  );
  assert.deepEqual(both, [[7], ["seven"]]);
});

nativeTest("executeOp() passes shapes", (_native, binding) => {
  for (const shape of [[2], [-1]]) {
    const list = [["T", ATTR.type, DT.float32], ["shape", ATTR.shape, shape]] as const;
    assert.deepEqual(run(binding, "EnsureShape", [...list], [floats(1, 2)]), [[1, 2]]);
  }
  const wrong = [["T", ATTR.type, DT.float32], ["shape", ATTR.shape, [3]]] as const;
  assert.throws(() => run(binding, "EnsureShape", [...wrong], [floats(1, 2)]), /\[3\]/);
});

/** A `tf.train.Example` with one list of floats per name (`example.proto`). */
function example(features: Readonly<Record<string, number[]>>): Uint8Array {
  const message = (field: number, body: Uint8Array) =>
    Uint8Array.of(field << 3 | 2, body.length, ...body);
  const entries = Object.entries(features).flatMap(([name, values]) => {
    const list = message(1, new Uint8Array(Float32Array.from(values).buffer));
    const feature = message(2, message(2, list));
    return [...message(1, Uint8Array.of(...message(1, bytes(name)[0]!), ...feature))];
  });
  return message(1, Uint8Array.from(entries));
}

nativeTest("executeOp() passes lists of strings and of shapes", (_native, binding) => {
  const found = run(
    binding,
    "ParseSingleExample",
    [
      ["num_sparse", ATTR.int, 0],
      ["sparse_keys", ATTR.string, []],
      ["sparse_types", ATTR.type, []],
      ["dense_keys", ATTR.string, ["force", "depth"]],
      ["Tdense", ATTR.type, [DT.float32, DT.float32]],
      ["dense_shapes", ATTR.shape, [[2, 1], []]],
    ],
    [[[], DT.string, [example({ force: [1, 2], depth: [3] })]], floats(), floats()],
    2,
  );
  assert.deepEqual(found, [[1, 2], [3]]);
});

nativeTest("executeOp() passes tensors", (_native, binding) => {
  const value = binding.createTensor([2], DT.string, bytes("kept", "inside"));
  const [output] = binding.executeOp(
    "Const",
    attributes(["dtype", ATTR.type, DT.string], ["value", ATTR.tensor, value]),
    [],
    1,
  );
  binding.deleteTensor(value);
  assert.deepEqual(take(binding, output!.id), ["kept", "inside"]);
});

nativeTest("executeOp() passes functions", (native, binding) => {
  const inputs = [{ shape: [], dtype: DT.float32 }];
  const half = trace(native, { name: "half", inputs, body: ([x]) => [x!.div(2)] });
  const next = trace(native, { name: "next", inputs, body: ([x]) => [x!.mul(3).add(1)] });
  for (const [condition, expected] of [[1, 5], [0, 31]] as const) {
    const [found] = run(binding, "StatelessIf", [
      ["Tcond", ATTR.type, DT.bool],
      ["Tin", ATTR.type, [DT.float32]],
      ["Tout", ATTR.type, [DT.float32]],
      ["then_branch", ATTR.func, half.name],
      ["else_branch", ATTR.func, next.name],
    ], [[[], DT.bool, Uint8Array.of(condition)], [[], DT.float32, Float32Array.of(10)]]);
    assert.deepEqual(found, [expected]);
  }
  native.removeFunction(half);
  native.removeFunction(next);
  assert.equal(tf.memory().numTensors, 0);
});

nativeTest("executeOp() passes lists of bools", (_native, binding) => {
  // No op has such a list of its own. Any op takes one whose name starts with "_", and one that only
  // exists for another device shows it in the error.
  const list = [
    ["T", ATTR.type, DT.float32],
    ["N", ATTR.int, 2],
    ["_flags", ATTR.bool, [true, false, true]],
  ] as const;
  assert.throws(
    () => run(binding, "TPUReplicatedInput", list.slice(), [floats(1), floats(2)]),
    /_flags=\[true, false, true\]/,
  );
});

nativeTest("executeOp() refuses attribute types that TensorFlow does not have", (_, binding) => {
  assert.throws(() => binding.executeOp("NoOp", attributes(["a", 7, 1]), [], 0), {
    name: "TypeError",
    message: 'Cannot set attribute "a": its type is not one of TF_AttrType, current value is 7',
  });
});
