/** Gradients that tfjs lacks or gets wrong, for every engine. */
import * as tf from "@tensorflow/tfjs";
import type { GradConfig, Tensor } from "@tensorflow/tfjs";

/** Ops that answer with bools: flat almost everywhere, so that a mask can be made of what is learned. */
const FLAT_BINARY = ["Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "NotEqual"];
const FLAT_UNARY = ["IsFinite", "IsInf", "IsNan"];

/** Sums a gradient over the axes along which its tensor was broadcast. */
function unbroadcast(gradient: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return (axes.length > 0 ? gradient.sum(axes) : gradient).reshape(shape);
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
  ];
  for (const config of configs) {
    if (tf.getGradient(config.kernelName) !== undefined) tf.unregisterGradient(config.kernelName);
    tf.registerGradient(config);
  }
}
