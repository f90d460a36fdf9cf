import assert from "node:assert/strict";
import fc from "fast-check";
import {
  openTorchCheckpoint,
  type TensorDtype,
  type TorchStorage,
  TorchTensor,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { content } from "./_tensor_fixtures.ts";
import { temporaryPath } from "../_temporary.ts";

const SIZES = {
  uint8: 1,
  float16: 2,
  bfloat16: 2,
  float32: 4,
  int64: 8,
  complex64: 8,
  complex128: 16,
};

/** Bytes that differ, as a storage. */
function memory(bytes: number): { storage: TorchStorage; all: Uint8Array<ArrayBuffer> } {
  const all = Uint8Array.from({ length: bytes }, (_, i) => (i * 167 + (i >> 8)) & 255);
  const storage: TorchStorage = {
    path: "memory",
    key: "0",
    dtype: undefined,
    bytes,
    location: "cpu",
    readInto: (target, offset) => target.set(all.subarray(offset, offset + target.length)),
    pieces: () => [all],
  };
  return { storage, all };
}

/** An axis: its length and how far it goes, in elements. */
const axis = fc.tuple(fc.nat(40), fc.nat(50));

Deno.test("any view of a storage is read as its elements lie, and written as it is", () => {
  const path = temporaryPath("view.pt");
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(SIZES) as (keyof typeof SIZES)[]),
      fc.array(axis, { maxLength: 3 }),
      fc.nat(7),
      fc.nat(2),
      (dtype, axes, offset, odd) => {
        const shape = axes.map(([size]) => size), strides = axes.map(([, stride]) => stride);
        const count = shape.reduce((product, size) => product * size, 1);
        fc.pre(count <= 5000);
        const size = SIZES[dtype];
        const span = axes.reduce((sum, [size, stride]) => sum + Math.max(0, size - 1) * stride, 1);
        const { storage, all } = memory((offset + span) * size);
        const view = { shape, strides, offset, requiresGrad: false, isParameter: false };
        const tensor = new TorchTensor(storage, { ...view, dtype: dtype as TensorDtype });

        let expected = "";
        for (let i = 0; i < count; i++) {
          let rest = i, at = offset;
          for (let k = shape.length - 1; k >= 0; k--) {
            at += (rest % shape[k]!) * strides[k]!;
            rest = Math.floor(rest / shape[k]!);
          }
          expected += all.subarray(at * size, (at + 1) * size).toHex();
        }
        assert.equal(content(tensor.read()).bytes, expected);
        const target = new Uint8Array(odd + tensor.bytes);
        tensor.readInto(target.subarray(odd));
        assert.equal(target.subarray(odd).toHex(), expected);

        writeTorchCheckpoint(path, [tensor]);
        using checkpoint = openTorchCheckpoint(path);
        const [[, again]] = checkpoint.tensors() as [[unknown, TorchTensor]];
        const { dtype: d, shape: s, strides: t, offset: o } = again;
        assert.deepEqual([d, s, t, o], [dtype, shape, strides, offset]);
        assert.equal(content(again.read()).bytes, expected);
      },
    ),
    { numRuns: 400, seed: 9 },
  );
});
