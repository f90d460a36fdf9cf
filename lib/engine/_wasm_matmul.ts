/**
 * `BatchMatMul` for tfjs's `wasm` backend. tfjs's own kernel hands only plain products of two
 * matrices to XNNPACK; batches and transposed operands, which every gradient has, run in a loop
 * 10 to 20 times slower, and batches that broadcast on both sides come out with a wrong size.
 * Here operands are transposed first and each matrix of a batch goes to XNNPACK.
 *
 * @module
 */
import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { cpuKernel, type Kernel, requireKernel } from "./_cpu_kernels.ts";
import { offsetOf, type WasmBackend } from "./_wasm_heap.ts";

/** out `(m, n)` = a `(m, k)` · b `(k, n)`, float32, row-major, at byte offsets of the heap. */
export type Gemm = (
  size: { m: number; k: number; n: number },
  at: { a: number; b: number; out: number },
) => void;

// Names of heap regions inside the backend; it counts its own up from 1.
const FIRST_ID = 0x40000000;

/** XNNPACK's float32 matrix product on regions of the heap. */
export function heapGemm(backend: WasmBackend): Gemm {
  const { registerTensor, disposeData } = backend.wasm.tfjs;
  const number = "number", array = "array";
  const multiply = backend.wasm.cwrap("BatchMatMul", null, [
    ...[number, array, number], // a: id, shape, rank
    ...[number, array, number], // b: id, shape, rank
    ...[number, number, number], // transposeA, transposeB, out: id
  ]);
  const shape = (rows: number, columns: number) =>
    new Uint8Array(new Int32Array([1, rows, columns]).buffer);
  return ({ m, k, n }, at) => {
    if (m === 0 || n === 0) return;
    if (k === 0) {
      new Float32Array(backend.wasm.HEAPU8.buffer, at.out, m * n).fill(0);
      return;
    }
    registerTensor(FIRST_ID, m * k, at.a);
    registerTensor(FIRST_ID + 1, k * n, at.b);
    registerTensor(FIRST_ID + 2, m * n, at.out);
    multiply(FIRST_ID, shape(m, k), 3, FIRST_ID + 1, shape(k, n), 3, 0, 0, FIRST_ID + 2);
    for (let i = 0; i < 3; i++) disposeData(FIRST_ID + i); // forgets the names, frees nothing
  };
}

/** A copy of `info` with its last two axes swapped; the caller disposes of it. */
export function swapLastAxes(info: TensorInfo, backend: WasmBackend): TensorInfo {
  const perm = info.shape.map((_, axis) => axis);
  perm.push(...perm.splice(-2).reverse());
  const transpose = requireKernel("Transpose", "wasm");
  return transpose({ inputs: { x: info }, backend, attrs: { perm } }) as TensorInfo;
}

/** The kernel: a `(…, m, k)` · b `(…, k, n)` → `(…, m, n)` with leading axes that broadcast. */
export function batchMatMul(backend: WasmBackend): Kernel {
  const gemm = heapGemm(backend), onCpu = cpuKernel("BatchMatMul", backend);
  return (inputs: NamedTensorInfoMap, attrs: NamedAttrMap) => {
    const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
    if (a.dtype !== "float32" || b.dtype !== "float32") return onCpu(inputs, attrs);
    const left = attrs.transposeA ? swapLastAxes(a, backend) : a;
    const right = attrs.transposeB ? swapLastAxes(b, backend) : b;
    const out = product(left, right, backend, gemm);
    if (left !== a) backend.disposeData(left.dataId);
    if (right !== b) backend.disposeData(right.dataId);
    return out;
  };
}

function product(a: TensorInfo, b: TensorInfo, backend: WasmBackend, gemm: Gemm): TensorInfo {
  const m = a.shape.at(-2)!, k = a.shape.at(-1)!, n = b.shape.at(-1)!;
  const outerA = a.shape.slice(0, -2), outerB = b.shape.slice(0, -2);
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const out = backend.makeOutput([...outer, m, n], "float32");
  const batch = tf.util.sizeFromShape(outer);
  const from = { a: offsetOf(a, backend), b: offsetOf(b, backend), out: offsetOf(out, backend) };
  if (tf.util.sizeFromShape(outerB) === 1) { // one right-hand matrix: the batch is more rows
    gemm({ m: batch * m, k, n }, from);
    return out;
  }
  const indexA = broadcastIndex(outerA, outer), indexB = broadcastIndex(outerB, outer);
  for (let i = 0; i < batch; i++) {
    gemm({ m, k, n }, {
      a: from.a + 4 * m * k * indexA(i),
      b: from.b + 4 * k * n * indexB(i),
      out: from.out + 4 * m * n * i,
    });
  }
  return out;
}

/** Maps a flat index into `wide` to the flat index into `narrow`, which broadcasts to it. */
function broadcastIndex(narrow: number[], wide: number[]): (flat: number) => number {
  const padded = [...Array(wide.length - narrow.length).fill(1), ...narrow] as number[];
  return (flat) => {
    let index = 0, step = 1;
    for (let axis = wide.length - 1; axis >= 0; axis--) {
      const position = flat % wide[axis]!;
      flat = (flat - position) / wide[axis]!;
      if (padded[axis] !== 1) index += position * step;
      step *= padded[axis]!;
    }
    return index;
  };
}
