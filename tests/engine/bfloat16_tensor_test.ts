import assert from "node:assert/strict";
import {
  Bfloat16Tensor,
  compile,
  nativeBfloat16,
  startEngine,
  tf,
  valueAndGradients,
  writtenTensor,
} from "../../lib/engine/mod.ts";
import { narrowToBfloat16, widenBfloat16 } from "../../lib/formats/mod.ts";

const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i + 1));
const bits = narrowToBfloat16(values), wide = widenBfloat16(bits);

Deno.test("Bfloat16Tensor holds its bits, widened, by rows and rounded", async () => {
  await startEngine({ quiet: true });
  assert(nativeBfloat16());
  const matrix = Bfloat16Tensor.written([4, 6], (target) => target.set(bits));
  assert.deepEqual(await matrix.toFloat32().data(), wide);
  const rows = matrix.gatherRows(tf.tensor2d([[3, 0]], [1, 2], "int32"));
  assert.deepEqual(rows.shape, [1, 2, 6]);
  assert.deepEqual((await rows.data()).subarray(0, 6), wide.subarray(18));
  const rounded = Bfloat16Tensor.from(tf.tensor2d(values, [4, 6]));
  assert.deepEqual(await rounded.toFloat32().data(), wide);
});

Deno.test("Bfloat16Tensor multiplies and passes gradients on, op by op and compiled, and outlives its disposal there", async () => {
  await startEngine({ quiet: true });
  const matrix = Bfloat16Tensor.written([4, 6], (target) => target.set(bits));
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 6]),
    w = tf.tensor2d(wide, [4, 6]);
  const expected = tf.grad((input: tf.Tensor) =>
    tf.matMul(input as tf.Tensor2D, w, false, true).square().sum()
  )(x);
  for (const precision of ["float32", "bfloat16"] as const) {
    const gradient = (input: tf.Tensor) => {
      const { value, gradients } = valueAndGradients(
        ({ x }) => matrix.linear(x, precision).square().sum(),
        { x: input },
      );
      value.dispose();
      return gradients.x;
    };
    const compiled = compile(gradient, { name: "gradient" });
    for (const found of [gradient(x), compiled(x)]) {
      const error = await found.sub(expected).abs().max().div(expected.abs().max()).data();
      assert(error[0]! < (precision === "float32" ? 1e-6 : 2e-2), `${precision} ${error[0]}`);
    }
  }
  const product = compile((input: tf.Tensor) => matrix.linear(input, "float32"));
  const before = await product(x).data();
  matrix.dispose();
  matrix.dispose();
  assert.deepEqual(await product(x).data(), before);
  assert.throws(() => matrix.toFloat32(), /it was disposed/);
});

Deno.test("writtenTensor frees its memory when it cannot be written, and Bfloat16Tensor needs the native engine", async () => {
  await startEngine({ quiet: true });
  const fails = () => {
    throw new SyntaxError("the file is damaged");
  };
  assert.throws(() => writtenTensor([2, 2], fails), /damaged/);
  assert.throws(() => Bfloat16Tensor.written([2], fails), /damaged/);
  assert.deepEqual(await writtenTensor([0], () => {}).data(), new Float32Array());
  const left = Bfloat16Tensor.written([2], (target) => target.fill(0));
  await startEngine({ engine: "wasm", quiet: true });
  assert.throws(() => left.toFloat32(), /belongs to the engine tensorflow, current value is wasm/);
  assert.throws(() => Bfloat16Tensor.written([2], () => {}), /current value is wasm/);
});
