/** Kernels of tfjs-node that trocar replaces, because a better op exists or because they read on the host. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor, TensorInfo } from "@tensorflow/tfjs";
import { ATTR } from "./_attributes.ts";
import type { TensorFlowBackend } from "./_backend.ts";
import { DT } from "./_dtypes.ts";

type Kernel = (
  native: TensorFlowBackend,
  inputs: Readonly<Record<string, TensorInfo>>,
  attributes: Readonly<Record<string, number | boolean>>,
) => Tensor;

/** Replaces the kernels; call after tfjs-node has registered its own. */
export function registerKernels(native: TensorFlowBackend): void {
  const kernels: Record<string, Kernel> = { BatchMatMul: matMul, GatherV2: gather, Round: round };
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.unregisterKernel(kernelName, "tensorflow");
    tf.registerKernel({
      kernelName,
      backendName: "tensorflow",
      kernelFunc: ({ inputs, attrs }) => kernel(native, inputs as never, attrs as never),
    });
  }
}

function run(
  native: TensorFlowBackend,
  op: string,
  attributes: readonly [name: string, type: number, value: number | boolean][],
  inputs: readonly TensorInfo[],
): Tensor {
  const [output] = native.binding.executeOp(
    op,
    attributes.map(([name, type, value]) => ({ name, type, value })),
    native.ids(inputs),
    1,
  );
  return native.tensor(output!);
}

/** Rows of the left factor up to which a transposed right factor is worth avoiding on a CPU. */
const FEW_ROWS = 512;

/**
 * Products of two matrices go to `MatMul`, which is faster than `BatchMatMulV2` with one batch and which
 * TensorFlow fuses with the bias and the activation that follow. On a CPU, `MatMul` with few rows and a
 * transposed right factor (a layer whose weight is `[out, in]`) first copies the whole weight; computing
 * the transposed result and transposing that instead is about twice as fast.
 */
const matMul: Kernel = (native, { a, b }, { transposeA, transposeB }) => {
  const dtype = dtypeOf(a!);
  if (a!.shape.length !== 2 || b!.shape.length !== 2) {
    return run(native, "BatchMatMulV2", [
      ["T", ATTR.type, dtype],
      ["adj_x", ATTR.bool, transposeA!],
      ["adj_y", ATTR.bool, transposeB!],
    ], [a!, b!]);
  }
  const product = (left: TensorInfo, right: TensorInfo, ta: boolean, tb: boolean) =>
    run(native, "MatMul", [
      ["T", ATTR.type, dtype],
      ["transpose_a", ATTR.bool, ta],
      ["transpose_b", ATTR.bool, tb],
    ], [left, right]);
  const rows = a!.shape[transposeA ? 1 : 0]!;
  const columns = b!.shape[0]!;
  const slow = transposeB && !transposeA && rows > 8 && rows <= FEW_ROWS && columns >= 2 * rows;
  if (!slow || native.binding.isUsingGpuDevice()) {
    return product(a!, b!, transposeA as boolean, transposeB as boolean);
  }
  const transposed = product(b!, a!, false, true);
  const result = tf.transpose(transposed);
  transposed.dispose();
  return result;
};

/**
 * tfjs-node's kernel copies the indices to the host to check their range: impossible while tracing and
 * a stall on a GPU. TensorFlow checks the range itself on a CPU; its error is told as tfjs tells it.
 */
const gather: Kernel = (native, { x, indices }, { axis, batchDims }) => {
  const { collectGatherOpShapeInfo } = tf.backend_util.segment_util;
  collectGatherOpShapeInfo(x as Tensor, indices as Tensor, axis as number, batchDims as number);
  const axisTensor = tf.scalar(axis as number, "int32");
  try {
    return run(native, "GatherV2", [
      ["batch_dims", ATTR.int, batchDims!],
      ["Tparams", ATTR.type, dtypeOf(x!)],
      ["Tindices", ATTR.type, DT.int32],
      ["Taxis", ATTR.type, DT.int32],
    ], [x!, indices!, axisTensor]);
  } catch (error) {
    const found = error instanceof Error && / = (-?\d+) is not in \[0, (\d+)\)/.exec(error.message);
    if (!found) throw error;
    const [, index, size] = found;
    throw new RangeError(
      `GatherV2: the index value ${index} is not in [0, ${Number(size) - 1}]`,
      { cause: error },
    );
  } finally {
    axisTensor.dispose();
  }
};

/** TensorFlow's `Round` returns zeros for int32. */
const round: Kernel = (native, { x }) => {
  const dtype = dtypeOf(x!);
  return run(native, dtype === DT.int32 ? "Identity" : "Round", [["T", ATTR.type, dtype]], [x!]);
};

/** The `TF_DataType` of a tfjs tensor. */
export function dtypeOf(tensor: { readonly dtype: tf.DataType }): number {
  return DT[tensor.dtype as keyof typeof DT];
}
