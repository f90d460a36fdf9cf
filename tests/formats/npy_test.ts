import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { load as loadWithNpyjs } from "npyjs";
import {
  decodeNpy,
  encodeNpy,
  type NpyInput,
  openNpy,
  readNpy,
  writeNpy,
} from "../../lib/formats/mod.ts";
import { arrayOf, bits, FIXTURE, fromBase64 } from "./_npy_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();

Deno.test("reads what NumPy reads, bit for bit", () => {
  for (const { name, file, ...content } of FIXTURE.cases) {
    assert.deepEqual(bits(decodeNpy(fromBase64(file))), bits(arrayOf(content)), name);
  }
  assert.ok(FIXTURE.cases.length > 90);
});

Deno.test("writes the bytes that numpy.save writes", () => {
  let count = 0;
  for (const { name, file, same, ...content } of FIXTURE.cases) {
    const written = encodeNpy(arrayOf(content));
    if (same) assert.equal(written.toHex(), fromBase64(file).toHex(), name);
    assert.deepEqual(bits(decodeNpy(written)), bits(arrayOf(content)), name);
    count += Number(same);
  }
  assert.ok(count > 35);
});

Deno.test("a dtype of 4000 fields has a header of version 2, as numpy.save writes it", () => {
  const { fields, sha256 } = FIXTURE.wide;
  const columns = Array.from({ length: fields }, (_, i): [string, NpyInput] => [
    `column ${i}`,
    { data: new Float32Array([i]) },
  ]);
  const bytes = encodeNpy({ data: Object.fromEntries(columns) });
  assert.equal(createHash("sha256").update(bytes).digest("hex"), sha256);
  const { data } = decodeNpy(bytes, { dtype: "structured" });
  assert.deepEqual(data["column 3999"]?.data, new Float32Array([3999]));
});

Deno.test("what has no meaning here is refused by name", () => {
  const messages = {
    object: /holds Python objects.*"\|O"/,
    "object field": /field "b".*holds Python objects/,
    void: /raw bytes without a meaning.*"\|V3"/,
    "long double": /dtype is unknown or not read here.*"<f16"/,
    nested: /field "a".*inside another/,
  };
  for (const [name, message] of Object.entries(messages)) {
    assert.throws(
      () => decodeNpy(fromBase64(FIXTURE.refused[name]!), { path: "x.npy" }),
      (error) =>
        error instanceof SyntaxError && message.test(error.message) &&
        error.message.startsWith("Cannot read x.npy at byte "),
    );
  }
});

Deno.test("npyjs reads the same numbers from what is written here", async () => {
  const read = /^(int|uint|float|complex)/;
  for (const { name, ...content } of FIXTURE.cases) {
    const array = arrayOf(content);
    if (!read.test(array.dtype) || array.dtype === "float16") continue;
    const other = await loadWithNpyjs(encodeNpy(array).buffer);
    assert.deepEqual(other.shape, array.shape, name);
    assert.deepEqual(other.data, array.data, name);
  }
});

Deno.test("a file round trip keeps everything, and an expected dtype is the data's type", () => {
  const path = `${folder}/pose.npy`;
  writeNpy(path, { shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) });
  const pose: Float32Array = readNpy(path, { dtype: "float32", shape: [null, 3] }).data;
  assert.deepEqual(pose, new Float32Array([1, 2, 3, 4, 5, 6]));
  writeNpy(path, { data: ["a", "größer"] });
  const texts: readonly string[] = readNpy(path, { dtype: "U" }).data;
  assert.deepEqual(texts, ["a", "größer"]);
  assert.equal(readNpy(path).dtype, "U6");
});

Deno.test("another dtype or shape than expected is an error with both", () => {
  const path = `${folder}/expected.npy`;
  writeNpy(path, { shape: [2, 3], data: new Float64Array(6) });
  const dtype = () => readNpy(path, { dtype: "float32" });
  assert.throws(dtype, /expected\.npy at byte 0: .*should be float32, current value is float64/);
  for (const shape of [[2], [null, 4], [2, 3, 1], [3, null]]) {
    assert.throws(() => readNpy(path, { shape }), /its shape should be \(.*\(2, 3\)/);
  }
  assert.throws(() => openNpy(path, { dtype: "U" }), SyntaxError);
  assert.deepEqual([...readNpy(path, { shape: [null, null] }).shape], [2, 3]);
});

Deno.test("a file shorter or longer than its header says is refused", () => {
  const bytes = encodeNpy({ data: new Int16Array([1, 2, 3]) });
  const message = (change: Uint8Array) => {
    try {
      return String(decodeNpy(change, { path: "cut.npy" }));
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(
    message(bytes.subarray(0, -2)),
    "Cannot read cut.npy at byte 128: 6 bytes of data should follow (int16, shape (3,)), current " +
      "value is 4 bytes. It was cut short; copy or save it again.",
  );
  assert.match(message(new Uint8Array([...bytes, 0])), /6 bytes .* current value is 7 bytes/);
  for (let length = 0; length < bytes.length; length++) {
    assert.match(message(bytes.subarray(0, length)), /^Cannot read cut\.npy at byte \d+: /);
  }
});

/** The file with a header of one's own and some data. */
function withHeader(header: string, dataBytes: number, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(10 + text.length + dataBytes);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, text.length & 255, text.length >> 8]);
  bytes.set(text, 10);
  return bytes;
}

Deno.test("headers that NumPy would not accept either are refused, and huge sizes not allocated", () => {
  const cases: readonly [header: string, message: RegExp][] = [
    ["{'descr': '<f4', 'shape': (2,)}", /keys should be/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", /keys should be/],
    ["{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}", /keys should be/],
    ["{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", /fortran_order should be/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", /shape should be a tuple/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", /shape should be a tuple/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -1)}", /shape should be a tuple/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}", /should end here|should stand/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (True, 2)}", /shape should be a tuple/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2**1,)}", /should stand here/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999,)}", /impossibly large/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (94906267, 94906267)}", /impossibly large/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (0, 94906267, 94906267)}", /imposs/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}", /should follow/],
    ["{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}", /byte order should be/],
    ["{'descr': '=f4', 'fortran_order': False, 'shape': (2,)}", /byte order should be/],
    ["{'descr': '<U0', 'fortran_order': False, 'shape': (9,)}", /between 1 byte and 2 GB/],
    ["{'descr': '<U999999999999', 'fortran_order': False, 'shape': (0,)}", /between 1 byte/],
    ["{'descr': '<f3', 'fortran_order': False, 'shape': (2,)}", /dtype is unknown/],
    ["{'descr': [], 'fortran_order': False, 'shape': (2,)}", /no fields/],
    ["{'descr': [('a', '<f4'), ('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", /unique/],
    ["__import__('os').system('true')", /literal should stand here/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", /nothing should follow/],
    [`${"(".repeat(3000)}`, /nested so deeply/],
    ["", /literal should stand here/],
  ];
  for (const [header, message] of cases) {
    assert.throws(
      () => decodeNpy(withHeader(header, 8), { path: "bad.npy" }),
      (error) =>
        error instanceof SyntaxError && message.test(error.message) &&
        /^Cannot read bad\.npy at byte \d+: /.test(error.message),
      header,
    );
  }
  const good = withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8);
  assert.deepEqual(decodeNpy(good).shape, [2]);
  assert.throws(() => decodeNpy(withHeader("{}", 0, 4)), /version should be 1.0, 2.0 or 3.0/);
});

Deno.test("a bool that is neither 0 nor 1, and text beyond Unicode, are refused", () => {
  const flags = encodeNpy({ dtype: "bool", data: new Uint8Array([1, 0, 1]) });
  flags[129] = 2;
  assert.throws(() => decodeNpy(flags), /byte 129: a bool should be 0 or 1, current value is 2/);
  const texts = encodeNpy({ data: ["abc"] });
  texts[131] = 1;
  assert.throws(() => decodeNpy(texts), /element 0 \(U3\) should be Unicode/);
});

Deno.test("dtype, shape and data that do not belong together are not written", () => {
  const wrong: readonly [array: unknown, message: RegExp][] = [
    [{ shape: [2, 2], data: new Float32Array(3) }, /should have 4 elements, current value is 3/],
    [{ shape: [2.5], data: new Float32Array(3) }, /shape should be sizes from 0/],
    [{ shape: [-1, -3], data: new Float32Array(3) }, /shape should be sizes from 0/],
    [{ dtype: "float64", data: new Float32Array(3) }, /those of float64.*Float32Array/],
    [{ dtype: "complex64", data: new Float32Array(3) }, /elements/],
    [{ dtype: "float99", data: new Float32Array(3) }, /dtype is unknown.*float99/],
    [{ dtype: "bool", data: new Uint8Array([0, 2]) }, /element 1 of a bool/],
    [{ dtype: "datetime64[ns]", data: new Float64Array(1) }, /those of datetime64\[ns\]/],
    [{ data: new DataView(new ArrayBuffer(8)) }, /unknown class.*DataView/],
    [{ data: [1, 2] }, /element 0 should be a text/],
    [{ dtype: "U2", data: ["abc"] }, /text 0 should fit into U2.*"abc"/],
    [{ dtype: "S", data: ["日"] }, /should hold bytes/],
    [{ data: ["a\0"] }, /should not end with a zero/],
    [{ dtype: "float32", data: ["a"] }, /dtype should be U or S/],
    [{ data: {} }, /no columns/],
    [{ data: { a: { data: new Int8Array(2) }, b: { data: new Int8Array(3) } } }, /column b/],
  ];
  for (const [array, message] of wrong) {
    assert.throws(
      () => encodeNpy(array as NpyInput),
      (error) => error instanceof TypeError && message.test(error.message),
      String(message),
    );
  }
});

Deno.test("a failed write leaves the older file and nothing else", () => {
  const place = Deno.makeTempDirSync({ dir: folder });
  const path = `${place}/a.npy`;
  writeNpy(path, { data: new Int8Array([1]) });
  assert.throws(() => writeNpy(path, { shape: [2], data: new Int8Array([1]) }), TypeError);
  assert.deepEqual(readNpy(path).data, new Int8Array([1]));
  assert.deepEqual([...Deno.readDirSync(place)].map(({ name }) => name), ["a.npy"]);
});
