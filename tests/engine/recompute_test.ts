import assert from "node:assert/strict";
import { compile, recompute, startEngine, tf, valueAndGradients } from "../../lib/engine/mod.ts";

/** Three layers, the gradient of the first of which passes through the others. */
function lossOf(recomputes: boolean, calls: { count: number }) {
  return (parameters: Record<string, tf.Tensor>) => {
    let x: tf.Tensor = tf.ones([2, 3]);
    for (const key of ["a", "b", "c"]) {
      const layer = ([input, weight]: readonly tf.Tensor[]) => {
        calls.count++;
        return tf.matMul(input as tf.Tensor2D, weight as tf.Tensor2D).sin().square();
      };
      x = recomputes ? recompute(layer, [x, parameters[key]!]) : layer([x, parameters[key]!]);
    }
    return x.sum();
  };
}

for (const engine of ["tensorflow", "wasm"] as const) {
  Deno.test(`recompute gives the same gradients, computing each part twice, on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const weight = (seed: number) =>
      tf.tensor2d(Float32Array.from({ length: 9 }, (_, i) => Math.sin(seed + i)), [3, 3]);
    const parameters = { a: weight(1), b: weight(2), c: weight(3) };
    const before = tf.memory().numTensors;
    for (const mode of ["eager", "compiled"]) {
      const results = [false, true].map((recomputes) => {
        const calls = { count: 0 };
        const run = (p: Record<string, tf.Tensor>) => {
          const { value, gradients } = valueAndGradients(lossOf(recomputes, calls), p);
          return { value: value as tf.Tensor, ...gradients };
        };
        const compiled = compile(run, { name: "recomputed" });
        const result = mode === "compiled" ? compiled(parameters) : tf.tidy(() => run(parameters));
        compiled.dispose();
        return { result, count: calls.count };
      });
      assert.deepEqual(results.map(({ count }) => count), [3, 6]);
      for (const key of ["value", "a", "b", "c"]) {
        const [expected, found] = results.map(({ result }) =>
          (result as Record<string, tf.Tensor>)[key]!.dataSync()
        );
        expected!.forEach((value, i) => assert(Math.abs(value - found![i]!) < 1e-5, `${key} ${i}`));
      }
      tf.dispose(results.map(({ result }) => result));
    }
    assert.equal(tf.memory().numTensors, before);
  });
}

Deno.test("recompute gives zero for an input on which the value does not depend", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  const { gradients } = valueAndGradients(
    ({ x, y }) => recompute(([a]) => a!.square(), [x, y]).sum(),
    { x: tf.tensor1d([3]), y: tf.tensor1d([4]) },
  );
  assert.deepEqual([...gradients.x.dataSync(), ...gradients.y.dataSync()], [6, 0]);
});
