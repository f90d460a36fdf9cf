import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  encodePickle,
  NumpyDtype,
  NumpyScalar,
  type PickleDtype,
  PickleFloat,
  type PickleInput,
  PickleReference,
  PickleTuple,
  type PickleValue,
  readPickle,
  writePickle,
} from "../../lib/formats/mod.ts";
import { fixture } from "./_pickle_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const read = (bytes: Uint8Array) => readPickle(bytes, { floats: "tagged" });

Deno.test("what Python wrote and we read is written byte for byte as Python did", () => {
  for (const name of ["plain_p4.pkl", "data_numpy1.pkl"]) {
    const bytes = Deno.readFileSync(fixture(name));
    const again = encodePickle(read(bytes));
    assert.equal(Buffer.from(again).toString("hex"), Buffer.from(bytes).toString("hex"), name);
  }
});

Deno.test("large values are framed as Python frames them", () => {
  const large: Readonly<Record<string, PickleInput>> = {
    "many ints": Array.from({ length: 40000 }, (_, i) => i),
    "large bytes": {
      a: new Uint8Array(70000).fill(1),
      b: new Uint8Array(65535).fill(2),
      c: [new Uint8Array(65536).fill(3)],
    },
    "large text": ["z".repeat(70000), "z", "ä".repeat(40000)],
    "many texts": Array.from(
      { length: 20000 },
      (_, k) => `/data/${String(k).padStart(6, "0")}.jpg`,
    ),
  };
  const recorded: Record<string, [number, string]> = JSON.parse(
    Deno.readTextFileSync(fixture("large.json")),
  );
  for (const [name, [length, digest]] of Object.entries(recorded)) {
    const bytes = encodePickle(large[name]!);
    assert.equal(bytes.length, length, name);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), digest, name);
  }
});

Deno.test("every dtype of arrays and scalars comes back, as NumPy 1 wrote it", () => {
  const arrays = readPickle(fixture("arrays_numpy1_p4.pkl"));
  assert.deepEqual(readPickle(encodePickle(arrays)), arrays);
});

const scalar = fc.oneof(
  fc.boolean().map((value) => new NumpyScalar("bool", value)),
  fc.integer({ min: -128, max: 127 }).map((value) => new NumpyScalar("int8", value)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }).map((v) => new NumpyScalar("uint64", v)),
  fc.double().map((value) => new NumpyScalar("float64", value)),
  fc.float().map((value) => new NumpyScalar("float32", value)),
  fc.tuple(fc.double(), fc.double()).map((pair) => new NumpyScalar("complex128", pair)),
);
const array = fc.tuple(
  fc.constantFrom<[PickleDtype, (numbers: number[]) => PickleArray["data"]]>(
    ["float32", (numbers) => new Float32Array(numbers)],
    ["float16", (numbers) => new Float16Array(numbers)],
    ["int64", (numbers) => BigInt64Array.from(numbers, (n) => BigInt(n | 0))],
    ["uint16", (numbers) => Uint16Array.from(numbers)],
    ["bool", (numbers) => Uint8Array.from(numbers, (n) => n & 1)],
    ["U5", (numbers) => numbers.map((n) => n.toString(36).slice(0, 5))],
  ),
  fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 12 }),
  fc.boolean(),
).map(([[dtype, make], numbers, flat]) => ({
  dtype,
  shape: flat ? [numbers.length] : [1, numbers.length, 1],
  data: make(numbers),
} as PickleArray));
type PickleArray = Extract<PickleValue, { readonly shape: readonly number[] }>;

const key = fc.oneof(fc.string({ unit: "binary" }), fc.maxSafeInteger());
const { value } = fc.letrec<{ value: PickleValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom<PickleValue>(null, true, false, "", "__proto__", new PickleTuple([])),
    fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -70000, max: 70000 })),
    fc.bigInt().filter((n) => !Number.isSafeInteger(Number(n))),
    fc.double().map((number) => new PickleFloat(number)),
    key,
    fc.constantFrom("\ud800", "a\udc00", "file\udcff.jpg"),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)),
    scalar,
    array,
    fc.constantFrom("<f4", ">i8", "|b1", "<U12", "|S3").map((descr) => new NumpyDtype(descr)),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(tie("value"), { maxLength: 6 }).map((items) => new PickleTuple(items)),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 6 }).map((pairs) => new Map(pairs)),
    fc.array(key, { maxLength: 6 }).map((items) => new Set<PickleValue>(items)),
  ),
}));

Deno.test("what is written is read as it was", () => {
  fc.assert(
    fc.property(value, (value) => assert.deepEqual(read(encodePickle(value)), value)),
    { numRuns: 3000 },
  );
});

Deno.test("numbers are int or float by their value", () => {
  const numbers = [0, -0, 2 ** 53 - 1, 2 ** 53, 0.5, NaN];
  const [zero, negative, largest, beyond, half, nan] = read(encodePickle(numbers)) as PickleValue[];
  assert.deepEqual([zero, largest], [0, 2 ** 53 - 1]);
  const floats = [negative, beyond, half, nan];
  assert.deepEqual(floats, [-0, 2 ** 53, 0.5, NaN].map((number) => new PickleFloat(number)));
  assert.equal(read(encodePickle(5n)), 5);
});

Deno.test("a text that occurs often is written once", () => {
  const path = "/data/a/long/path/to/an/image.jpg";
  const bytes = encodePickle(new Array(1000).fill(path));
  assert(bytes.length < 2100, `${bytes.length}`);
});

Deno.test("plain objects are dicts, names are references", () => {
  const record = Object.assign(Object.create(null), { ["__proto__"]: 1 });
  assert.deepEqual(read(encodePickle(record)), new Map([["__proto__", 1]]));
  const bytes = encodePickle([new PickleReference("torch.float32"), { dtype: "x" }]);
  assert.deepEqual(
    readPickle(bytes, { globals: { "torch.float32": {} } }),
    [new PickleReference("torch.float32"), new Map([["dtype", "x"]])],
  );
});

Deno.test("what Python has no counterpart for is refused by its place", () => {
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /Cannot write value as a pickle: .*current value is undefined/],
    [{ a: [1, () => 1] }, /value\["a"\]\[1\] .*function/],
    [new Map([[7, new Date()]]), /value\[7\] .*Date/],
    [new Float32Array(2), /\{dtype, shape, data\}, current value is Float32Array/],
    [new Map([[[1], 2]]), /as a key, a list/],
    [new Set([new Map()]), /as a key, a dict/],
    [new NumpyScalar("int8", 300), /int8 of 300/],
    [new NumpyScalar("int64", 0.5), /int64 of 0\.5/],
    [new NumpyScalar("uint8", NaN), /uint8 of NaN/],
    [new NumpyScalar("float64", [1, 2]), /float64 of 1,2/],
    [new NumpyScalar("float32", "a"), /float32 of a/],
    [{ dtype: "float32", shape: [3], data: new Float32Array(2) }, /should have 3 elements.* 2/],
    [{ dtype: "float32", shape: [2], data: new Float64Array(2) }, /float32.*Float64Array/],
    [{ dtype: "float33", shape: [2], data: new Float64Array(2) }, /float33/],
    [
      { dtype: "datetime64[s]", shape: [1], data: new BigInt64Array(1) },
      /current value is datetime64/,
    ],
    [new NumpyDtype("O8"), /numpy\.dtype/],
  ];
  for (const [value, message] of wrong) {
    assert.throws(() => encodePickle(value as PickleInput), (error: Error) => {
      assert(error instanceof TypeError, `${error}`);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("a file is written as a whole or not at all", () => {
  const folder = temporaryFolder(), path = `${folder}/a.pkl`;
  writePickle(path, ["old", { dtype: "uint8", shape: [70000], data: new Uint8Array(70000) }]);
  assert.equal(Deno.statSync(path).size, encodePickle(readPickle(path)).length);
  assert.throws(() => writePickle(path, [undefined as never]), TypeError);
  assert.equal((readPickle(path) as PickleValue[])[0], "old");
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["a.pkl"]);
});
