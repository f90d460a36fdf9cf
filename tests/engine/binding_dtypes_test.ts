import assert from "node:assert/strict";
import { describe, DT, type ElementArray } from "../../lib/engine/tensorflow/_dtypes.ts";
import { bytes, handlesLeft, nativeTest } from "./_native.ts";

const ROUND_TRIPS: readonly [keyof typeof DT, shape: number[], values: ElementArray][] = [
  ["float32", [2, 2], Float32Array.of(1.5, -0, Infinity, 1e-45)],
  ["float64", [3], Float64Array.of(Math.PI, -Infinity, 5e-324)],
  ["int8", [3], Int8Array.of(-128, 0, 127)],
  ["int16", [3], Int16Array.of(-32768, 0, 32767)],
  ["int32", [3], Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)],
  ["int64", [3], BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)],
  ["uint8", [3], Uint8Array.of(0, 128, 255)],
  ["uint16", [3], Uint16Array.of(0, 32768, 65535)],
  ["uint32", [3], Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1)],
  ["uint64", [3], BigUint64Array.of(0n, 2n ** 63n, 2n ** 64n - 1n)],
  ["bool", [3], Uint8Array.of(0, 1, 1)],
  ["complex64", [2], Float32Array.of(1, 2, 3, -4)], // real, imaginary, …
  ["complex128", [2], Float64Array.of(1, 2, 3, -4)],
  ["float16", [3], Uint16Array.of(0x3c00, 0xc000, 0x7bff)], // 1, -2, 65504
  ["bfloat16", [3], Uint16Array.of(0x3f80, 0xc000, 0x7f7f)], // 1, -2, 3.39e38
];

for (const [dtype, shape, values] of ROUND_TRIPS) {
  nativeTest(`createTensor() keeps every bit of ${dtype}`, (_native, binding) => {
    const id = binding.createTensor(shape, DT[dtype], values);
    assert.deepEqual(binding.tensors.metadata(id), { id, shape, dtype: DT[dtype] });
    const found = binding.tensorDataSync(id);
    binding.deleteTensor(id);
    assert.deepEqual(found, values);
  });
}

nativeTest("createTensor() makes scalars and empty tensors of every dtype", (_native, binding) => {
  for (const [dtype, , values] of ROUND_TRIPS) {
    const perElement = dtype.startsWith("complex") ? 2 : 1;
    for (const [shape, count] of [[[], 1], [[0], 0], [[2, 0, 3], 0]] as const) {
      const part = values.slice(0, count * perElement) as ElementArray;
      const id = binding.createTensor(shape, DT[dtype], part);
      assert.deepEqual(binding.tensors.metadata(id).shape, [...shape]);
      assert.deepEqual(binding.tensorDataSync(id), part, `${dtype}[${shape}]`);
      binding.deleteTensor(id);
    }
  }
});

nativeTest("createTensor() copies the part of the buffer that an array covers", (_, binding) => {
  const whole = Float32Array.of(1, 2, 3, 4, 5);
  const id = binding.createTensor([2], DT.float32, whole.subarray(2, 4));
  whole.fill(0);
  assert.deepEqual(binding.tensorDataSync(id), Float32Array.of(3, 4));
  binding.deleteTensor(id);
});

nativeTest("createTensor() takes int64 as pairs of int32, as tfjs writes it", (_, binding) => {
  const id = binding.createTensor([2], DT.int64, Int32Array.of(7, 0, -1, -1));
  assert.deepEqual(binding.tensorDataSync(id), BigInt64Array.of(7n, -1n));
  binding.deleteTensor(id);
});

nativeTest("createTensor() keeps strings of every length and content", (_native, binding) => {
  const values = [
    ...bytes("", "a", "22 bytes fit inside ..", "23 bytes are stored away", "naïve 针", "a\0b\0"),
    Uint8Array.of(0xff, 0xfe, 0x00, 0x80), // not UTF-8
    new Uint8Array(100_000).fill(7),
  ];
  const id = binding.createTensor([2, 4], DT.string, values);
  assert.deepEqual(binding.tensors.metadata(id), { id, shape: [2, 4], dtype: DT.string });
  assert.deepEqual(binding.tensorDataSync(id), values);
  binding.deleteTensor(id);
});

nativeTest("createTensor() makes string scalars and empty string tensors", (_native, binding) => {
  const scalar = binding.createTensor([], DT.string, bytes("one"));
  const empty = binding.createTensor([0], DT.string, []);
  assert.deepEqual(binding.tensorDataSync(scalar), bytes("one"));
  assert.deepEqual(binding.tensorDataSync(empty), []);
  binding.deleteTensor(scalar);
  binding.deleteTensor(empty);
});

nativeTest("createTensor() refuses values that do not fill the shape", (_native, binding) => {
  const left = handlesLeft(binding, () => {
    assert.throws(() => binding.createTensor([2, 3], DT.float32, new Float32Array(5)), {
      name: "RangeError",
      message: "Cannot create float32[2,3]: it holds 6 values, current value is 5",
    });
    assert.throws(() => binding.createTensor([], DT.complex64, new Float32Array(1)), {
      name: "RangeError",
      message: "Cannot create complex64[]: it holds 1 values, current value is 0.5",
    });
    assert.throws(() => binding.createTensor([2], DT.string, bytes("one")), {
      name: "RangeError",
      message: "Cannot create string[2]: it holds 2 values, current value is 1",
    });
  });
  assert.equal(left, 0);
});

nativeTest("createTensor() refuses dtypes that the values cannot be", (_native, binding) => {
  assert.throws(() => binding.createTensor([1], 99, new Float32Array(1)), {
    name: "TypeError",
    message: "Cannot create tensor: no array type holds dtype 99, current value is Float32Array",
  });
  assert.throws(() => binding.createTensor([1], DT.string, new Uint8Array(24)), {
    name: "TypeError",
    message: "Cannot create tensor: no array type holds string, current value is Uint8Array",
  });
  assert.throws(() => binding.createTensor([1], DT.resource, new Uint8Array(8)), TypeError);
  assert.throws(() => binding.createTensor([1], DT.float32, bytes("one")), {
    name: "TypeError",
    message: "Cannot create tensor: strings need dtype string, current value is float32",
  });
});

Deno.test("describe() names dtype and shape of a tensor", () => {
  assert.equal(describe(DT.bfloat16, [2, 3]), "bfloat16[2,3]");
  assert.equal(describe(DT.resource, []), "resource[]");
  assert.equal(describe(99, [1]), "dtype 99[1]");
});
