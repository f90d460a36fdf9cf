import assert from "node:assert/strict";
import { encodeNpyHeader } from "../../lib/formats/_npy_header.ts";
import { layoutOf } from "../../lib/formats/_npy_dtype.ts";
import { createZipWriter } from "../../lib/formats/_zip_writer.ts";
import { createNpzWriter, encodeNpy, openNpy, openNpz } from "../../lib/formats/mod.ts";
import { temporaryPath } from "../_temporary.ts";

const ROWS = 1_100_000, COLUMNS = 1024; // float32: 4.5 GB
const ZEROS = new Uint8Array(1 << 26);

/** A file in which zeros take no room on the disk. */
function sparse(file: Deno.FsFile): Pick<Deno.FsFile, "writeSync" | "seekSync"> {
  return {
    writeSync(bytes) {
      if (bytes.buffer !== ZEROS.buffer) return file.writeSync(bytes);
      file.seekSync(bytes.length, Deno.SeekMode.Current);
      return bytes.length;
    },
    seekSync: (offset, whence) => file.seekSync(offset, whence),
  };
}

function writeZeros(write: (bytes: Uint8Array) => void, bytes: number): void {
  for (let left = bytes; left > 0; left -= ZEROS.length) {
    write(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  }
}

Deno.test("an archive of 4.5 GB: members after it and rows of it come in milliseconds", () => {
  const path = temporaryPath("file.npz");
  try {
    const header = encodeNpyHeader(layoutOf("float32")!, [ROWS, COLUMNS]);
    const last = new Float32Array(COLUMNS).fill(7);
    {
      using file = Deno.openSync(path, { write: true, create: true });
      const zip = createZipWriter(sparse(file), false);
      zip.begin("big.npy", header);
      writeZeros((bytes) => zip.write(bytes), (ROWS - 1) * COLUMNS * 4);
      zip.write(new Uint8Array(last.buffer));
      zip.end(header);
      const small = encodeNpy({ data: Float64Array.from([1, 2, 3]) });
      zip.begin("small.npy", small.subarray(0, 128));
      zip.write(small.subarray(128));
      zip.end(small.subarray(0, 128));
      zip.finish();
    }
    assert.ok(Deno.statSync(path).size > 2 ** 32);
    const start = performance.now();
    using reader = openNpz(path);
    assert.deepEqual(reader.read("small").data, new Float64Array([1, 2, 3]));
    using big = reader.member("big", { dtype: "float32", shape: [null, COLUMNS] });
    assert.equal(big.rows, ROWS);
    assert.deepEqual(big.readRows(ROWS - 1, ROWS), last);
    assert.deepEqual(big.readRows(0, 1), new Float32Array(COLUMNS));
    const duration = performance.now() - start;
    assert.ok(duration < 3000, `${duration} ms`);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("an .npy file of 4.5 GB: rows beyond 4 GB", () => {
  const path = temporaryPath("file.npy");
  try {
    {
      using file = Deno.openSync(path, { write: true, create: true });
      file.writeSync(encodeNpyHeader(layoutOf("float32")!, [ROWS, COLUMNS]));
      file.truncateSync(128 + ROWS * COLUMNS * 4 - 4);
      file.seekSync(0, Deno.SeekMode.End);
      file.writeSync(new Uint8Array(new Float32Array([9]).buffer));
    }
    using reader = openNpy(path, { dtype: "float32" });
    const target = new Float32Array(2 * COLUMNS);
    reader.readRowsInto(ROWS - 2, target);
    assert.equal(target.at(-1), 9);
    assert.equal(target[0], 0);
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("70,000 members: more than fit into the records of plain zip", () => {
  const path = temporaryPath("file.npz");
  try {
    const one = { dtype: "int8", shape: [] } as const;
    {
      using writer = createNpzWriter(path);
      for (let i = 0; i < 70_000; i++) writer.add(`m${i}`, { ...one, data: Int8Array.of(i % 100) });
      writer.close();
    }
    using reader = openNpz(path);
    assert.equal(reader.names.length, 70_000);
    assert.deepEqual(reader.read("m69999").data, Int8Array.of(99));
  } finally {
    Deno.removeSync(path);
  }
});
