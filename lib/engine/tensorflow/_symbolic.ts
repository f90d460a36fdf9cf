/** Tensors of a graph, and how the C API refers to them. */
import { check, dimsArray, type Library, type Pointer } from "./_library.ts";
import type { TensorValues } from "./_tensors.ts";

/** A tensor of a graph: output `index` of operation `op`. */
export interface Symbolic {
  readonly op: Pointer;
  readonly index: number;
  readonly shape: number[];
  readonly dtype: number;
  /** Its values, if it is a constant. */
  readonly values?: TensorValues;
}

/** Bytes of a `TF_Output`. */
const OUTPUT_SIZE = 16;

/** One `TF_Output`. */
export function outputRef(
  { op, index }: { readonly op: Pointer; readonly index: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OUTPUT_SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(Deno.UnsafePointer.value(op)), true);
  view.setInt32(8, index, true);
  return bytes;
}

/** An array of `TF_Output`. */
export function outputRefs(list: readonly Symbolic[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OUTPUT_SIZE * list.length);
  list.forEach((symbolic, i) => bytes.set(outputRef(symbolic), OUTPUT_SIZE * i));
  return bytes;
}

/**
 * What TensorFlow infers of an output.
 *
 * @param library The open library.
 * @param graph The graph that holds it.
 * @param output The output.
 * @returns Its `TF_DataType`, and its shape with −1 for unknown dimensions; no shape if not even its rank
 * is known.
 */
export function inferred(
  library: Library,
  graph: Pointer,
  output: { readonly op: Pointer; readonly index: number },
): { dtype: number; dims: number[] | undefined } {
  const { api, status } = library;
  const ref = outputRef(output);
  const rank = api.TF_GraphGetTensorNumDims(graph, ref, status);
  check(library, "Cannot infer a shape");
  const dims = new BigInt64Array(Math.max(rank, 1));
  if (rank > 0) api.TF_GraphGetTensorShape(graph, ref, dims, rank, status);
  const dtype = api.TF_OperationOutputType(ref);
  return { dtype, dims: rank < 0 ? undefined : Array.from(dims.subarray(0, rank), Number) };
}

/**
 * Tells TensorFlow the shape of an output that it cannot infer.
 *
 * @param library The open library.
 * @param graph The graph that holds it.
 * @param output The output.
 * @param shape Its shape.
 */
export function setShape(
  library: Library,
  graph: Pointer,
  output: { readonly op: Pointer; readonly index: number },
  shape: readonly number[],
): void {
  const { api, status } = library;
  api.TF_GraphSetTensorShape(graph, outputRef(output), dimsArray(shape), shape.length, status);
  check(library, "Cannot trace the read of a variable");
}
