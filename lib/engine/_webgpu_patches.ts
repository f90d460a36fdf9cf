/**
 * Kernels of tfjs's `webgpu` backend that are wrong, replaced.
 *
 * @module
 */
import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";

/** WebGPU guarantees 8 storage buffers per shader stage, one of which is the output. */
const MOST_INPUTS = 7;

/** From this inner dimension on tfjs adds up parts of a product by atomic operations. */
const SPLIT = 2000;
/** The flag that chooses how products are computed, and its value for tiles of 32 × 32. */
const METHOD = "WEBGPU_MATMUL_PROGRAM_TYPE", TILES = 3;

/** Registers the replacements. Call once, after the backend has started. */
export function patchWebGpu(): void {
  replace("AddN", inGroups);
  replace("BatchMatMul", inTiles);
  replace("_FusedMatMul", inTiles);
}

function replace(kernelName: string, by: (original: KernelFunc) => KernelFunc): void {
  const backendName = "webgpu";
  const original = tf.getKernel(kernelName, backendName).kernelFunc;
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ kernelName, backendName, kernelFunc: by(original) });
}

/** tfjs's split product reads a transposed second factor as if it were none. */
function inTiles(original: KernelFunc): KernelFunc {
  return (call) => {
    const { transposeB } = call.attrs as unknown as { transposeB: boolean };
    const { b } = call.inputs as unknown as { b: TensorInfo };
    if (!transposeB || b.shape.at(-1)! < SPLIT) return original(call);
    const usual = tf.env().getNumber(METHOD);
    tf.env().set(METHOD, TILES);
    try {
      return original(call);
    } finally {
      tf.env().set(METHOD, usual);
    }
  };
}

/** tfjs's kernel binds a buffer for each input, and silently leaves out those beyond the limit. */
function inGroups(original: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const all = inputs as unknown as TensorInfo[];
    const add = (some: TensorInfo[]) =>
      original({ inputs: some as never, ...(attrs && { attrs }), backend }) as TensorInfo;
    let sum = add(all.slice(0, MOST_INPUTS));
    for (let i = MOST_INPUTS; i < all.length; i += MOST_INPUTS - 1) {
      const next = add([sum, ...all.slice(i, i + MOST_INPUTS - 1)]);
      (backend as { disposeData(id: object): void }).disposeData(sum.dataId);
      sum = next;
    }
    return sum;
  };
}
