/** What the Python reference does wrong with bfloat16; and that trocar's engine does it right. */
import assert from "node:assert/strict";
import { adamw, compile, read, tf, valueAndGradients, variables } from "trocar/engine";
import { narrowToBfloat16, widenBfloat16 } from "../../lib/formats/bfloat16.ts";
import { onEngines } from "./_engines.ts";

const RATE = 5e-5, START = 0.025, STEPS = 100;

function toBfloat16(value: number): number {
  return widenBfloat16(narrowToBfloat16(Float32Array.of(value)))[0]!;
}

/** The weight after every step, and the second moment after as many steps without a gradient. */
async function train(precision: "float32" | "bfloat16") {
  const initial = { w: tf.fill([64, 64], START) };
  const state = variables(initial);
  const optimizer = adamw({ learningRate: RATE, weightDecay: 0 });
  const moments = optimizer.init(state);
  const step = compile((x: tf.Tensor) => {
    // The gradient of every weight is x: exact in bfloat16 too.
    const { gradients } = valueAndGradients(
      ({ w }) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D).sum(),
      read(state),
    );
    optimizer.update(gradients, moments, state);
    return gradients.w!;
  }, { name: `unit gradients in ${precision}`, precision });
  const run = async (x: tf.Tensor, steps: number) => {
    const values: number[] = [];
    for (let i = 0; i < steps; i++) {
      const gradient = step(x);
      const [all, w] = [await gradient.data(), await state.w!.read().data()];
      assert.ok(all.every((value) => value === (x === one ? 1 : 0)));
      assert.ok(w.every((value) => value === w[0]));
      values.push(w[0]!);
      gradient.dispose();
    }
    return values;
  };
  const [one, zero] = [tf.ones([1, 64]), tf.zeros([1, 64])];
  const weights = await run(one, STEPS);
  const second = async () => (await moments["exp_avg_sq.w"]!.read().data())[0]!;
  const before = await second();
  await run(zero, STEPS);
  const dtypes = [...Object.values(state), ...Object.values(moments)].map(({ dtype }) => dtype);
  step.dispose();
  return { weights, decay: await second() / before, dtypes };
}

onEngines(
  "M-11: weights and moments are float32: small steps move, and moments fall, in bfloat16 too",
  async () => {
    const [narrow, full] = [await train("bfloat16"), await train("float32")];
    assert.ok(narrow.dtypes.every((dtype) => dtype === "float32" || dtype === "int32"));
    assert.deepEqual(narrow.weights, full.weights);
    for (const [i, weight] of narrow.weights.entries()) {
      // Of unit gradients both moments, corrected, are 1: a step is the learning rate.
      assert.ok(Math.abs(weight - (START - RATE * (i + 1))) < 2e-7, `step ${i + 1}: ${weight}`);
    }
    assert.ok(Math.abs(narrow.decay / 0.999 ** STEPS - 1) < 1e-5, `decay ${narrow.decay}`);
    let [pure, moment] = [toBfloat16(START), toBfloat16(1e-4)];
    const start = { pure, moment };
    for (let i = 0; i < STEPS; i++) {
      pure = toBfloat16(pure - RATE);
      moment = toBfloat16(0.999 * moment);
    }
    assert.deepEqual({ pure, moment }, start, "the reference's bfloat16 weights and moments stay");
  },
);
