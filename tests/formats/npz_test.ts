import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";
import {
  createNpzWriter,
  encodeNpy,
  fromBytes,
  type NpyArray,
  type NpyInput,
  openNpz,
  readNpz,
  readZipDirectory,
  writeNpz,
} from "../../lib/formats/mod.ts";
import { npzWriter } from "../../lib/formats/npz_writer.ts";
import { arrayOf, bits, FIXTURE, fromBase64 } from "./_npy_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();

const ARRAYS = Object.fromEntries(
  Object.entries(FIXTURE.arrays).map(([name, content]) => [name, arrayOf(content)]),
);
const archive = (name: string) => fromBytes(fromBase64(FIXTURE.archives[name]!), `${name}.npz`);

function contents(reader: ReturnType<typeof openNpz>): [string, unknown][] {
  return reader.names.map((name) => [name, bits(reader.read(name))]);
}

Deno.test("reads what NumPy saved, stored, deflated and with zip64 records", () => {
  const expected = Object.entries(ARRAYS).map(([name, array]) => [name, bits(array)]);
  for (const name of ["savez", "savez in C order", "savez_compressed", "zip64"]) {
    using reader = openNpz(archive(name));
    assert.deepEqual(contents(reader), expected, name);
    for (const [key, array] of Object.entries(ARRAYS)) {
      assert.deepEqual(bits(reader.member(key).read()), bits(array), `${name} ${key}`);
    }
  }
  using empty = openNpz(archive("none"));
  assert.deepEqual(empty.names, []);
});

Deno.test("stored archives are, byte for byte, those of numpy.savez", () => {
  const path = `${folder}/stored.npz`;
  writeNpz(path, ARRAYS);
  assert.equal(
    Deno.readFileSync(path).toHex(),
    fromBase64(FIXTURE.archives["savez in C order"]!).toHex(),
  );
  writeNpz(path, {});
  assert.equal(Deno.readFileSync(path).toHex(), fromBase64(FIXTURE.archives["none"]!).toHex());
});

Deno.test("archives with zip64 records are, byte for byte, those of Python's zipfile", () => {
  const path = `${folder}/zip64.npz`;
  {
    using writer = npzWriter(path, {}, { bytes: 300, count: 2 });
    for (const [name, array] of Object.entries(ARRAYS)) writer.add(name, array);
    writer.close();
  }
  assert.equal(Deno.readFileSync(path).toHex(), fromBase64(FIXTURE.archives["zip64"]!).toHex());
});

Deno.test("arrays written row by row are the same bytes as whole ones", () => {
  for (const compressed of [false, true]) {
    const whole = `${folder}/whole.npz`, parts = `${folder}/parts.npz`;
    const data = Float32Array.from({ length: 3 * 200_001 }, (_, i) => Math.sin(i / 50));
    writeNpz(whole, { a: { shape: [200_001, 3], data }, b: { data: ["x"] } }, { compressed });
    {
      using writer = createNpzWriter(parts, { compressed });
      const a = writer.open("a", { dtype: "float32", rowShape: [3] });
      for (let at = 0; at < data.length; at += 29_991) a.append(data.subarray(at, at + 29_991));
      a.close();
      const b = writer.open("b", { dtype: "U1" });
      b.append(["x"]);
      b.close();
      writer.close();
    }
    assert.ok(readFileSync(whole).equals(readFileSync(parts)));
    assert.deepEqual(readNpz(parts)["a"]?.data, data);
  }
});

Deno.test("what is deflated is one deflate stream of the array's file, and smaller", () => {
  const path = `${folder}/deflated.npz`;
  const array = { data: Float64Array.from({ length: 400_000 }, (_, i) => i % 50) };
  writeNpz(path, { array }, { compressed: true });
  const bytes = Deno.readFileSync(path);
  const [entry] = readZipDirectory(fromBytes(bytes, path));
  const start = 30 + "array.npy".length + 20;
  const packed = bytes.subarray(start, start + entry!.compressedSize);
  const unpacked = inflateRawSync(packed);
  assert.ok(unpacked.equals(encodeNpy(array)));
  assert.ok(bytes.length < unpacked.length / 20);
});

Deno.test("members with and without .npy, in folders, after other bytes", () => {
  using reader = openNpz(archive("loose"));
  assert.deepEqual(reader.names, ["bare", "folder/inner"]);
  const three = new BigInt64Array([0n, 1n, 2n]);
  assert.deepEqual(reader.read("bare", { dtype: "int64" }).data, three);
  assert.deepEqual(reader.read("bare.npy").data, three);
  assert.deepEqual(reader.read("folder/inner.npy").shape, [4]);
});

Deno.test("any rows of a member, stored or deflated, in any order", () => {
  const data = Int32Array.from({ length: 300_000 * 2 }, (_, i) => i * 7 % 1001);
  for (const compressed of [false, true]) {
    const path = `${folder}/rows.npz`;
    writeNpz(path, { a: { data: ["before"] }, rows: { shape: [300_000, 2], data } }, {
      compressed,
    });
    using reader = openNpz(path);
    using member = reader.member("rows", { dtype: "int32", shape: [null, 2] });
    for (const [start, end] of [[7, 9], [200_000, 200_500], [200_500, 300_000], [0, 1], [5, 5]]) {
      assert.deepEqual(member.readRows(start!, end!), data.slice(2 * start!, 2 * end!));
    }
    const target = new Int32Array(6);
    member.readRowsInto(250_000, target);
    assert.deepEqual(target, data.slice(500_000, 500_006));
  }
});

Deno.test("rows of a Fortran-order member, deflated", () => {
  using reader = openNpz(archive("savez_compressed"));
  const whole = ARRAYS["fortran"]!.data as BigInt64Array;
  assert.deepEqual(reader.member("fortran").readRows(3, 8), whole.slice(90, 240));
});

Deno.test("a missing name, an unexpected dtype and a closed archive are errors that say so", () => {
  const path = `${folder}/errors.npz`;
  writeNpz(path, { pose: { data: new Float32Array(2) }, time: { data: new Float64Array(2) } });
  const reader = openNpz(path);
  assert.throws(
    () => reader.read("pos"),
    (error) =>
      error instanceof RangeError &&
      /hold an array "pos", current value is pose, time/.test(error.message),
  );
  assert.throws(
    () => reader.read("time", { dtype: "float32" }),
    /errors\.npz, member time\.npy at byte 0: its dtype should be float32, current value is float64/,
  );
  const member = reader.member("time");
  reader.close();
  assert.throws(() => member.readRows(0, 1), /closed before/);
});

Deno.test("names like those of an object's own members are only names", () => {
  const path = `${folder}/names.npz`;
  const one = { data: new Int8Array([1]) };
  writeNpz(path, Object.fromEntries(["__proto__", "constructor", "a/b"].map((k) => [k, one])));
  const arrays: Record<string, NpyArray> = readNpz(path);
  assert.deepEqual(Object.keys(arrays), ["__proto__", "constructor", "a/b"]);
});

Deno.test("names must be new and short, and one array is finished before the next", () => {
  const path = `${folder}/writer.npz`;
  using writer = createNpzWriter(path);
  const one = { data: new Int8Array([1]) };
  writer.add("a", one);
  for (const name of ["a", "", "x".repeat(65_532)]) {
    assert.throws(() => writer.add(name, one), RangeError);
    assert.throws(() => writer.open(name, { dtype: "int8" }), RangeError);
  }
  assert.throws(() => writer.add("c", { shape: [3], ...one }), TypeError);
  writer.add("c", one);
  const rows = writer.open("rows", { dtype: "int8" });
  assert.throws(() => writer.add("b", one), /"rows", which was not closed/);
  assert.throws(() => writer.close(), /"rows", which was not closed/);
  rows.append(new Int8Array(3));
  rows.close();
  writer.close();
  assert.throws(() => writer.add("d", one), TypeError);
  assert.deepEqual(openNpz(path).names, ["a", "c", "rows"]);
});

Deno.test("without close nothing changes, and no partial file stays", () => {
  const place = Deno.makeTempDirSync({ dir: folder });
  const path = `${place}/a.npz`, one: NpyInput = { data: new Int8Array([1]) };
  writeNpz(path, { one });
  {
    using writer = createNpzWriter(path);
    writer.add("two", one);
  }
  assert.throws(() => writeNpz(path, { two: { shape: [9], ...one } }), TypeError);
  assert.deepEqual([...Deno.readDirSync(place)].map(({ name }) => name), ["a.npz"]);
  assert.deepEqual(Object.keys(readNpz(path)), ["one"]);
});
