/**
 * Gradients of `conv2d` (and `conv1d`, which is one) for tfjs's `wasm` backend as matrix products
 * over patches (im2col; K. Chellapilla, S. Puri, P. Simard, 2006). tfjs has no filter gradient
 * there, and its input gradient is a plain loop.
 *
 * @module
 */
import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { cpuKernel, type Kernel } from "./_cpu_kernels.ts";
import { floats, offsetOf, type WasmBackend, zero } from "./_wasm_heap.ts";
import { heapGemm, swapLastAxes } from "./_wasm_matmul.ts";

type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

/** dx `(n, h, w, c)` of a convolution from dy `(n, oh, ow, f)` and filter `(kh, kw, c, f)`. */
export function conv2dInputGradient(backend: WasmBackend): Kernel {
  const gemm = heapGemm(backend), onCpu = cpuKernel("Conv2DBackpropInput", backend);
  return (inputs: NamedTensorInfoMap, attrs: NamedAttrMap) => {
    const { dy, filter } = inputs as { dy: TensorInfo; filter: TensorInfo };
    if (!isPlain([dy, filter], attrs)) return onCpu(inputs, attrs);
    const info = convInfo(attrs.inputShape as number[], filter.shape, attrs);
    const { rows, width } = patches(info);
    const flat = { ...filter, shape: [width, info.outChannels] };
    const transposed = swapLastAxes(flat, backend); // (f, kh·kw·c)
    const columns = backend.makeOutput([rows, width], "float32");
    gemm({ m: rows, k: info.outChannels, n: width }, {
      a: offsetOf(dy, backend),
      b: offsetOf(transposed, backend),
      out: offsetOf(columns, backend),
    });
    backend.disposeData(transposed.dataId);
    const dx = zero(backend.makeOutput(info.inShape, "float32"), backend);
    addPatches(floats(columns, backend), floats(dx, backend), info);
    backend.disposeData(columns.dataId);
    return dx;
  };
}

/** dW `(kh, kw, c, f)` of a convolution from x `(n, h, w, c)` and dy `(n, oh, ow, f)`. */
export function conv2dFilterGradient(backend: WasmBackend): Kernel {
  const gemm = heapGemm(backend), onCpu = cpuKernel("Conv2DBackpropFilter", backend);
  return (inputs: NamedTensorInfoMap, attrs: NamedAttrMap) => {
    const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo };
    if (!isPlain([x, dy], attrs)) return onCpu(inputs, attrs);
    const info = convInfo(x.shape, attrs.filterShape as number[], attrs);
    const { rows, width } = patches(info);
    const columns = zero(backend.makeOutput([rows, width], "float32"), backend);
    copyPatches(floats(x, backend), floats(columns, backend), info);
    const transposed = swapLastAxes(columns, backend); // (kh·kw·c, n·oh·ow)
    backend.disposeData(columns.dataId);
    const dw = backend.makeOutput(attrs.filterShape as number[], "float32");
    gemm({ m: width, k: rows, n: info.outChannels }, {
      a: offsetOf(transposed, backend),
      b: offsetOf(dy, backend),
      out: offsetOf(dw, backend),
    });
    backend.disposeData(transposed.dataId);
    return dw;
  };
}

function isPlain(inputs: TensorInfo[], attrs: NamedAttrMap): boolean {
  return attrs.dataFormat !== "NCHW" && inputs.every((info) => info.dtype === "float32");
}

/** tfjs refuses dilation in gradients before a kernel runs, so it is 1 here. */
function convInfo(inShape: number[], filterShape: number[], attrs: NamedAttrMap): ConvInfo {
  return tf.backend_util.computeConv2DInfo(
    inShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    attrs.strides as [number, number],
    1,
    attrs.pad as "same",
    attrs.dimRoundingMode as "floor",
  );
}

/** Size of the matrix of patches: one row per output position, one column per filter weight. */
function patches(info: ConvInfo): { rows: number; width: number } {
  return {
    rows: info.batchSize * info.outHeight * info.outWidth,
    width: info.filterHeight * info.filterWidth * info.inChannels,
  };
}

/** x `(n, h, w, c)` → columns `(n·oh·ow, kh·kw·c)`, which must be zero where padding is read. */
function copyPatches(x: Float32Array, columns: Float32Array, info: ConvInfo): void {
  forEachRun(info, (image, patch, length) => {
    columns.set(x.subarray(image, image + length), patch);
  });
}

/** Adds columns `(n·oh·ow, kh·kw·c)` into dx `(n, h, w, c)`: the transpose of copyPatches. */
function addPatches(columns: Float32Array, dx: Float32Array, info: ConvInfo): void {
  forEachRun(info, (image, patch, length) => {
    for (let i = 0; i < length; i++) dx[image + i]! += columns[patch + i]!;
  });
}

/** Visits each contiguous run of values that the image and the matrix of patches share. */
function forEachRun(
  info: ConvInfo,
  visit: (image: number, patch: number, length: number) => void,
): void {
  const { inHeight, inWidth, inChannels, filterHeight, filterWidth, padInfo } = info;
  const row = filterWidth * inChannels; // one filter row in a patch
  let patch = 0;
  for (let n = 0; n < info.batchSize; n++) {
    for (let oh = 0; oh < info.outHeight; oh++) {
      const top = oh * info.strideHeight - padInfo.top;
      for (let ow = 0; ow < info.outWidth; ow++) {
        const left = ow * info.strideWidth - padInfo.left;
        const first = Math.max(0, -left), last = Math.min(filterWidth, inWidth - left);
        for (let kh = 0; kh < filterHeight; kh++, patch += row) {
          const y = top + kh;
          if (y < 0 || y >= inHeight || last <= first) continue;
          const image = ((n * inHeight + y) * inWidth + left + first) * inChannels;
          visit(image, patch + first * inChannels, (last - first) * inChannels);
        }
      }
    }
  }
}
