import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import fc from "fast-check";
import {
  createNpyWriter,
  decodeNpy,
  encodeNpy,
  fromBytes,
  type NpyDType,
  type NpyTypedArray,
  openNpy,
  readNpy,
  writeNpy,
} from "../../lib/formats/mod.ts";
import { arrayOf, FIXTURE, fromBase64 } from "./_npy_fixtures.ts";
import { temporaryFolder } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const folder = temporaryFolder();

const rowsOf = FIXTURE.cases.filter(({ shape, columns }) => shape.length > 0 && !columns);

Deno.test("any rows of any file are those of the whole array", () => {
  for (const { name, file, ...content } of rowsOf) {
    using reader = openNpy(fromBytes(fromBase64(file), name));
    const whole = arrayOf(content).data as Float32Array;
    const rows = content.shape[0]!;
    const perRow = rows === 0 ? 0 : whole.length / rows;
    assert.equal(reader.rows, rows);
    for (let start = 0; start <= rows; start += Math.max(1, rows >> 3)) {
      for (let end = start; end <= rows; end += Math.max(1, rows >> 3)) {
        const expected = whole.slice(start * perRow, end * perRow);
        assert.deepEqual(reader.readRows(start, end), expected, `${name} ${start} ${end}`);
        if (content.texts !== undefined || perRow === 0) continue;
        const target = new (whole.constructor as Float32ArrayConstructor)(expected.length);
        reader.readRowsInto(start, target);
        assert.deepEqual(target, expected, `${name} ${start} ${end} into`);
      }
    }
  }
});

Deno.test("rows of a structured array come as columns", () => {
  const { file, ...content } = FIXTURE.cases.find(({ name }) => name === "structured")!;
  using reader = openNpy(fromBytes(fromBase64(file), "table"), { dtype: "structured" });
  const pose = reader.readRows(1, 2)["pose"]!;
  const whole = content.columns!.find(([name]) => name === "pose")![1];
  assert.deepEqual(pose.shape, [1, 2, 2, 3]);
  assert.deepEqual(pose.data, (arrayOf(whole).data as Float32Array).slice(12));
});

Deno.test("readRowsInto writes nowhere but into its target", () => {
  const all = Float32Array.from({ length: 12 }, (_, i) => i);
  using reader = openNpy(fromBytes(encodeNpy({ shape: [4, 3], data: all }), "rows"));
  const around = new Float32Array(8).fill(-1);
  reader.readRowsInto(2, around.subarray(1, 7));
  assert.deepEqual(around, new Float32Array([-1, 6, 7, 8, 9, 10, 11, -1]));
  reader.readRowsInto(4, new Float32Array(0));
});

Deno.test("rows that are not there, and targets that do not fit, are refused", () => {
  const bytes = encodeNpy({ shape: [4, 3], data: new Float32Array(12) });
  using reader = openNpy(fromBytes(bytes, "r.npy"));
  for (const [start, end] of [[-1, 2], [3, 2], [0, 5], [0.5, 2], [NaN, 2], [5, 5]] as const) {
    assert.throws(() => reader.readRows(start, end), RangeError);
  }
  assert.throws(() => reader.readRowsInto(0, new Float64Array(3)), /hold float32.*Float64Array/);
  assert.throws(() => reader.readRowsInto(0, new Float32Array(4)), /multiple of 3.*is 4/);
  assert.throws(() => reader.readRowsInto(2, new Float32Array(9)), /rows 0 to 4 can be read/);
  using texts = openNpy(fromBytes(encodeNpy({ data: ["a"] }), "t.npy"));
  assert.throws(() => texts.readRowsInto(0, new Uint8Array(1)), /hold U1.*Use readRows/);
});

Deno.test("a closed file gives no more rows; closing twice is harmless", () => {
  const path = `${folder}/closed.npy`;
  writeNpy(path, { data: new Int8Array([1, 2]) });
  const reader = openNpy(path);
  reader.close();
  reader.close();
  assert.throws(() => reader.readRows(0, 1), /closed\.npy: it was closed before/);
});

Deno.test("files that are not opened are not left open", () => {
  if (Deno.build.os !== "linux") return;
  const path = `${folder}/junk.npy`;
  Deno.writeTextFileSync(path, "no array");
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 20; i++) assert.throws(() => openNpy(path), SyntaxError);
  assert.equal(readdirSync("/proc/self/fd").length, before);
});

Deno.test("appended rows are the bytes that numpy.save writes, however they are cut", () => {
  const path = `${folder}/appended.npy`;
  const ready = FIXTURE.cases.filter(({ same, shape, columns }) =>
    same && shape.length > 0 && !columns && !shape.slice(1).includes(0)
  );
  fc.assert(fc.property(
    fc.constantFrom(...ready),
    fc.array(fc.nat(6), { maxLength: 4 }),
    ({ file, ...content }, cuts) => {
      const { dtype, shape, data } = arrayOf(content);
      const values = data as Float32Array;
      const perRow = shape[0] === 0 ? 0 : values.length / shape[0]!;
      const edges = [0, ...cuts.map((cut) => Math.min(cut, shape[0]!)).sort(), shape[0]!];
      using writer = createNpyWriter(path, { dtype, rowShape: shape.slice(1) });
      edges.slice(1).forEach((end, i) =>
        writer.append(values.slice(edges[i]! * perRow, end * perRow))
      );
      assert.equal(writer.rows, shape[0]);
      writer.close();
      assert.equal(Deno.readFileSync(path).toHex(), fromBase64(file).toHex());
    },
  ));
});

Deno.test("without close nothing changes, and no partial file stays", () => {
  const place = Deno.makeTempDirSync({ dir: folder });
  const path = `${place}/rows.npy`;
  const write = (value: number, close: boolean) => {
    using writer = createNpyWriter(path, { dtype: "int16", rowShape: [2] });
    writer.append(new Int16Array([value, value]));
    if (close) writer.close();
    else assert.equal([...Deno.readDirSync(place)].length, 2);
  };
  write(1, true);
  write(2, false);
  assert.deepEqual(readNpy(path).data, new Int16Array([1, 1]));
  assert.deepEqual([...Deno.readDirSync(place)].map(({ name }) => name), ["rows.npy"]);
});

Deno.test("rows of another class or length, and use after close, are refused", () => {
  using writer = createNpyWriter(`${folder}/refused.npy`, { dtype: "float32", rowShape: [2] });
  const append = (rows: unknown) => () => writer.append(rows as Float32Array);
  assert.throws(append(new Float64Array(2)), /those of float32.*Float64Array/);
  assert.throws(append(["a", "b"]), TypeError);
  assert.throws(append(new Float32Array(3)), /multiple of 2.*value is 3/);
  writer.append(new Float32Array(2));
  writer.close();
  assert.throws(append(new Float32Array(2)), /should be open, current value is closed/);
  assert.throws(() => writer.close(), TypeError);
  assert.deepEqual(readNpy(`${folder}/refused.npy`).shape, [1, 2]);
  for (const rowShape of [[0], [-1], [1.5]]) {
    assert.throws(() => createNpyWriter(`${folder}/x.npy`, { dtype: "int8", rowShape }), TypeError);
  }
  for (const dtype of ["structured", "U0", "float12"] as NpyDType[]) {
    assert.throws(() => createNpyWriter(`${folder}/x.npy`, { dtype }), TypeError);
  }
});

const arrays = {
  bool: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  float16: Float16Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
  complex128: Float64Array,
  "datetime64[us]": BigInt64Array,
  "timedelta64[3h]": BigInt64Array,
} as const;

Deno.test("any numbers of any dtype and shape come back bit for bit", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(arrays) as (keyof typeof arrays)[]),
      fc.array(fc.nat(4), { maxLength: 5 }),
      fc.infiniteStream(fc.nat(255)),
      (dtype, shape, noise) => {
        const parts = dtype.startsWith("complex") ? 2 : 1;
        const data: NpyTypedArray = new arrays[dtype](shape.reduce((a, b) => a * b, parts));
        const bytes = new Uint8Array(data.buffer);
        for (let i = 0; i < bytes.length; i++) {
          bytes[i] = noise.next().value & (dtype === "bool" ? 1 : 255);
        }
        const found = decodeNpy(encodeNpy({ dtype, shape, data }));
        assert.equal(found.dtype, dtype);
        assert.deepEqual(found.shape, shape);
        assert.equal(found.data.constructor, data.constructor);
        const view = found.data as NpyTypedArray;
        assert.equal(new Uint8Array(view.buffer as ArrayBuffer).toHex(), bytes.toHex());
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("any texts and columns come back", () => {
  const text = fc.string({ unit: "binary", maxLength: 9 }).filter((text) => !text.endsWith("\0"));
  const byteText = fc.uint8Array({ maxLength: 5 })
    .map((bytes) => String.fromCharCode(...bytes)).filter((text) => !text.endsWith("\0"));
  fc.assert(fc.property(fc.array(text), fc.array(byteText), (texts, byteTexts) => {
    assert.deepEqual(decodeNpy(encodeNpy({ data: texts })).data, texts);
    assert.deepEqual(decodeNpy(encodeNpy({ dtype: "S", data: byteTexts })).data, byteTexts);
  }));
  const names = fc.uniqueArray(fc.string({ unit: "binary", minLength: 1, maxLength: 6 }), {
    minLength: 1,
  });
  fc.assert(fc.property(names, fc.nat(3), (names, rows) => {
    const columns = names.map((name, i): [string, Float32Array] => [
      name,
      new Float32Array(rows).fill(i),
    ]);
    const data = Object.fromEntries(columns.map(([name, data]) => [name, { data }]));
    const found = decodeNpy(encodeNpy({ data }), { dtype: "structured" }).data;
    assert.deepEqual(
      Object.entries(found).map(([name, { data }]) => [name, data]).sort(),
      columns.sort(),
    );
  }));
});
