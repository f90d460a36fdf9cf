import assert from "node:assert/strict";
import { compile, Random, startEngine, tf } from "trocar/engine";
import { deriveKey, fillNormal, fillUniform, permutation } from "../../lib/engine/_philox.ts";
import { hasNative, nativeTest } from "./_native.ts";

const SEED = 2 ** 52 + 12345, COUNTER = 77, N = 20_001;
const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

function expected() {
  const uniform = new Float32Array(N), normal = new Float32Array(N);
  fillUniform(uniform, deriveKey(SEED, "u"), COUNTER);
  fillNormal(normal, deriveKey(SEED, "n"), COUNTER);
  return { uniform, normal, order: permutation(5000, deriveKey(SEED, "p"), COUNTER) };
}

function draw(counter: number | tf.Tensor) {
  const random = new Random({ seed: SEED, counter });
  return [random.uniform([3, N / 3], "u"), random.normal([N], "n"), random.permutation(5000, "p")];
}

function expectSame(found: readonly tf.Tensor[], label: string) {
  const { uniform, normal, order } = expected();
  const [u, n, p] = found as [tf.Tensor, tf.Tensor, tf.Tensor];
  assert.deepEqual(u.shape, [3, N / 3]);
  assert.deepEqual(values(u), Array.from(uniform), `${label}: uniform`);
  assert.deepEqual(values(p), Array.from(order), `${label}: permutation`);
  const different = values(n).filter((v, i) => v !== normal[i]).length;
  assert.ok(different <= 1, `${label}: ${different} of ${N} normal numbers differ`);
}

for (const engine of hasNative ? ["wasm", "tensorflow"] as const : ["wasm"] as const) {
  Deno.test(`Random draws Philox's numbers on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    expectSame(draw(COUNTER), engine);
    expectSame(draw(tf.scalar(COUNTER, "int32")), `${engine}, counter as a tensor`);
  });

  Deno.test(`Random leaves no tensors behind on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const before = tf.memory().numTensors;
    for (let counter = 0; counter < 3; counter++) {
      const random = new Random({ seed: 1, counter });
      tf.dispose([
        random.uniform([7], "a"),
        random.normal([3, 3], "b"),
        random.dropoutMask([5], 0.5, "c"),
        random.permutation(9, "d"),
      ]);
    }
    assert.equal(tf.memory().numTensors, before);
  });

  Deno.test(`Random.dropout() keeps the mean and scales what it keeps on ${engine}`, async () => {
    await startEngine({ engine, quiet: true });
    const random = new Random({ seed: 5, counter: 2 });
    const kept = values(random.dropout(tf.ones([N]), 0.25, "hidden"));
    const zeros = kept.filter((v) => v === 0).length / N;
    assert.ok(Math.abs(zeros - 0.25) < 0.015, `share of zeros ${zeros}`);
    assert.ok(kept.every((v) => v === 0 || Math.abs(v - 4 / 3) < 1e-6));
    const x = tf.ones([2]);
    assert.equal(random.dropout(x, 0, "unused"), x);
  });
}

nativeTest("Random draws the same in compiled functions, whoever executes them", () => {
  for (const executor of ["onednn", "xla"] as const) {
    const f = compile((counter: tf.Tensor) => draw(counter), { executor });
    expectSame(f(tf.scalar(COUNTER, "int32")), executor);
    const other = f(tf.scalar(COUNTER + 1, "int32"));
    assert.notDeepEqual(values(other[0]!), Array.from(expected().uniform));
    assert.equal(f.signatures, 1);
  }
});

Deno.test("Random is a function of seed, counter and stream", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const first = (seed: number, counter: number, stream: string) =>
    String(values(new Random({ seed, counter }).uniform([8], stream)));
  const base = first(1, 2, "a");
  assert.equal(first(1, 2, "a"), base);
  for (const other of [first(2, 2, "a"), first(1, 3, "a"), first(1, 2, "b")]) {
    assert.notEqual(other, base);
  }
});

Deno.test("Random refuses to repeat a stream, and bad seeds, counters and rates", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const random = new Random({ seed: 0, counter: 0 });
  random.uniform([1], "a");
  assert.throws(() => random.normal([1], "a"), /stream "a".*already/);
  assert.throws(() => new Random({ seed: -1, counter: 0 }), /seed/);
  assert.throws(() => new Random({ seed: 0.5, counter: 0 }), /seed/);
  assert.throws(() => new Random({ seed: 0, counter: 2 ** 31 }), /counter/);
  assert.throws(
    () => new Random({ seed: 0, counter: tf.tensor1d([1, 2], "int32") }),
    /int32 scalar/,
  );
  assert.throws(() => random.dropoutMask([1], 1, "b"), /below 1/);
});
