/**
 * Gradients of matrices as the products that they are. Of a layer y = x·Wᵀ that sees few rows, x and ∂y
 * are much smaller than ∂W = ∂yᵀ·x: the norm needs no more than them (Goodfellow, arXiv:1510.01799; Li et
 * al., arXiv:2110.05679), and the update can make the product where it uses it, in the cache.
 */
import * as tf from "@tensorflow/tfjs";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";

/** Matrices `[rows, out]` and `[rows, in]`, of which the product is leftᵀ·right. */
export type Factors = readonly [left: tf.Tensor, right: tf.Tensor];

/** How many times smaller than the matrix's sides the rows must be, so that the norm costs less. */
const FEWER = 6;
/** Elements of a matrix from which on it is worth more ops. */
const LEAST = 1 << 16;

/**
 * The factors of a tensor in the function that is being traced for a CPU, if it is leftᵀ·right with few
 * rows, or several such below each other.
 */
export function factorsOf(x: tf.Tensor): Factors[] | undefined {
  const native = nativeBackend();
  const tracer = activeTracer();
  if (native === undefined || tracer === undefined || tracer.options.xla) return undefined;
  if (native.binding.isUsingGpuDevice() || x.size < LEAST) return undefined;
  const view = (id: number) => native.tensor({ id, ...tracer.metadata(id) });
  const found = tracer.products(native.ids([x])[0]!)
    ?.map(([left, right]): Factors => [view(left), view(right)]);
  return found?.every(areFewRows) ? found : undefined;
}

function areFewRows([left, right]: Factors): boolean {
  const [rows, outputs] = left.shape as [number, number];
  return FEWER * rows <= Math.min(outputs, right.shape[1]!);
}

/** leftᵀ·right of all factors, below each other; in float32, because writing it takes longer than computing. */
export function productOf(factors: readonly Factors[]): tf.Tensor {
  return activeTracer()!.exactly(() => {
    const products = factors.map(([left, right]) =>
      tf.matMul(left as tf.Tensor2D, right as tf.Tensor2D, true, false)
    );
    return products.length === 1 ? products[0]! : tf.concat(products, 0);
  });
}

/** Σx² of the products: Σ (left·leftᵀ) ∘ (right·rightᵀ), in float32. */
export function squaresOf(factors: readonly Factors[]): tf.Scalar {
  const gram = (x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true);
  const parts = activeTracer()!.exactly(() =>
    factors.map(([left, right]) => gram(left).mul(gram(right)).sum())
  );
  // Rounding may leave less than nothing of what cancels.
  return (parts.length === 1 ? parts[0]! : tf.addN(parts)).abs() as tf.Scalar;
}
