import * as tf from "@tensorflow/tfjs";
import type { TensorFlowBackend } from "../tensorflow/_backend.ts";
import { ATTR } from "../tensorflow/_attributes.ts";
import { dtypeOf } from "../tensorflow/_kernels.ts";

/** Tensors that travel together. */
export type Bucket = readonly (readonly [name: string, tensor: tf.Tensor])[];

/**
 * Bytes of a bucket: large enough that the time until the first byte arrives does not count, small
 * enough that the first buckets travel while the last gradients are computed. PyTorch's
 * DistributedDataParallel has the same: https://arxiv.org/abs/2006.15704
 */
export const BUCKET_BYTES = 25e6;

/** A tensor of so many bytes travels alone: copying it into a bucket would take longer. */
const ALONE_BYTES = 2e6;

/**
 * Divides tensors into buckets, the same on all processes whose tensors have the same names and shapes.
 *
 * @param tensors In the order of the forward pass; the last gradients are ready first.
 * @param bytes Of a bucket; at least one tensor each.
 * @returns The buckets, last tensors first; tensors without elements are in none.
 */
export function intoBuckets(
  tensors: Readonly<Record<string, tf.Tensor>>,
  bytes: number = BUCKET_BYTES,
): Bucket[] {
  const buckets: (readonly [string, tf.Tensor])[][] = [];
  const open = new Map<tf.DataType, { bucket: (readonly [string, tf.Tensor])[]; bytes: number }>();
  for (const [name, tensor] of Object.entries(tensors).reverse()) {
    const size = tensor.size * tf.util.bytesPerElement(tensor.dtype);
    if (size === 0) continue;
    if (size >= ALONE_BYTES) {
      buckets.push([[name, tensor]]);
      continue;
    }
    const last = open.get(tensor.dtype);
    if (last !== undefined && last.bytes + size <= bytes) {
      last.bucket.push([name, tensor]);
      last.bytes += size;
    } else {
      const bucket = [[name, tensor] as const];
      buckets.push(bucket);
      open.set(tensor.dtype, { bucket, bytes: size });
    }
  }
  return buckets;
}

/** One flat tensor of all elements of a bucket. */
export function join(bucket: Bucket): tf.Tensor {
  const [[, first]] = bucket as [readonly [string, tf.Tensor]];
  return bucket.length === 1 ? first : tf.concat(bucket.map(([, tensor]) => tensor.flatten()));
}

/** The tensors of a bucket from what {@link join} made. */
export function part(
  native: TensorFlowBackend,
  bucket: Bucket,
  joined: tf.Tensor,
): [name: string, tensor: tf.Tensor][] {
  if (bucket.length === 1) return [[bucket[0]![0], joined]];
  const sizes = tf.tensor1d(bucket.map(([, { size }]) => size), "int32");
  const pieces = native.binding.executeOp(
    "SplitV",
    [
      { name: "num_split", type: ATTR.int, value: bucket.length },
      { name: "T", type: ATTR.type, value: dtypeOf(joined) },
      { name: "Tlen", type: ATTR.type, value: dtypeOf(sizes) },
    ],
    native.ids([joined, sizes, tf.scalar(0, "int32")]),
    bucket.length,
  ).map((piece) => native.tensor(piece));
  return bucket.map(([name, { shape }], i) => [name, pieces[i]!.reshape(shape)]);
}
