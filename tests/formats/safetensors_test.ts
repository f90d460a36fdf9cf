import assert from "node:assert/strict";
import fc from "fast-check";
import {
  narrowToBfloat16,
  openSafetensors,
  type TensorArray,
  type TensorDtype,
  type TensorInput,
  toFloat32,
  widenBfloat16,
  writeSafetensors,
} from "../../lib/formats/mod.ts";
import { content, formatFixture, type TensorContent } from "./_tensor_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const EXPECTED: {
  readonly tensors: Readonly<Record<string, TensorContent>>;
  readonly bfloat16: { readonly float32: readonly number[]; readonly bits: readonly number[] };
} = JSON.parse(Deno.readTextFileSync(formatFixture("safetensors/expected.json")));
const ALL = formatFixture("safetensors/all.safetensors");

function temporary(name = "x.safetensors"): string {
  return `${temporaryFolder()}/${name}`;
}

Deno.test("reads every dtype that Hugging Face's library writes, bit for bit", () => {
  using reader = openSafetensors(ALL);
  assert.deepEqual(reader.names.toSorted(), Object.keys(EXPECTED.tensors).toSorted());
  assert.equal(reader.metadata.program, 'regression ü\n"x"');
  for (const [name, tensor] of Object.entries(EXPECTED.tensors)) {
    assert.deepEqual(content(reader.read(name)), tensor, name);
    assert.equal(reader.tensor(name).bytes, tensor.bytes.length / 2);
  }
});

Deno.test("writes the bytes that Hugging Face's library writes", () => {
  using reader = openSafetensors(ALL);
  const path = temporary();
  const shuffled = reader.names.toReversed();
  const tensors = new Map<string, TensorInput>(shuffled.map((name) => [name, reader.read(name)]));
  writeSafetensors(path, tensors, reader.metadata);
  assert.deepEqual(Deno.readFileSync(path), Deno.readFileSync(ALL));
  writeSafetensors(path, new Map(shuffled.map((name) => [name, reader.tensor(name)])));
  using copy = openSafetensors(path);
  assert.deepEqual(copy.names, reader.names);
  assert.deepEqual({ ...copy.metadata }, {});
});

Deno.test("reads and writes a file without tensors", () => {
  const path = temporary(), empty = formatFixture("safetensors/empty.safetensors");
  writeSafetensors(path, {});
  assert.deepEqual(Deno.readFileSync(path), Deno.readFileSync(empty));
  using reader = openSafetensors(empty);
  assert.deepEqual(reader.names, []);
});

Deno.test("what is written is read again, and data begin at a multiple of 8", () => {
  const path = temporary();
  const array = fc.tuple(
    fc.constantFrom<TensorDtype>("float32", "bfloat16", "int64", "uint8", "float16"),
    fc.array(fc.nat(4), { maxLength: 3 }),
  ).map(([dtype, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const bits = Uint8Array.from({ length: count * 8 }, (_, i) => (i * 37 + count) & 255);
    const Class = {
      float32: Float32Array,
      bfloat16: Uint16Array,
      int64: BigInt64Array,
      uint8: Uint8Array,
      float16: Float16Array,
    }[dtype as "uint8"];
    return { dtype, shape, data: new Class(bits.buffer, 0, count) } as TensorArray;
  });
  const names = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("__proto__", "1", ""));
  fc.assert(
    fc.property(
      fc.dictionary(names, array, { maxKeys: 6 }),
      fc.dictionary(names, fc.string({ unit: "grapheme" }), { maxKeys: 3 }),
      (tensors, metadata) => {
        writeSafetensors(path, tensors, metadata);
        const length = new DataView(Deno.readFileSync(path).buffer).getBigUint64(0, true);
        assert.equal(length % 8n, 0n);
        using reader = openSafetensors(path);
        assert.deepEqual(
          Object.entries(reader.metadata).toSorted(),
          Object.entries(metadata).toSorted(),
        );
        assert.deepEqual(reader.names.toSorted(), Object.keys(tensors).toSorted());
        for (const [name, tensor] of Object.entries(tensors)) {
          assert.deepEqual(content(reader.read(name)), content(tensor));
        }
      },
    ),
    { numRuns: 200, seed: 5 },
  );
});

Deno.test("rows and reads into the caller's memory take just what is asked for", () => {
  const path = temporary();
  const data = Float32Array.from({ length: 24 }, (_, i) => i);
  writeSafetensors(path, { x: { dtype: "float32", shape: [4, 2, 3], data } });
  using reader = openSafetensors(path);
  const x = reader.tensor("x", { dtype: "float32", shape: [4, null, 3] });
  assert.deepEqual(x.readRows(1, 3), data.subarray(6, 18));
  assert.deepEqual(x.readRows(4, 4), new Float32Array());
  const target = new Float32Array(30);
  x.readInto(target.subarray(3, 27));
  assert.deepEqual(target.subarray(3, 27), data);
  const bytes = new Uint8Array(96);
  x.readInto(bytes);
  assert.deepEqual(new Float32Array(bytes.buffer), data);
  assert.throws(
    () => x.readInto(new Float32Array(23)),
    /96 bytes of float32, .* Float32Array of 92/,
  );
  assert.throws(() => x.readInto(new Int32Array(24)), /current value is a Int32Array/);
  for (const [start, end] of [[-1, 2], [2, 1], [0, 5], [0.5, 1], [NaN, 1]] as const) {
    assert.throws(() => x.readRows(start, end), RangeError);
  }
});

Deno.test("names the tensor that is missing or not what is expected", () => {
  using reader = openSafetensors(ALL);
  assert.throws(() => reader.read("bfloat_16"), {
    name: "RangeError",
    message: /all\.safetensors: it should hold a tensor "bfloat_16", .*Is it "bfloat16"\?/,
  });
  assert.throws(() => reader.read("float32", { dtype: "float64" }), {
    name: "SyntaxError",
    message: /the dtype of float32 should be float64, current value is float32/,
  });
  assert.throws(() => reader.read("float32", { shape: [3, null] }), {
    name: "SyntaxError",
    message: /the shape of float32 should be \(3, any\), current value is \(2, 3\)/,
  });
});

Deno.test("refuses to write what would not be a tensor, and leaves the old file", () => {
  const path = temporary();
  writeSafetensors(path, {});
  const before = Deno.readFileSync(path);
  const data = new Float32Array(6);
  const refused: [RegExp, Record<string, unknown>, Record<string, unknown>?][] = [
    [/"x" should hold 5 numbers.*\(5,\)/, { x: { dtype: "float32", shape: [5], data } }],
    [/"x" .*of float64.*current value is Float32Array of 6/, {
      x: { dtype: "float64", shape: [6], data },
    }],
    [/known dtype, current value is float31/, { x: { dtype: "float31", shape: [6], data } }],
    [/sizes from 0 as shape/, { x: { dtype: "float32", shape: [-6], data } }],
    [/sizes from 0 as shape/, { x: { dtype: "float32", shape: [1.5, 4], data } }],
    [/__metadata__/, { __metadata__: { dtype: "float32", shape: [6], data } }],
    [/valid Unicode/, { "\ud800": { dtype: "float32", shape: [6], data } }],
    [/dtype of the format, .*complex128/, {
      x: { dtype: "complex128", shape: [0], data: new Float64Array() },
    }],
    [/metadata should be texts.*"epoch": number/, {}, { epoch: 3 }],
    [/reading "x" should give float32 \(2,\), current value is float32 \(6,\)/, {
      x: { dtype: "float32", shape: [2], read: () => ({ dtype: "float32", shape: [6], data }) },
    }],
  ];
  for (const [message, tensors, metadata] of refused) {
    assert.throws(() => writeSafetensors(path, tensors as never, metadata as never), message);
  }
  assert.deepEqual(Deno.readFileSync(path), before);
  assert.deepEqual([...Deno.readDirSync(path.slice(0, -14))].length, 1);
});

Deno.test("rounds to bfloat16 as PyTorch does", () => {
  const { float32, bits } = EXPECTED.bfloat16;
  const values = new Float32Array(new Uint32Array(float32).buffer);
  const ours = narrowToBfloat16(values);
  values.forEach((value, i) => {
    if (Number.isNaN(value)) assert(Number.isNaN(widenBfloat16(ours.subarray(i, i + 1))[0]));
    else assert.equal(ours[i], bits[i], `0x${float32[i]!.toString(16)}`);
  });
  assert.throws(() => widenBfloat16(new Uint16Array(3), new Float32Array(2)), RangeError);
});

Deno.test("every bfloat16 is the same after widening and narrowing", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const again = narrowToBfloat16(widenBfloat16(all));
  const changed = all.filter((bits, i) => again[i] !== bits);
  assert(changed.every((bits) => (bits & 0x7fff) > 0x7f80), "only what is not a number may change");
  assert.equal(changed.length, 2 * 127 - 1);
});

Deno.test("gives any real dtype as float32", () => {
  using reader = openSafetensors(ALL);
  assert.deepEqual(toFloat32(reader.read("int64")), new Float32Array([-(2 ** 63), -1, 0, 2 ** 63]));
  assert.deepEqual(toFloat32(reader.read("int8")), new Float32Array([-128, -1, 0, 127]));
  const half = reader.read("float16", { dtype: "float16" });
  assert.deepEqual(toFloat32(half), new Float32Array(half.data));
  const single = reader.read("float32", { dtype: "float32" });
  assert.equal(toFloat32(single), single.data);
  assert.throws(() => toFloat32(reader.read("complex64")), /current value is complex64/);
  assert.throws(() => toFloat32(reader.read("float8_e5m2")), /current value is float8_e5m2/);
});
