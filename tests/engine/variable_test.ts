import assert from "node:assert/strict";
import {
  compile,
  read,
  startEngine,
  tf,
  valueAndGradients,
  variable,
  variables as makeVariables,
} from "trocar/engine";
import { hasNative, nativeTest } from "./_native.ts";

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

for (const engine of hasNative ? ["wasm", "tensorflow"] as const : ["wasm"] as const) {
  Deno.test(`variable() keeps what it is assigned, and earlier reads, on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const initial = tf.tensor2d([[1, 2], [3, 4]]);
    const v = variable(initial, "v");
    initial.dispose();
    const before = v.read();
    const next = tf.tensor2d([[5, 6], [7, 8]]);
    v.assign(next);
    next.dispose();
    assert.deepEqual(values(before), [1, 2, 3, 4]);
    assert.deepEqual(values(v.read()), [5, 6, 7, 8]);
    assert.deepEqual([v.name, v.shape, v.dtype], ["v", [2, 2], "float32"]);
  });

  Deno.test(`variable() holds int32 and bool values on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const count = variable(tf.scalar(3, "int32")), flag = variable(tf.tensor1d([true, false]));
    assert.deepEqual([count.dtype, values(count.read())], ["int32", [3]]);
    assert.deepEqual([flag.dtype, values(flag.read())], ["bool", [1, 0]]);
  });

  Deno.test(`variable() refuses another shape or dtype, and use after dispose, on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const v = variable(tf.zeros([2]), "weight");
    assert.throws(() => v.assign(tf.zeros([3])), /"weight": it is float32\[2\].*float32\[3\]/);
    assert.throws(() => v.assign(tf.zeros([2], "int32")), TypeError);
    v.dispose();
    v.dispose();
    assert.throws(() => v.read(), /"weight": it was disposed/);
  });

  Deno.test(`variables() and read() keep names and order on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const all = makeVariables({ b: tf.scalar(1), a: tf.scalar(2) });
    assert.deepEqual(Object.keys(read(all)), ["b", "a"]);
    assert.equal(all.a.name, "a");
  });

  Deno.test(`valueAndGradients() gives loss, gradients by name and metrics on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const before = tf.memory().numTensors;
    const w = tf.tensor1d([1, 2]), b = tf.scalar(3);
    const result = valueAndGradients(({ w, b }) => {
      const loss = w.square().sum().mul(b);
      return { loss, metrics: { twice: loss.mul(2), b } };
    }, { w, b });
    assert.deepEqual(values(result.value), [15]);
    assert.deepEqual(values(result.gradients.w), [6, 12]);
    assert.deepEqual(values(result.gradients.b), [5]);
    assert.deepEqual([result.metrics.twice, result.metrics.b].map((m) => values(m!)), [[30], [3]]);
    tf.dispose([result.value, result.gradients, result.metrics, w, b]);
    assert.equal(tf.memory().numTensors, before);
  });

  Deno.test(`valueAndGradients() names parameters that the loss does not use on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const parameters = { used: tf.scalar(1), idle: tf.scalar(1) };
    assert.throws(() => valueAndGradients(({ used }) => used.square(), parameters), /"idle"/);
  });

  Deno.test(`gradients of products whose batches are broadcast are right on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const numbers = (shape: number[], phase: number) =>
      tf.range(0, tf.util.sizeFromShape(shape)).add(phase).sin().reshape(shape);
    const a = numbers([2, 3, 5], 0), b = numbers([5, 2], 1);
    const [da, db] = tf.grads((a, b) => tf.matMul(a, b).square().sum())([a, b]);
    // The same product as one of two matrices, which needs no broadcasting.
    const flat = a.reshape([6, 5]);
    const [ea, eb] = tf.grads((a, b) =>
      tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D).square().sum()
    )(
      [flat, b],
    );
    const far = (x: tf.Tensor, y: tf.Tensor) => values(x.sub(y.reshape(x.shape)).abs().max())[0]!;
    assert.deepEqual([da!.shape, db!.shape], [[2, 3, 5], [5, 2]]);
    assert.ok(far(da!, ea!) < 1e-5 && far(db!, eb!) < 1e-5);
    for (const [ta, tb] of [[true, false], [false, true], [true, true]] as const) {
      const x = ta ? flat.transpose() : flat, y = tb ? b.transpose() : b;
      const [dx, dy] = tf.grads((x, y) =>
        tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D, ta, tb).square().sum()
      )([x, y]);
      assert.ok(far(ta ? dx!.transpose() : dx!, ea!) < 1e-5, `${ta} ${tb}: left`);
      assert.ok(far(tb ? dy!.transpose() : dy!, eb!) < 1e-5, `${ta} ${tb}: right`);
    }
    const [dc] = tf.grads((c, d) => tf.squaredDifference(c, d).sum())([
      tf.tensor1d([1, 2]),
      tf.tensor2d([[0, 0], [3, 3]]),
    ]);
    assert.deepEqual(values(dc!), [-2, 2]);
  });

  Deno.test(`tensors that are not numbers, and empty ones, are not hidden on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    assert.ok(Number.isNaN(values(tf.maximum(1, NaN))[0]));
    assert.ok(Number.isNaN(values(tf.minimum(NaN, 1))[0]));
    assert.deepEqual(values(tf.zeros([0, 3]).sum(0)), [0, 0, 0]);
    assert.deepEqual(values(tf.zeros([0, 2]).prod(0)), [1, 1]);
  });

  Deno.test(`compile() returns tensors of the caller's own on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const x = tf.tensor1d([1, 2]), outside = tf.tensor1d([3]);
    const f = compile((x: tf.Tensor) => {
      const y = x.add(1);
      return [x, y, y, outside];
    });
    const [same, y, again, captured] = f(x);
    tf.dispose([same!, y!, captured!]);
    assert.deepEqual([x, again!, outside].map(values), [[1, 2], [2, 3], [3]]);
  });

  Deno.test(`gradients of masks and of broadcast maximum and minimum are right on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const x = tf.tensor2d([[1, -2], [0.5, 3]]), y = tf.tensor1d([0.75, 0]);
    const of = (f: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor) =>
      tf.grads((x, y) => f(x, y).sum())([x, y]).map(values);
    assert.deepEqual(of((x, y) => tf.maximum(x, y)), [[1, 0, 0, 1], [1, 1]]);
    assert.deepEqual(of((x, y) => tf.minimum(x, y)), [[0, 1, 1, 0], [1, 1]]);
    const masked = (x: tf.Tensor, y: tf.Tensor) => tf.where(x.greater(y), x.square(), y.mul(x));
    assert.deepEqual(of(masked), [[2, 0, 0.75, 6], [0.5, -2]]);
  });
}

nativeTest("variable() frees its memory with its last handle", ({ variables }, binding) => {
  const known = variables.size;
  const handles = binding.getNumOfTensors();
  const make = () => {
    for (let i = 0; i < 40; i++) {
      const zeros = tf.zeros([1024, 1024]);
      const v = variable(zeros);
      zeros.dispose();
      v.dispose();
    }
  };
  for (let i = 0; i < 3; i++) make();
  const rss = Deno.memoryUsage().rss;
  for (let i = 0; i < 10; i++) make();
  assert.equal(binding.getNumOfTensors(), handles);
  assert.equal(variables.size, known);
  // 400 variables of 4 MiB would be 1.6 GiB; what malloc keeps for reuse varies by tens of MiB.
  assert.ok(Deno.memoryUsage().rss - rss < 200 * 2 ** 20, "the memory of variables must not stay");
});

nativeTest("variable() of the native engine says so when another engine is in use", async () => {
  const v = variable(tf.scalar(1), "gain");
  await startEngine({ engine: "wasm", quiet: true });
  assert.throws(() => v.read(), /"gain": it belongs to the engine tensorflow.*wasm/);
  await startEngine({ engine: "tensorflow", install: false, quiet: true });
  assert.deepEqual(values(v.read()), [1]);
});
