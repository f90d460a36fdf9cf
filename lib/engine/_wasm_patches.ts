/**
 * Kernels of tfjs's `wasm` backend that are wrong or too slow for training, replaced.
 *
 * @module
 */
import type { DataType, NamedAttrMap, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { cpuKernel, type Kernel, replaceKernel, requireKernel } from "./_cpu_kernels.ts";
import { conv2dFilterGradient, conv2dInputGradient } from "./_wasm_conv.ts";
import { floats, integers, type WasmBackend, zero } from "./_wasm_heap.ts";
import { batchMatMul } from "./_wasm_matmul.ts";

/** Registers the replacements. Call once, after the backend has started. */
export function patchKernels(backend: WasmBackend): void {
  replaceKernel("BatchMatMul", batchMatMul(backend));
  replaceKernel("Cast", cast(backend));
  replaceKernel("Conv2DBackpropFilter", conv2dFilterGradient(backend));
  replaceKernel("Conv2DBackpropInput", conv2dInputGradient(backend));
  replaceKernel("UnsortedSegmentSum", unsortedSegmentSum(backend));
}

/** tfjs's kernel truncates to bool (0.5 and 256 become false, 2 stays 2); here true is 1. */
function cast(backend: WasmBackend): Kernel {
  const original = requireKernel("Cast", "wasm"), onCpu = cpuKernel("Cast", backend);
  return (inputs: NamedTensorInfoMap, attrs: NamedAttrMap) => {
    const { x } = inputs as { x: TensorInfo };
    const dtype = attrs.dtype as DataType;
    const toBool = dtype === "bool" && x.dtype !== "bool";
    const complex = dtype === "complex64" || x.dtype === "complex64";
    return toBool || complex ? onCpu(inputs, attrs) : original({ inputs, attrs, backend });
  };
}

/**
 * Rows of x `(rows, …)` added up by segment, the gradient of an embedding: one pass over x, where
 * tfjs's `cpu` kernel makes one pass per segment. Ids outside 0 … segments − 1 are dropped.
 */
function unsortedSegmentSum(backend: WasmBackend): Kernel {
  const onCpu = cpuKernel("UnsortedSegmentSum", backend);
  return (inputs: NamedTensorInfoMap, attrs: NamedAttrMap) => {
    const { x, segmentIds } = inputs as { x: TensorInfo; segmentIds: TensorInfo };
    if (x.dtype !== "float32" || segmentIds.shape.length !== 1) return onCpu(inputs, attrs);
    const segments = attrs.numSegments as number;
    const inner = tf.util.sizeFromShape(x.shape.slice(1));
    const out = zero(
      backend.makeOutput([segments, ...x.shape.slice(1)], "float32"),
      backend,
    );
    const from = floats(x, backend), to = floats(out, backend);
    const ids = integers(segmentIds, backend);
    for (let row = 0; row < ids.length; row++) {
      const segment = ids[row]!;
      if (segment < 0 || segment >= segments) continue;
      const source = row * inner, target = segment * inner;
      for (let i = 0; i < inner; i++) to[target + i]! += from[source + i]!;
    }
    return out;
  };
}
