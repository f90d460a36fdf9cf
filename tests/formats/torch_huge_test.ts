import assert from "node:assert/strict";
import {
  openRandomAccess,
  openTorchCheckpoint,
  type TorchStorage,
  TorchTensor,
} from "../../lib/formats/mod.ts";
import { checkpointWriter } from "../../lib/formats/torch_checkpoint_writer.ts";
import { temporaryPath } from "../_temporary.ts";

const GIBIBYTE = 2 ** 30;
const ZEROS = new Uint8Array(1 << 26);
const LAST = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);

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

/** Zeros with four numbers at the end. */
function zeros(key: string, bytes: number): TorchStorage {
  return {
    path: "zeros",
    key,
    dtype: "float32",
    bytes,
    location: "cpu",
    readInto: () => assert.fail("nothing is read as a whole"),
    *pieces() {
      const end = bytes - LAST.length;
      for (let done = 0; done < end; done += ZEROS.length) {
        yield ZEROS.subarray(0, Math.min(ZEROS.length, end - done));
      }
      yield LAST;
    },
  };
}

function matrix(key: string, bytes: number): TorchTensor {
  return new TorchTensor(zeros(key, bytes), {
    dtype: "float32",
    shape: [bytes / 4096, 1024],
    strides: [1024, 1],
    offset: 0,
    requiresGrad: false,
    isParameter: false,
  });
}

Deno.test("the keys of 4.6 GB come in milliseconds and little memory, and rows beyond 4 GB are read", () => {
  const path = temporaryPath("file.pt");
  try {
    const names = Array.from({ length: 1200 }, (_, i) => `model.layers.${i}.weight`);
    const model = Object.fromEntries(names.map((name, i) => [name, matrix(String(i), 2 ** 20)]));
    const last = matrix("last", 3.4 * GIBIBYTE - 3.4 * GIBIBYTE % 4096);
    const after = { dtype: "int64", shape: [], data: new BigInt64Array([9n]) } as const;
    {
      using file = Deno.openSync(path, { write: true, create: true });
      checkpointWriter(path, { epoch: 7, model_state_dict: { ...model, last, after } })(
        sparse(file),
      );
    }
    assert.ok(Deno.statSync(path).size > 4.5 * GIBIBYTE);

    const file = openRandomAccess(path);
    let read = 0;
    const counting = {
      ...file,
      read(offset: number, length: number) {
        read += length;
        return file.read(offset, length);
      },
    };
    const before = Deno.memoryUsage().rss;
    using checkpoint = openTorchCheckpoint(counting);
    const tensors = checkpoint.tensors();
    const grown = Deno.memoryUsage().rss - before;
    assert.equal(tensors.length, 1202);
    assert(read < 2 ** 20, `${read} bytes were read`);
    assert(grown < 100 * 2 ** 20, `${grown} bytes of memory`);

    const rows = last.shape[0]!;
    const row = tensors[1200]![1].readRows(rows - 1, rows);
    assert.deepEqual([row.length, ...row.slice(-5)], [1024, 0, 1, 2, 3, 4]);
    assert.deepEqual(tensors[1201]![1].read().data, after.data);
    assert.deepEqual(tensors[7]![1].read().data.slice(-4), new Float32Array([1, 2, 3, 4]));
  } finally {
    Deno.removeSync(path);
  }
});
