/**
 * Kernels of tfjs's `webgpu` backend that are wrong, replaced.
 *
 * @module
 */
import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";

/** WebGPU guarantees 8 storage buffers per shader stage, one of which is the output. */
const MOST_INPUTS = 7;

/** Registers the replacements. Call once, after the backend has started. */
export function patchWebGpu(): void {
  const original = tf.getKernel("AddN", "webgpu").kernelFunc;
  tf.unregisterKernel("AddN", "webgpu");
  tf.registerKernel({
    kernelName: "AddN",
    backendName: "webgpu",
    kernelFunc: inGroups(original),
  });
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
