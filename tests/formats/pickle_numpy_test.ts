import assert from "node:assert/strict";
import {
  encodePickle,
  NumpyScalar,
  type PickleDtype,
  pickleRecord,
  type PickleValue,
  readPickle,
} from "../../lib/formats/mod.ts";
import { fixture, hexFixtures } from "./_pickle_fixtures.ts";

interface Recorded {
  readonly dtype: PickleDtype;
  readonly shape: readonly number[];
  readonly scalar: boolean;
  /** As Python prints them; complex numbers as two in turn. */
  readonly values: readonly string[];
}

const recorded: Record<string, Recorded> = JSON.parse(
  Deno.readTextFileSync(fixture("arrays.json")),
);

function parse(text: string, dtype: string): unknown {
  if (/^[US]/.test(dtype)) return text;
  if (dtype === "bool") return text === "True" ? 1 : 0;
  return /int64/.test(dtype) ? BigInt(text) : Number(text);
}

function check(name: string, value: PickleValue): void {
  const { dtype, shape, scalar, values } = recorded[name]!;
  const wanted = values.map((text) => parse(text, dtype));
  const found = value as unknown as { dtype: string; shape: number[]; data: Iterable<unknown> };
  assert.equal(found.dtype, dtype, name);
  if (scalar) {
    const { value: number } = value as NumpyScalar;
    const [first] = wanted;
    const single = dtype === "bool"
      ? first === 1
      : typeof first === "bigint" && Number.isSafeInteger(Number(first))
      ? Number(first)
      : first;
    assert(value instanceof NumpyScalar, name);
    assert.deepEqual(number, dtype.startsWith("complex") ? wanted : single, name);
  } else {
    assert.deepEqual(found.shape, shape, name);
    assert.deepEqual([...found.data], wanted, name);
  }
}

for (const numpy of [1, 2]) {
  for (const protocol of [2, 4, 5]) {
    Deno.test(`arrays and scalars of NumPy ${numpy}, protocol ${protocol}, come out`, () => {
      const read = pickleRecord(readPickle(fixture(`arrays_numpy${numpy}_p${protocol}.pkl`)));
      assert.deepEqual(Object.keys(read), Object.keys(recorded));
      assert(Object.keys(read).length > 80);
      for (const [name, value] of Object.entries(read)) check(name, value);
    });
  }
}

Deno.test("each dtype has its own typed array", () => {
  const read = pickleRecord(readPickle(fixture("arrays_numpy2_p4.pkl")));
  const classes = Object.fromEntries(
    ["bool", "int64", "float16", "float32", "complex64", "complex128", "texts"].map((name) => {
      const { data } = read[name] as { data: object };
      return [name, data.constructor.name];
    }),
  );
  assert.deepEqual(classes, {
    bool: "Uint8Array",
    int64: "BigInt64Array",
    float16: "Float16Array",
    float32: "Float32Array",
    complex64: "Float32Array",
    complex128: "Float64Array",
    texts: "Array",
  });
});

Deno.test("arrays do not share memory with the bytes read, nor with each other", () => {
  const data = new Float32Array([1, 2]);
  const array = { dtype: "float32", shape: [2], data };
  const bytes = encodePickle([array, array, { ...array }]);
  const [first, second, third] = readPickle(bytes) as { data: Float32Array }[];
  bytes.fill(0);
  assert.deepEqual(first!.data, data);
  assert.equal(first, second);
  first!.data[0] = 9;
  assert.equal(third!.data[0], 1);
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  "object array": /an array of Python objects is not read here, .*2 objects\. Save it as a list/,
  "structured array": /structured dtype/,
  "datetime array": /dtype of times/,
  "longdouble array": /dtype is unknown or not read here, .*f16/,
  "matrix": /allowed names, current value is numpy\.matrix/,
  "masked array": /allowed names, current value is numpy\.ma\.core\._mareconstruct/,
  "object scalar": /structured dtype/,
  "dtype class": /allowed names, current value is numpy\.float32/,
  "array.array": /allowed names, current value is array\./,
  "range": /allowed names, current value is builtins\.range/,
};

Deno.test("arrays that are more than numbers and texts are refused, with the reason", () => {
  const fixtures = hexFixtures("refused.json");
  assert.deepEqual([...fixtures.keys()], Object.keys(REFUSED));
  for (const [name, bytes] of fixtures) {
    assert.throws(() => readPickle(bytes, { name }), (error: Error) => {
      assert(error instanceof SyntaxError, name);
      assert.match(error.message, new RegExp(`^Cannot read ${name} at byte \\d+: `));
      assert.match(error.message, REFUSED[name]!);
      return true;
    });
  }
});
