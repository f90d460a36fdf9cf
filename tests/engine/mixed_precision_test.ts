import assert from "node:assert/strict";
import {
  adamw,
  compile,
  read,
  tf,
  type TraceReport,
  valueAndGradients,
  variables,
} from "trocar/engine";
import { hasBfloat16 } from "../../lib/engine/_bfloat16.ts";
import { nativeTest } from "./_native.ts";

const WIDTH = 16;

nativeTest("bfloat16 steps move weights and moments that bfloat16 itself could not", async () => {
  const initial = { w: tf.fill([WIDTH, WIDTH], 0.025) };
  const parameters = variables(initial);
  const optimizer = adamw({ learningRate: 5e-5, weightDecay: 0 });
  const state = optimizer.init(parameters);
  const ones = tf.ones<tf.Rank.R2>([1, WIDTH]);
  const step = compile((factor: tf.Tensor) => {
    const { value, gradients } = valueAndGradients(
      ({ w }) => tf.matMul(ones, w as tf.Tensor2D).sum().mul(factor),
      read(parameters),
    );
    optimizer.update(gradients, state, parameters);
    return value;
  }, { name: "mixed precision", precision: "bfloat16" });
  const run = (steps: number, gradient: number) => {
    const factor = tf.scalar(gradient);
    for (let i = 0; i < steps; i++) (step(factor) as tf.Tensor).dispose();
    factor.dispose();
  };
  const first = async (name: "w" | "exp_avg_sq.w") => {
    const value = (name === "w" ? parameters.w! : state[name]!).read();
    assert.equal(value.dtype, "float32");
    const [found] = await value.data();
    value.dispose();
    return found!;
  };

  run(100, 1);
  // Steps of 5e-5 are below half of bfloat16's spacing at 0.025, 6.1e-5: there the weight stays 0.025.
  const moved = 0.025 - 100 * 5e-5;
  assert.ok(Math.abs(await first("w") - moved) < 1e-6, `weight ${await first("w")}`);
  // A factor of 0.999 is below half of bfloat16's spacing too: there the moment would never decay.
  const before = await first("exp_avg_sq.w");
  run(1000, 0);
  const decayed = await first("exp_avg_sq.w") / before;
  assert.ok(Math.abs(decayed - 0.999 ** 1000) < 1e-3, `decayed to ${decayed}`);

  step.dispose();
  [parameters, state].flatMap((all) => Object.values(all)).forEach((each) => each.dispose());
  tf.dispose([initial, ones]);
});

nativeTest("bfloat16 leaves statistics, softmax and losses in float32", async () => {
  const fn = (x: tf.Tensor) => {
    const mean = x.mean([-1], true);
    const standard = x.sub(mean).div(x.sub(mean).square().mean([-1], true).sqrt());
    return [standard, tf.softmax(x), standard.square().mean()];
  };
  const exact = compile(fn), narrow = compile(fn, { precision: "bfloat16" });
  const x = tf.tensor(Float32Array.from({ length: 64 }, (_, i) => 1000 + Math.sin(i)), [4, 16]);
  const [a, b] = [exact(x), narrow(x)] as [tf.Tensor[], tf.Tensor[]];
  for (const [i, tensor] of b.entries()) assert.deepEqual(await tensor.data(), await a[i]!.data());
  tf.dispose([x, a, b]);
  exact.dispose();
  narrow.dispose();
});

nativeTest("bfloat16 narrows each tensor once, however many products use it", (_, binding) => {
  if (!hasBfloat16(binding)) return;
  const nodesOf = (precision: "float32" | "bfloat16") => {
    let report: TraceReport | undefined;
    const fn = compile(
      (w: tf.Tensor, x: tf.Tensor, z: tf.Tensor) => {
        const [a, b] = [x, z].map((each) => tf.matMul(each as tf.Tensor2D, w as tf.Tensor2D));
        return a!.add(b!);
      },
      { name: "narrow", precision, onTrace: (made) => report = made },
    );
    const inputs = [tf.ones([8, 8]), tf.ones([2, 8]), tf.ones([2, 8])] as const;
    tf.dispose([fn(...inputs), [...inputs]]);
    fn.dispose();
    return report!.nodes;
  };
  const casts = { inputs: 3, outputs: 2 };
  assert.equal(nodesOf("bfloat16") - nodesOf("float32"), casts.inputs + casts.outputs);
});
