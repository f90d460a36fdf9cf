import assert from "node:assert/strict";
import {
  adamw,
  clipByGlobalNorm,
  compile,
  currentEngine,
  Random,
  read,
  startEngine,
  tf,
  type TraceReport,
  valueAndGradients,
  variable,
  variables,
} from "trocar/engine";
import { startedBackend } from "../../lib/engine/tensorflow/_active.ts";
import { hasNative, nativeTest } from "./_native.ts";

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

nativeTest("compile() traces once per signature and says so", () => {
  const reports: TraceReport[] = [];
  let runs = 0;
  const double = compile((x: tf.Tensor) => {
    runs++;
    return x.mul(2);
  }, { name: "double", onTrace: (report) => reports.push(report) });
  assert.deepEqual(values(double(tf.tensor1d([1, 2]))), [2, 4]);
  assert.deepEqual(values(double(tf.tensor1d([3, 4]))), [6, 8]);
  assert.equal(runs, 1);
  assert.deepEqual(values(double(tf.tensor1d([5]))), [10]);
  assert.equal(runs, 2);
  assert.equal(double.signatures, 2);
  assert.deepEqual(reports.map((r) => [r.name, r.signature, r.signatures]), [
    ["double", "[ float32[2] ]", 1],
    ["double", "[ float32[1] ]", 2],
  ]);
  double.dispose();
});

nativeTest("compile() takes and returns arrays and records, plain values included", () => {
  const f = compile((
    { a, b }: { a: tf.Tensor; b: tf.Tensor[] },
    mode: string,
    extra: number | null,
  ) => ({
    sum: a.add(b[0]!),
    list: [b[0]!, a],
    mode,
    extra,
    same: a,
  }));
  const a = tf.tensor1d([1, 2]);
  const result = f({ a, b: [tf.tensor1d([10, 20])] }, "x", null);
  assert.deepEqual(values(result.sum), [11, 22]);
  assert.deepEqual(result.list.map(values), [[10, 20], [1, 2]]);
  assert.deepEqual([result.mode, result.extra, values(result.same)], ["x", null, [1, 2]]);
  f({ a, b: [a] }, "y", null);
  assert.equal(f.signatures, 2);
  assert.throws(() => f({ a, b: [a] }, "y", new Map() as never), /a record|Map/);
});

nativeTest("compile() keeps captured tensors alive after they were disposed of", () => {
  const captured = tf.tensor1d([1, 2, 3]);
  const f = compile((x: tf.Tensor) => x.add(captured));
  const x = tf.tensor1d([1, 1, 1]);
  assert.deepEqual(values(f(x)), [2, 3, 4]);
  captured.dispose();
  assert.deepEqual(values(f(x)), [2, 3, 4]);
});

nativeTest("compile() reads and assigns variables in the order of the function", () => {
  for (const executor of ["onednn", "xla"] as const) {
    const v = variable(tf.tensor1d([1, 2]), "v");
    const f = compile((x: tf.Tensor) => {
      const before = v.read();
      v.assign(before.mul(x));
      const between = v.read();
      v.assign(between.add(100));
      return [before, between, v.read()];
    }, { executor });
    const seen = f(tf.tensor1d([2, 3])) as tf.Tensor[];
    assert.deepEqual(seen.map(values), [[1, 2], [2, 6], [102, 106]], executor);
    assert.deepEqual(values(v.read()), [102, 106], executor);
    const kept = v.read();
    tf.dispose(f(tf.tensor1d([0, 0])) as tf.Tensor[]);
    assert.deepEqual(values(kept), [102, 106], `${executor}: an earlier read must not change`);
    v.dispose();
  }
});

nativeTest("compile() may dispose of what it captured, and tells -0 from 0", () => {
  const captured = tf.tensor1d([1, 2]);
  const f = compile((x: tf.Tensor) => {
    const y = captured.add(x);
    captured.dispose();
    return y;
  });
  assert.deepEqual(values(f(tf.tensor1d([1, 1]))), [2, 3]);
  assert.deepEqual(values(f(tf.tensor1d([2, 2]))), [3, 4]);
  const g = compile((x: tf.Tensor, k: number) => x.div(tf.scalar(k)));
  assert.deepEqual([0, -0].map((k) => values(g(tf.scalar(1), k))[0]), [Infinity, -Infinity]);
});

nativeTest("compile() names a variable that was disposed of since", () => {
  const v = variable(tf.scalar(1), "gain");
  const f = compile((x: tf.Tensor) => x.mul(v.read()));
  assert.deepEqual(values(f(tf.scalar(2))), [2]);
  v.dispose();
  assert.throws(() => f(tf.scalar(2)), /variable "gain" was disposed/);
});

nativeTest("compile() runs assignments that nothing returned depends on", () => {
  const v = variable(tf.scalar(1), "count");
  const f = compile(() => {
    v.assign(v.read().add(1));
    return null;
  });
  f();
  f();
  assert.deepEqual(values(v.read()), [3]);
});

nativeTest("compile() gives a variable's earlier readers its earlier value under load", () => {
  // Large enough that the product still runs when the assignment could start.
  const v = variable(tf.ones([400, 400]), "matrix");
  const f = compile((x: tf.Tensor) => {
    const old = v.read();
    const product = tf.matMul(x as tf.Tensor2D, old as tf.Tensor2D).sum();
    v.assign(old.mul(0));
    const after = v.read().sum();
    v.assign(old);
    return [product, after, v.read().sum()];
  });
  const x = tf.ones([400, 400]);
  for (let i = 0; i < 20; i++) {
    const sums = f(x) as tf.Tensor[];
    assert.deepEqual(sums.map((t) => values(t)[0]), [400 ** 3, 0, 160_000]);
    tf.dispose(sums);
  }
});

const forbidden: [string, (x: tf.Tensor) => tf.Tensor, RegExp][] = [
  ["reads a traced value", (x) => tf.tensor1d(x.dataSync()), /read on the host.*float32\[3\]/],
  ["reads by arraySync()", (x) => tf.tensor(x.sum().arraySync()), /read on the host/],
  ["reads a tensor from outside", (x) => x.mul(outside.dataSync()[0]!), /read on the host/],
  ["draws tf.randomNormal", (x) => x.add(tf.randomNormal([3])), /tf\.randomNormal; use Random/],
  [
    "draws a seeded tf.randomUniform",
    (x) => x.add(tf.randomUniform([3], 0, 1, "float32", 5)),
    /tf\.randomUniform/,
  ],
  ["uses tf.dropout", (x) => tf.dropout(x, 0.5), /tf\.dropout/],
  [
    "draws crypto.getRandomValues",
    (x) => x.mul(crypto.getRandomValues(new Uint8Array(1))[0]!),
    /crypto/,
  ],
  ["draws Math.random", (x) => x.mul(Math.random()), /Math\.random/],
  [
    "makes a shape that depends on values",
    (x) => tf.unique(x as tf.Tensor1D).values,
    /shape of UniqueV2/,
  ],
  ["uses a tf.Variable", (x) => x.add(tfVariable), /use variable\(\)/],
  ["assigns a tf.Variable", (x) => {
    tfVariable.assign(x);
    return x;
  }, /tf\.Variable/],
];
let outside: tf.Tensor;
let tfVariable: tf.Variable;

for (const [what, body, message] of forbidden) {
  nativeTest(`compile() refuses a function that ${what}, by name and place`, () => {
    tfVariable ??= tf.variable(tf.tensor1d([1, 2, 3]));
    outside ??= tf.tensor1d([2]);
    const before = startedBackend()!.binding.getNumOfTensors();
    const f = compile(body, { name: "policy step" });
    assert.throws(() => f(tf.tensor1d([1, 2, 3])), (error: Error) => {
      assert.match(
        error.message,
        /Cannot compile "policy step" at file:.*compile_test\.ts:\d+:\d+/,
      );
      assert.match(error.message, message);
      return true;
    });
    // Nothing stays behind: the engine works, host reads and random numbers are allowed again.
    assert.equal(tf.tensor1d([Math.random()]).add(tf.randomNormal([1])).dataSync().length, 1);
    assert.deepEqual(values(compile((x: tf.Tensor) => x.add(1))(tf.tensor1d([1]))), [2]);
    assert.ok(startedBackend()!.binding.getNumOfTensors() - before < 12);
  });
}

nativeTest("compile() stops at too many signatures and says what changed", () => {
  const f = compile((x: tf.Tensor, scale: number) => x.mul(scale), {
    name: "scaled",
    maxSignatures: 3,
  });
  for (const scale of [1, 2, 3]) f(tf.scalar(1), scale);
  assert.throws(
    () => f(tf.scalar(1), 4),
    /"scaled".*3 signatures.*pass numbers that change as tensors/,
  );
});

nativeTest("compile() names op, shapes and reason when an op cannot be traced", () => {
  const f = compile((x: tf.Tensor) => tf.matMul(x.reshape([1, 2]), tf.ones([3, 2])));
  assert.throws(() => f(tf.ones([2])), /Cannot trace MatMul\(float32\[1,2\], float32\[3,2\]\)/);
});

nativeTest("compile() cannot use a traced tensor after the trace", () => {
  let leaked: tf.Tensor | undefined;
  const f = compile((x: tf.Tensor) => leaked = tf.keep(x.mul(2)));
  f(tf.ones([2]));
  assert.throws(() => leaked!.add(1).dataSync(), /compiled function/);
});

nativeTest("compile() runs op by op inside a gradient, and inline inside another function", () => {
  const square = compile((x: tf.Tensor) => x.square().sum());
  const gradient = tf.grad((x) => square(x))(tf.tensor1d([1, 2]));
  assert.deepEqual(values(gradient), [2, 4]);
  assert.equal(square.signatures, 0);
  const outer = compile((x: tf.Tensor) => square(x.add(1)));
  assert.deepEqual(values(outer(tf.tensor1d([1, 2]))), [13]);
  assert.equal(square.signatures, 0);
});

nativeTest("compile() leaks neither handles nor memory over 1,000 steps", () => {
  const v = variables({ w: tf.ones([64, 64]), b: tf.zeros([64]) });
  const optimizer = adamw();
  const state = optimizer.init(v);
  const step = compile((x: tf.Tensor) => {
    const { value, gradients } = valueAndGradients(
      ({ w, b }) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D).add(b).square().mean(),
      read(v),
    );
    const { scale, finite, norm } = clipByGlobalNorm(gradients, 1);
    optimizer.update(gradients, state, v, { gradientScale: scale, enabled: finite });
    return { value, norm };
  });
  const x = tf.ones([8, 64]);
  const run = (n: number) => {
    for (let i = 0; i < n; i++) tf.dispose(step(x) as unknown as tf.TensorContainer);
  };
  run(200);
  const { binding } = startedBackend()!;
  const [handles, tensors, rss] = [
    binding.getNumOfTensors(),
    tf.memory().numTensors,
    Deno.memoryUsage().rss,
  ];
  run(1000);
  assert.equal(binding.getNumOfTensors(), handles);
  assert.equal(tf.memory().numTensors, tensors);
  const grown = (Deno.memoryUsage().rss - rss) / 2 ** 20;
  assert.ok(grown < 24, `resident memory grew by ${grown.toFixed(1)} MiB`);
});

nativeTest("compile().dispose() frees what tracing held", () => {
  const { binding } = startedBackend()!;
  const x = tf.ones([4]);
  x.add(0).dispose();
  const handles = binding.getNumOfTensors();
  for (let i = 0; i < 20; i++) {
    const f = compile((y: tf.Tensor) => y.add(x).mul(3));
    f(x).dispose();
    f.dispose();
  }
  assert.equal(binding.getNumOfTensors(), handles);
});

/** Five training steps of a small network; the losses, and a parameter at the end. */
async function train(executor: "onednn" | "xla"): Promise<number[]> {
  const random = new Random({ seed: 3, counter: 0 });
  const p = variables({
    kernel: random.normal([3, 4, 6], "kernel").mul(0.3),
    w: random.normal([6, 2], "w").mul(0.3),
    gain: tf.ones([6]),
  });
  const x = random.normal([5, 8, 4], "x"), y = random.normal([5, 2], "y");
  const optimizer = adamw({ learningRate: 0.01, weightDecay: 0.1 });
  const state = optimizer.init(p);
  const step = compile((x: tf.Tensor, y: tf.Tensor, counter: tf.Tensor) => {
    const drop = new Random({ seed: 9, counter });
    const { value, gradients } = valueAndGradients(({ kernel, w, gain }) => {
      let h: tf.Tensor = tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, 2, "same");
      h = h.sub(h.mean(-1, true)).mul(h.square().mean(-1, true).add(1e-5).rsqrt()).mul(gain);
      h = drop.dropout(h.mul(0.5).mul(h.mul(Math.SQRT1_2).erf().add(1)), 0.2, "h");
      const scores = tf.softmax(tf.matMul(h, h, false, true));
      const pooled = tf.matMul(scores, h).mean(1) as tf.Tensor2D;
      const error = tf.matMul(pooled, w as tf.Tensor2D).sub(y).abs();
      return tf.where(error.less(1), error.square().mul(0.5), error.sub(0.5)).mean();
    }, read(p));
    const { scale, finite } = clipByGlobalNorm(gradients, 0.5);
    optimizer.update(gradients, state, p, { gradientScale: scale, enabled: finite });
    return value;
  }, { executor });
  const found: number[] = [];
  for (let i = 0; i < 5; i++) found.push(...await step(x, y, tf.scalar(i, "int32")).data());
  return [...found, ...await p.w.read().data()];
}

Deno.test("compile() gives the same numbers on every engine to 1e-5", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  assert.equal(currentEngine()?.name, "wasm");
  const portable = await train("onednn");
  assert.ok(portable[4]! < portable[0]!, "the loss must fall");
  if (!hasNative) return;
  await startEngine({ engine: "tensorflow", install: false, quiet: true });
  for (const executor of ["onednn", "xla"] as const) {
    (await train(executor)).forEach((value, i) => {
      const expected = portable[i]!;
      assert.ok(
        Math.abs(value - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
        `${executor}: number ${i} is ${value}, on wasm ${expected}`,
      );
    });
  }
});

nativeTest("compile({precision}) computes products in bfloat16 with float32 in and out", () => {
  const random = new Random({ seed: 1, counter: 0 });
  const a = random.normal([64, 128], "a") as tf.Tensor2D;
  const b = random.normal([128, 32], "b") as tf.Tensor2D;
  const exact = values(tf.matMul(a, b));
  const narrow = compile((a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b), {
    precision: "bfloat16",
  })(a, b);
  assert.equal(narrow.dtype, "float32");
  const worst = Math.max(...values(narrow).map((v, i) => Math.abs(v - exact[i]!)));
  const { binding } = startedBackend()!;
  const fast = /avx512_bf16|amx_bf16|\bbf16\b/.test(Deno.readTextFileSync("/proc/cpuinfo")) ||
    binding.isUsingGpuDevice();
  if (fast) assert.ok(worst > 1e-4 && worst < 0.3, `worst difference ${worst}`);
  else assert.ok(worst < 1e-4, `worst difference ${worst}`);
});
