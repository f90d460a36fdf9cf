import assert from "node:assert/strict";
import {
  decodeNpy,
  encodeNpy,
  fromBytes,
  type NpyArray,
  openNpz,
  writeNpz,
} from "../../lib/formats/mod.ts";
import { arrayOf, bits, FIXTURE, fromBase64, randomNumbers } from "./_npy_fixtures.ts";
import { temporaryPath } from "../_temporary.ts";

type Random = (below: number) => number;

/** Texts that stand in headers, and what else could. */
const PIECES = ["descr", "shape", "fortran_order", "True", "False", "<f4", ">i8", "|b1", "<U3"]
  .concat(["|S2", "<M8[ns]", "|O", "|V2", "(2, 3)", "(3,)", "()", "(0,)", "(-1,)", "(1L,)"])
  .concat(["'", '"', "{", "}", "[", "]", ",", ":", " ", "\\x41", "\\", "9", "99999999999", "e9"])
  .map((text) => new TextEncoder().encode(text));

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const rest = Math.min(bytes.length, at + remove);
  const result = new Uint8Array(at + insert.length + bytes.length - rest);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(rest), at + insert.length);
  return result;
}

/** One to three of: bytes changed, cut off, inserted, removed, header texts put in. */
function damage(bytes: Uint8Array, header: number, random: Random): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(random(3) > 0 ? Math.min(header, result.length + 1) : result.length + 1);
    const kind = random(10);
    if (kind < 4 && at < result.length) result[at]! ^= 1 << random(8);
    else if (kind === 4 && at < result.length) result[at] = random(256);
    else if (kind === 5) result = result.slice(0, random(result.length + 1));
    else if (kind === 6) result = splice(result, at, 0, new Uint8Array(1 + random(9)));
    else if (kind === 7) result = splice(result, at, 1 + random(9), new Uint8Array(0));
    else {
      const piece = PIECES[random(PIECES.length)]!;
      result = splice(result, at, random(2) * piece.length, piece);
    }
  }
  return result;
}

/** Element bytes of fixed dtypes, of texts by their name; structured ones are added up. */
function elementBytes(array: NpyArray): number {
  const text = /^([US])(\d+)$/.exec(array.dtype);
  if (text !== null) return Number(text[2]) * (text[1] === "U" ? 4 : 1);
  if (/^(datetime|timedelta)64/.test(array.dtype)) return 8;
  return array.dtype === "bool" ? 1 : Number(/\d+$/.exec(array.dtype)![0]) / 8;
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** What is read must have the shape and exactly the bytes that the file holds. */
function checkRead(file: Uint8Array, array: NpyArray): void {
  if (array.dtype === "structured") {
    for (const column of Object.values(array.data)) {
      assert.deepEqual(column.shape.slice(0, array.shape.length), array.shape);
    }
    return;
  }
  const count = product(array.shape), bytes = count * elementBytes(array);
  const numbers = count * (array.dtype.startsWith("complex") ? 2 : 1);
  assert.equal((array.data as readonly string[]).length, numbers);
  const view = new DataView(file.buffer, file.byteOffset);
  const start = file[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
  assert.equal(start + bytes, file.length);
  const header = new TextDecoder().decode(file.subarray(10, start));
  // Texts with zeros or surrogates inside have more than one form.
  if (/["'][>]|True/.test(header) || /^[US]/.test(array.dtype)) return;
  const written = encodeNpy(array);
  assert.equal(written.subarray(-bytes || Infinity).toHex(), file.subarray(start).toHex());
}

Deno.test("20,000 damaged .npy files are read right or refused with name and place", () => {
  const random = randomNumbers(1);
  const files = FIXTURE.cases.map(({ file }) => fromBase64(file));
  let read = 0;
  for (let i = 0; i < 20_000; i++) {
    const file = damage(files[random(files.length)]!, 130, random);
    let array: NpyArray;
    try {
      array = decodeNpy(file, { path: "damaged.npy" });
    } catch (error) {
      assert.ok(error instanceof SyntaxError, `${i}: ${(error as Error).stack}`);
      assert.match(error.message, /^Cannot read damaged\.npy at byte \d+: .*current value is /);
      continue;
    }
    checkRead(file, array);
    read++;
  }
  // Most damage is found; what is not changes a value, a name or some space.
  assert.ok(read > 500 && read < 10_000, `${read} read`);
});

/** Arrays by name, as far as they can be read. */
function readAll(bytes: Uint8Array): Map<string, NpyArray> {
  using reader = openNpz(fromBytes(bytes, "damaged.npz"));
  return new Map(reader.names.map((name) => [name, reader.read(name)]));
}

Deno.test("20,000 damaged .npz files give the arrays that were written, or are refused", () => {
  const random = randomNumbers(2);
  const archives = ["savez", "savez_compressed", "zip64", "loose"]
    .map((name) => fromBase64(FIXTURE.archives[name]!));
  const whole = new Map(Object.entries(FIXTURE.arrays).map(([k, v]) => [k, bits(arrayOf(v))]));
  for (const name of ["bare", "folder/inner"]) {
    whole.set(name, bits(readAll(archives[3]!).get(name)!));
  }
  let found = 0;
  for (let i = 0; i < 20_000; i++) {
    const archive = archives[random(archives.length)]!;
    const file = damage(archive, random(2) === 0 ? archive.length : 300, random);
    let arrays: Map<string, NpyArray>;
    try {
      arrays = readAll(file);
    } catch (error) {
      assert.ok(error instanceof SyntaxError, `${i}: ${(error as Error).stack}`);
      assert.match(error.message, /^Cannot read .*damaged\.npz.* at byte \d+: .*current value is /);
      found++;
      continue;
    }
    for (const [name, array] of arrays) {
      // A changed name is nothing that a check sum could tell.
      if (whole.has(name)) assert.deepEqual(bits(array), whole.get(name), `${i} ${name}`);
    }
  }
  assert.ok(found > 15_000, `${found} found`);
});

Deno.test("rows of 5,000 damaged archives are read or refused, never crash or hang", () => {
  const random = randomNumbers(3);
  const path = temporaryPath("file");
  const data = Float32Array.from({ length: 300 }, (_, i) => i);
  const archives = [false, true].map((compressed) => {
    writeNpz(path, { a: { shape: [100, 3], data }, b: { data: ["x", "y"] } }, { compressed });
    return Deno.readFileSync(path);
  });
  Deno.removeSync(path);
  for (let i = 0; i < 5_000; i++) {
    const file = damage(archives[random(2)]!, 1500, random);
    try {
      using reader = openNpz(fromBytes(file, "damaged.npz"));
      for (const name of reader.names) {
        using member = reader.member(name);
        const end = random(member.rows + 1), start = random(end + 1);
        const rows = member.readRows(start, end) as Float32Array;
        if (ArrayBuffer.isView(rows)) {
          assert.equal(rows.length % Math.max(1, member.rowLength), 0);
        }
      }
    } catch (error) {
      assert.ok(error instanceof SyntaxError, `${i}: ${(error as Error).stack}`);
      assert.match(error.message, /damaged\.npz.* at byte \d+: /);
    }
  }
});
