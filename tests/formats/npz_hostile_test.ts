import assert from "node:assert/strict";
import { crc32, deflateRawSync } from "node:zlib";
import { encodeNpy, fromBytes, openNpz, writeNpz } from "../../lib/formats/mod.ts";
import { createZipWriter } from "../../lib/formats/_zip_writer.ts";
import { temporaryFolder } from "../_temporary.ts";

const folder = temporaryFolder();

const LOCAL = 30 + "a.npy".length + 20;

/** An archive with one array `a`, stored or deflated, and where its directory's records stand. */
function oneArray(compressed: boolean) {
  const path = `${folder}/one.npz`;
  writeNpz(path, { a: { data: Float64Array.from({ length: 50 }, (_, i) => Math.sqrt(i)) } }, {
    compressed,
  });
  const bytes = Deno.readFileSync(path), view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  return { bytes, view, end, central: view.getUint32(end + 16, true) };
}

function read(bytes: Uint8Array): unknown {
  using reader = openNpz(fromBytes(bytes, "x.npz"));
  return reader.names.map((name) => reader.read(name));
}

function rejects(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => read(bytes), (error) => {
    assert.ok(error instanceof SyntaxError, `${(error as Error).stack}`);
    assert.match(error.message, /x\.npz.* at byte \d+: /);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("any flipped byte of the data is found by the CRC-32", () => {
  const { bytes, central } = oneArray(false);
  for (let at = LOCAL + 128; at < central; at++) {
    bytes[at]! ^= 0x10;
    rejects(bytes, /a\.npy should have the CRC-32 [0-9a-f]{8}, current value is [0-9a-f]{8}/);
    bytes[at]! ^= 0x10;
  }
  read(bytes);
});

Deno.test("a flipped bit of deflated data is found, or changes nothing", () => {
  const { bytes, central } = oneArray(true);
  const whole = read(bytes);
  let unfound = 0;
  for (let bit = LOCAL * 8; bit < central * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    try {
      assert.deepEqual(read(bytes), whole);
      unfound++;
    } catch (error) {
      assert.ok(error instanceof SyntaxError, `${(error as Error).stack}`);
    }
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  // Unused bits, and matches that may as well point to another place with the same bytes.
  assert.ok(unfound < 30, `${unfound} bits`);
});

Deno.test("a deflated member read to its last row by ranges is checked too", () => {
  const { bytes, central } = oneArray(true);
  using reader = openNpz(fromBytes(bytes, "x.npz"));
  assert.equal(reader.member("a", { dtype: "float64" }).readRows(49, 50)[0], 7);
  bytes[central + 16]! ^= 1;
  using other = openNpz(fromBytes(bytes, "x.npz"));
  assert.equal(other.member("a", { dtype: "float64" }).readRows(48, 49)[0], Math.sqrt(48));
  assert.throws(() => other.member("a").readRows(49, 50), /should have the CRC-32/);
});

Deno.test("encrypted members, other methods and split archives are refused by name", () => {
  const change = (place: (archive: ReturnType<typeof oneArray>) => number, value: number) => {
    const archive = oneArray(false);
    archive.view.setUint16(place(archive), value, true);
    return archive.bytes;
  };
  rejects(change(({ central }) => central + 8, 1), /a\.npy is encrypted/);
  rejects(change(({ central }) => central + 10, 12), /packed in an unknown way.*method 12/);
  rejects(change(({ end }) => end + 4, 1), /split over several files/);
  rejects(change(({ central }) => central + 42, 60_000), /lies outside the file/);
  rejects(change(({ end }) => end + 10, 2), /should hold 2 entries/);
  rejects(change(({ end }) => end + 10, 0), /should end after 0 entries/);
  rejects(change(() => 30, 0x4242), /same name in its local header/);
  rejects(oneArray(false).bytes.subarray(0, -1), /no end record/);
  rejects(new Uint8Array(0), /no end record/);
});

Deno.test("sizes that do not fit are refused before memory is taken for them", () => {
  const { bytes, view, central } = oneArray(true);
  view.setUint32(central + 24, 0xfffffff0, true);
  rejects(bytes, /cannot unpack to 4294967280 bytes/);
  const stored = oneArray(false);
  stored.view.setUint32(stored.central + 24, 4, true);
  rejects(stored.bytes, /is stored, it should hold 4 bytes/);
  stored.view.setUint32(stored.central + 20, 0xfffffff0, true);
  rejects(stored.bytes, /runs past the end/);
});

/** An archive with one deflated member of one's own making. */
function deflatedArchive(content: Uint8Array, packed: Uint8Array, size: number): Uint8Array {
  const name = new TextEncoder().encode("a.npy");
  const bytes = new Uint8Array(30 + 5 + packed.length + 46 + 5 + 22);
  const view = new DataView(bytes.buffer), central = 35 + packed.length, end = central + 51;
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(26, 5, true);
  bytes.set(name, 30);
  bytes.set(packed, 35);
  view.setUint32(central, 0x02014b50, true);
  view.setUint16(central + 10, 8, true);
  view.setUint32(central + 16, crc32(content), true);
  view.setUint32(central + 20, packed.length, true);
  view.setUint32(central + 24, size, true);
  view.setUint16(central + 28, 5, true);
  bytes.set(name, central + 46);
  view.setUint32(end, 0x06054b50, true);
  view.setUint16(end + 10, 1, true);
  view.setUint32(end + 12, 51, true);
  view.setUint32(end + 16, central, true);
  return bytes;
}

Deno.test("a deflate stream longer or shorter than the array, or with bytes after it, is refused", () => {
  const array = encodeNpy({ data: new Uint8Array(5000) });
  const packed = deflateRawSync(array);
  read(deflatedArchive(array, packed, array.length));
  const longer = deflateRawSync(new Uint8Array([...array, ...new Uint8Array(1_000_000)]));
  rejects(deflatedArchive(array, longer, array.length), /should hold 5128 bytes, current value is/);
  const shorter = deflateRawSync(array.subarray(0, -1));
  rejects(deflatedArchive(array, shorter, array.length), /should hold 5128 bytes|unexpected end/);
  rejects(
    deflatedArchive(array, new Uint8Array([...packed, 0, 0]), array.length),
    /ends before its data do/,
  );
  rejects(deflatedArchive(array, packed.subarray(0, -1), array.length), /damaged|should hold/);
  rejects(deflatedArchive(array, new Uint8Array(0), 0), /too short|should hold|damaged/);
  rejects(deflatedArchive(array, packed, array.length - 1), /data should follow/);
});

Deno.test("two arrays of one name are refused", () => {
  for (const names of [["a.npy", "a.npy"], ["a.npy", "a"]]) {
    const path = `${folder}/twice.npz`;
    using file = Deno.openSync(path, { create: true, write: true, truncate: true });
    const zip = createZipWriter(file, false);
    for (const name of names) {
      zip.begin(name, encodeNpy({ data: new Int8Array(1) }));
      zip.end(encodeNpy({ data: new Int8Array(1) }));
    }
    zip.finish();
    assert.throws(() => openNpz(path), /the name "a" should stand for one array/);
  }
});
