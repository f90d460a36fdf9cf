/** Functions whose values and gradients must be the same on every engine. */
import * as tf from "@tensorflow/tfjs";
import { deriveKey, fillNormal } from "../../lib/engine/_philox.ts";

export interface GradientCase {
  name: string;
  shapes: number[][];
  f: (...inputs: tf.Tensor[]) => tf.Tensor;
}

const split = (x: tf.Tensor): tf.Tensor => {
  const [a, b, c] = tf.split(x, [2, 3, 1], 1) as [tf.Tensor, tf.Tensor, tf.Tensor];
  return tf.concat([b.square(), a.mul(3), c.exp()], 1);
};

function layerNorm(x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  const centred = x.sub(x.mean(-1, true));
  const variance = centred.square().mean(-1, true);
  return centred.mul(variance.add(1e-5).rsqrt()).mul(scale).add(shift);
}

const conv1d = (stride: number, pad: "same" | "valid") => (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
  tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, stride, pad);

const ids = () => tf.tensor2d([[4, 0, 4], [2, 2, 1]], [2, 3], "int32");

export const GRADIENT_CASES: GradientCase[] = [
  { name: "matMul", shapes: [[7, 5], [5, 6]], f: (a, b) => tf.matMul(a, b) },
  { name: "matMul, left transposed", shapes: [[5, 7], [5, 6]], f: (a, b) => tf.matMul(a, b, true) },
  {
    name: "matMul, right transposed",
    shapes: [[7, 5], [6, 5]],
    f: (a, b) => tf.matMul(a, b, false, true),
  },
  {
    name: "matMul, both transposed",
    shapes: [[5, 1], [6, 5]],
    f: (a, b) => tf.matMul(a, b, true, true),
  },
  { name: "batched matMul", shapes: [[2, 3, 4, 5], [2, 3, 5, 6]], f: (a, b) => tf.matMul(a, b) },
  {
    name: "batched matMul, right transposed",
    shapes: [[4, 3, 5], [4, 6, 5]],
    f: (a, b) => tf.matMul(a, b, false, true),
  },
  { name: "conv1d, stride 1, same", shapes: [[2, 9, 4], [3, 4, 5]], f: conv1d(1, "same") },
  { name: "conv1d, stride 2, same", shapes: [[2, 9, 4], [5, 4, 6]], f: conv1d(2, "same") },
  { name: "conv1d, stride 2, valid", shapes: [[3, 10, 4], [3, 4, 5]], f: conv1d(2, "valid") },
  {
    name: "conv2d, strides 2 and 1, same",
    shapes: [[2, 6, 5, 3], [3, 2, 3, 4]],
    f: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], "same"),
  },
  {
    name: "conv2d, explicit padding",
    shapes: [[1, 5, 5, 2], [3, 3, 2, 3]],
    f: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, [[0, 0], [1, 2], [2, 0], [0, 0]]),
  },
  {
    name: "depthwise conv2d",
    shapes: [[2, 6, 6, 3], [3, 3, 3, 2]],
    f: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
  },
  { name: "softmax", shapes: [[3, 4, 5]], f: (x) => tf.softmax(x) },
  { name: "logSoftmax", shapes: [[3, 5]], f: (x) => tf.logSoftmax(x) },
  { name: "layer norm", shapes: [[3, 4, 8], [8], [8]], f: layerNorm },
  {
    name: "gelu with erf",
    shapes: [[4, 6]],
    f: (x) => x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1)),
  },
  { name: "relu", shapes: [[4, 6]], f: (x) => tf.relu(x) },
  { name: "tanh and sigmoid", shapes: [[4, 6]], f: (x) => tf.tanh(x).mul(tf.sigmoid(x)) },
  { name: "gather", shapes: [[5, 3]], f: (x) => tf.gather(x, ids()) },
  { name: "gather, axis 1", shapes: [[3, 5, 2]], f: (x) => tf.gather(x, ids(), 1) },
  { name: "transpose", shapes: [[2, 3, 4]], f: (x) => tf.transpose(x, [2, 0, 1]).square() },
  { name: "split and concat", shapes: [[3, 6]], f: split },
  { name: "slice", shapes: [[4, 5, 3]], f: (x) => tf.slice(x, [1, 2, 0], [2, 3, 2]).square() },
  { name: "stack and unstack", shapes: [[3, 4]], f: (x) => tf.stack(tf.unstack(x.square())) },
  { name: "pad", shapes: [[3, 4]], f: (x) => tf.pad(x, [[1, 0], [2, 1]]).square() },
  { name: "tile", shapes: [[2, 3]], f: (x) => tf.tile(x, [3, 2]).square() },
  { name: "maximum and minimum", shapes: [[3, 4], [3, 4]], f: (a, b) => a.maximum(b).minimum(1) },
  {
    name: "where",
    shapes: [[3, 4], [3, 4]],
    f: (a, b) =>
      tf.where(tf.tensor1d([1, 0, 0, 1]).cast("bool").broadcastTo([3, 4]), a.square(), b),
  },
  { name: "exp and log", shapes: [[3, 4]], f: (x) => x.exp().add(1).log() },
  { name: "abs, sqrt and pow", shapes: [[3, 4]], f: (x) => x.abs().add(1).sqrt().pow(3) },
  { name: "div with broadcast", shapes: [[3, 4], [3, 1]], f: (a, b) => a.div(b.square().add(1)) },
  { name: "sum and mean", shapes: [[3, 4, 5]], f: (x) => x.square().sum(1).add(x.mean([1])) },
  { name: "max", shapes: [[3, 4, 5]], f: (x) => x.max([1, 2]) },
  {
    name: "mean of conv1d over time, embedding added",
    shapes: [[2, 8, 3], [3, 3, 4], [5, 4]],
    f: (x, w, table) => conv1d(2, "same")(x, w).mean(1).add(tf.gather(table, [1, 3])),
  },
];

/** Standard normal values `(…shape)` that depend on the shape and `stream` only. */
export function normal(shape: number[], stream: string): Float32Array {
  const out = new Float32Array(shape.reduce((size, n) => size * n, 1));
  fillNormal(out, deriveKey(7, stream), 0);
  return out;
}

/** The value of a case and its gradients, of the sum of the value times fixed weights. */
export function valueAndGradients({ name, shapes, f }: GradientCase): tf.Tensor[] {
  const inputs = shapes.map((shape, i) => tf.tensor(normal(shape, `${name}/${i}`), shape));
  const value = f(...inputs);
  const weights = tf.tensor(normal(value.shape, `${name}/weights`), value.shape);
  const loss = (...xs: tf.Tensor[]) => f(...xs).mul(weights).sum() as tf.Scalar;
  return [value, ...tf.grads(loss)(inputs)];
}
