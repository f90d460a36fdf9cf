/** Gradients that tfjs lacks or gets wrong, for every engine. */
import * as tf from "@tensorflow/tfjs";
import type { GradConfig, Tensor } from "@tensorflow/tfjs";

/** Ops that answer with bools: flat almost everywhere, so that a mask can be made of what is learned. */
const FLAT_BINARY = ["Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "NotEqual"];
const FLAT_UNARY = ["IsFinite", "IsInf", "IsNan"];

/** Sums a gradient over the axes along which its tensor was broadcast. */
function unbroadcast(gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return axes.length > 0 ? gradient.sum(axes).reshape(shape) : gradient;
}

/** The gradient of a choice between two tensors; tfjs's own forgets that they may be broadcast. */
function choice(kernelName: string, takesFirst: (a: Tensor, b: Tensor) => Tensor): GradConfig {
  return {
    kernelName,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [Tensor, Tensor];
      const first = () => takesFirst(a, b).cast("float32");
      return {
        a: () => unbroadcast((dy as Tensor).mul(first()), a.shape),
        b: () => unbroadcast((dy as Tensor).mul(tf.sub(1, first())), b.shape),
      };
    },
  };
}

/** The gradient of a product of matrices; tfjs's own forgets that batches may be broadcast. */
const MAT_MUL: GradConfig = {
  kernelName: "BatchMatMul",
  inputsToSave: ["a", "b"],
  gradFunc: (dy, saved, attributes) => {
    const [a, b] = saved as [Tensor, Tensor];
    const g = dy as Tensor;
    const { transposeA, transposeB } = attributes as unknown as {
      transposeA: boolean;
      transposeB: boolean;
    };
    return {
      a: () =>
        unbroadcast(
          transposeA ? tf.matMul(b, g, transposeB, true) : tf.matMul(g, b, false, !transposeB),
          a.shape,
        ),
      b: () =>
        unbroadcast(
          transposeB ? tf.matMul(g, a, true, transposeA) : tf.matMul(a, g, !transposeA, false),
          b.shape,
        ),
    };
  },
};

/** The gradient of (a − b)²; the same. */
const SQUARED_DIFFERENCE: GradConfig = {
  kernelName: "SquaredDifference",
  inputsToSave: ["a", "b"],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [Tensor, Tensor];
    const slope = () => (dy as Tensor).mul(a.sub(b)).mul(2);
    return { a: () => unbroadcast(slope(), a.shape), b: () => unbroadcast(slope().neg(), b.shape) };
  },
};

/** Registers the gradients. */
export function registerMissingGradients(): void {
  const flat = (kernelName: string, inputs: string[]): GradConfig => ({
    kernelName,
    inputsToSave: inputs,
    gradFunc: (_dy, saved) =>
      Object.fromEntries(
        inputs.map((name, i) => [name, () => tf.zerosLike(saved[i]!.cast("float32"))]),
      ),
  });
  const configs = [
    ...FLAT_BINARY.map((name) => flat(name, ["a", "b"])),
    ...FLAT_UNARY.map((name) => flat(name, ["x"])),
    choice("Maximum", (a, b) => a.greaterEqual(b)),
    choice("Minimum", (a, b) => a.lessEqual(b)),
    MAT_MUL,
    SQUARED_DIFFERENCE,
  ];
  for (const config of configs) {
    if (tf.getGradient(config.kernelName) !== undefined) tf.unregisterGradient(config.kernelName);
    tf.registerGradient(config);
  }
}
