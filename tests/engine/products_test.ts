import assert from "node:assert/strict";
import {
  adamw,
  clipByGlobalNorm,
  compile,
  type CompileOptions,
  type NamedTensors,
  read,
  tf,
  type TraceReport,
  valueAndGradients,
  variables,
} from "trocar/engine";
import { nativeTest } from "./_native.ts";

const [ROWS, INPUTS, OUTPUTS] = [6, 384, 512];

/** Numbers that look random, the same in every run. */
function spread(shape: number[], scale: number): tf.Tensor {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => scale * Math.sin(i * i + 1)),
    shape,
  );
}

/** Three updates of two layers, one of which uses its matrix in two parts, as packed projections are. */
async function train(isCompiled: boolean, input: tf.Tensor, options: CompileOptions = {}) {
  const initial = {
    plain: spread([OUTPUTS, INPUTS], 0.05),
    packed: spread([2 * INPUTS, OUTPUTS], 0.05),
    bias: spread([OUTPUTS], 0.1),
  };
  const parameters = variables(initial);
  const optimizer = adamw({ learningRate: 1e-3 });
  const state = optimizer.init(parameters);
  const update = (x: tf.Tensor) => {
    const { value, gradients } = valueAndGradients((p) => {
      const y = tf.matMul(x as tf.Tensor2D, p.plain as tf.Tensor2D, false, true).add(p.bias).relu();
      const [first, second] = tf.split(p.packed, 2, 0) as [tf.Tensor2D, tf.Tensor2D];
      const a = tf.matMul(y as tf.Tensor2D, first, false, true);
      const b = tf.matMul(y.square() as tf.Tensor2D, second, false, true);
      return a.mul(b).sub(1).square().mean();
    }, read(parameters));
    const { norm, scale, finite } = clipByGlobalNorm(gradients, 0.5);
    optimizer.update(gradients, state, parameters, { gradientScale: scale, enabled: finite });
    return [value, norm];
  };
  let nodes = 0;
  const onTrace = (report: TraceReport) => nodes = report.nodes;
  const compiled = compile(update, { name: "products", onTrace, ...options });
  const reports: number[] = [];
  for (let i = 0; i < 3; i++) {
    const found = (isCompiled ? compiled(input) : tf.tidy(() => update(input))) as tf.Tensor[];
    for (const each of found) reports.push((await each.data())[0]!);
    tf.dispose(found);
  }
  const values: Record<string, Float32Array> = {};
  for (const [name, variable] of Object.entries({ ...parameters, ...state })) {
    const value = variable.read();
    values[name] = Float32Array.from(await value.data());
    value.dispose();
  }
  compiled.dispose();
  tf.dispose(initial as NamedTensors);
  [parameters, state].flatMap((all) => Object.values(all)).forEach((each) => each.dispose());
  return { reports, values, nodes };
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, bound: number) {
  const largest = Array.from(expected).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs(found[i]! - expected[i]!);
    assert.ok(distance <= bound * largest, `value ${i} is ${found[i]} instead of ${expected[i]}`);
  }
}

nativeTest("gradients that are products of few rows update as made ones do", async () => {
  const input = spread([ROWS, INPUTS], 1);
  const made = await train(false, input);
  const factored = await train(true, input);
  const manyRows = spread([INPUTS, INPUTS], 1);
  const other = await train(true, manyRows);
  assert.ok(factored.nodes > other.nodes, "the factors must be used where there are few rows only");
  manyRows.dispose();
  expectClose(factored.reports, made.reports, 1e-5);
  for (const [name, values] of Object.entries(made.values)) {
    if (name === "step") assert.deepEqual(factored.values[name], values);
    // AdamW's first steps are ± the learning rate however small a gradient is: where it is nothing but
    // rounding its sign is anything.
    else if (name.startsWith("exp_avg")) expectClose(factored.values[name]!, values, 1e-4);
    else expectClose(factored.values[name]!, values, 5e-3);
  }
  input.dispose();
});

nativeTest("products of few rows that are not finite change nothing", async () => {
  const input = spread([ROWS, INPUTS], 1);
  const values = input.dataSync();
  values[7] = NaN;
  const broken = tf.tensor(values, input.shape);
  const { reports, values: after } = await train(true, broken);
  assert.ok(Number.isNaN(reports[1]), String(reports[1]));
  const plain = spread([OUTPUTS, INPUTS], 0.05);
  assert.deepEqual(after["plain"], await plain.data());
  assert.ok(after["exp_avg.packed"]!.every((value) => value === 0));
  tf.dispose([input, broken, plain]);
});

nativeTest("an update may take its scale from outside of the function", async () => {
  const initial = { w: spread([OUTPUTS, INPUTS], 0.05) };
  const x = spread([ROWS, INPUTS], 1);
  const half = tf.scalar(0.5);
  const results: Float32Array[] = [];
  for (const isCompiled of [false, true]) {
    const parameters = variables(initial);
    const optimizer = adamw({ learningRate: 1e-3 });
    const state = optimizer.init(parameters);
    const update = (x: tf.Tensor, gradientScale: tf.Tensor) => {
      const { value, gradients } = valueAndGradients(
        ({ w }) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true).square().mean(),
        read(parameters),
      );
      optimizer.update(gradients, state, parameters, { gradientScale });
      return value;
    };
    const compiled = compile(update, { name: "outside" });
    (isCompiled ? compiled(x, half) as tf.Tensor : tf.tidy(() => update(x, half))).dispose();
    const moment = state["exp_avg.w"]!.read();
    results.push(Float32Array.from(await moment.data()));
    moment.dispose();
    compiled.dispose();
    [parameters, state].flatMap((all) => Object.values(all)).forEach((each) => each.dispose());
  }
  expectClose(results[1]!, results[0]!, 1e-5);
  tf.dispose([initial, x, half]);
});

nativeTest("bfloat16 keeps norm and product of few rows in float32", async () => {
  const input = spread([ROWS, INPUTS], 1);
  const exact = await train(true, input);
  const narrow = await train(true, input, { precision: "bfloat16" });
  expectClose(narrow.reports, exact.reports, 0.03);
  input.dispose();
});
