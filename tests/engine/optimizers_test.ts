import assert from "node:assert/strict";
import {
  adamw,
  clipByGlobalNorm,
  compile,
  type Optimizer,
  type ParameterGroup,
  sgd,
  startEngine,
  tf,
  type Variable,
  variables,
} from "trocar/engine";
import { hasNative } from "./_native.ts";

type Named = Record<string, number[]>;

interface Recorded {
  readonly shapes: Record<string, number[]>;
  readonly groups: { parameters: string[]; lr: number; weightDecay?: number }[];
  readonly initial: Named;
}

const folder = new URL("../../data-fixtures/optimizers/", import.meta.url);
const load = (name: string) => JSON.parse(Deno.readTextFileSync(new URL(name, folder)));
const flat = (value: unknown): number[] => [value].flat(9) as number[];

function tensors(shapes: Record<string, number[]>, of: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, tf.tensor(flat(of[name]), shape)]),
  );
}

/**
 * The values are sums of float32 terms of order 1, so that rounding in another order moves them by a few
 * units of 2⁻²⁴ whatever is left of them; PyTorch's own are up to 4.4e-7 from a float64 computation.
 */
function expectClose(found: ArrayLike<number>, expected: unknown, what: string) {
  flat(expected).forEach((value, i) => {
    const bound = 5e-7 + 1e-6 * Math.abs(value);
    assert.ok(
      Math.abs(found[i]! - value) <= bound,
      `${what}[${i}] is ${found[i]}, PyTorch ${value}`,
    );
  });
}

interface RecordedSteps extends Recorded {
  readonly steps: {
    readonly learningRates: number[];
    readonly gradients: Named;
    readonly parameters: Named;
    readonly expAvg?: Named;
    readonly expAvgSq?: Named;
    readonly momentum?: Named;
  }[];
}

/** The recorded moments by the names that the state gives them. */
const MOMENTS = { expAvg: "exp_avg", expAvgSq: "exp_avg_sq", momentum: "momentum_buffer" } as const;

/** Repeats recorded steps and compares parameters and state after each. */
async function follow(
  recorded: RecordedSteps,
  make: (groups: ParameterGroup[]) => Optimizer,
  compiled: boolean,
): Promise<Record<string, Variable>> {
  const { shapes, groups, steps } = recorded;
  assert.ok(steps.length >= 10);
  const parameters = variables(tensors(shapes, recorded.initial));
  // The recorded learning rates change each step, for each group by its own factor.
  const base = steps[0]!.learningRates;
  const optimizer = make(groups.map((group, i) => ({
    name: `group ${i}`,
    matches: (name) => group.parameters.includes(name),
    learningRate: base[i]!,
    weightDecay: group.weightDecay ?? 0,
  })));
  const state = optimizer.init(parameters);
  const update = (
    gradients: Record<string, tf.Tensor>,
    schedule: Record<string, tf.Tensor>,
  ) => {
    optimizer.update(gradients, state, parameters, { schedule });
    return null;
  };
  const step = compiled ? compile(update) : update;
  for (const [i, now] of steps.entries()) {
    const schedule = now.learningRates.map((rate, i) =>
      [`group ${i}`, tf.scalar(rate / base[i]!)] as const
    );
    step(tensors(shapes, now.gradients), Object.fromEntries(schedule));
    for (const name of Object.keys(shapes)) {
      const label = `step ${i + 1} ${name}`;
      expectClose(await parameters[name]!.read().data(), now.parameters[name], label);
      for (const [field, moment] of Object.entries(MOMENTS)) {
        const expected = now[field as keyof typeof MOMENTS];
        if (expected === undefined) continue;
        const found = state[`${moment}.${name}`];
        expectClose(await found!.read().data(), expected[name], `${label} ${moment}`);
      }
    }
  }
  return state;
}

const engines = hasNative ? ["wasm", "tensorflow"] as const : ["wasm"] as const;
for (const engine of engines) {
  for (const compiled of [false, true]) {
    const where = `on ${engine}, ${compiled ? "compiled" : "op by op"}`;

    Deno.test(`adamw() follows PyTorch's recorded steps ${where}`, async () => {
      await startEngine({ engine, quiet: true });
      const recorded = load("adamw.json") as RecordedSteps;
      const state = await follow(recorded, (groups) => adamw({ groups }), compiled);
      assert.equal((await state.step!.read().data())[0], recorded.steps.length);
    });

    Deno.test(`sgd() follows PyTorch's recorded steps ${where}`, async () => {
      await startEngine({ engine, quiet: true });
      const { plain, momentum } = load("sgd.json") as Record<string, RecordedSteps>;
      await follow(plain!, (groups) => sgd({ groups }), compiled);
      await follow(momentum!, (groups) => sgd({ groups, momentum: 0.9 }), compiled);
    });

    Deno.test(`clipByGlobalNorm() clips as PyTorch does ${where}`, async () => {
      await startEngine({ engine, quiet: true });
      const { shapes, cases } = load("clip.json") as {
        shapes: Record<string, number[]>;
        cases: { name: string; gradients: Named; norm: number; clipped: Named }[];
      };
      const clip = (gradients: Record<string, tf.Tensor>) => {
        const { norm, scale } = clipByGlobalNorm(gradients, 1);
        return { norm, scale };
      };
      const run = compiled ? compile(clip) : clip;
      for (const { name, gradients, norm: expected, clipped } of cases) {
        const given = tensors(shapes, gradients);
        const { norm, scale } = run(given);
        expectClose(await norm.data(), expected, `${name} norm`);
        for (const parameter of Object.keys(shapes)) {
          const found = await given[parameter]!.mul(scale).data();
          expectClose(found, clipped[parameter], `${name} ${parameter}`);
        }
      }
    });

    Deno.test(`update({enabled}) changes nothing where a gradient is not finite ${where}`, async () => {
      await startEngine({ engine, quiet: true });
      for (const optimizer of [adamw(), sgd({ momentum: 0.9 })]) {
        const parameters = variables({ w: tf.tensor1d([1, 2, 3]) });
        const state = optimizer.init(parameters);
        const update = (w: tf.Tensor) => {
          const { scale, finite } = clipByGlobalNorm({ w }, 1);
          optimizer.update({ w }, state, parameters, { gradientScale: scale, enabled: finite });
          return null;
        };
        const step = compiled ? compile(update) : update;
        const all = async () =>
          JSON.stringify(
            await Promise.all(
              [...Object.values(state), parameters.w].map(async (v) =>
                Array.from(await v.read().data())
              ),
            ),
          );
        step(tf.tensor1d([1, -1, 0.5]));
        const before = await all();
        for (const bad of [NaN, Infinity, -Infinity]) step(tf.tensor1d([1, bad, 0]));
        assert.equal(await all(), before);
        step(tf.tensor1d([1, -1, 0.5]));
        assert.notEqual(await all(), before);
      }
    });
  }
}

Deno.test("adamw(), sgd() and clipByGlobalNorm() refuse settings out of range", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  assert.throws(() => adamw({ learningRate: NaN }), /learning rate.*current value is NaN/);
  assert.throws(() => adamw({ betas: [0.9, 1] }), /beta 2 must be from 0 to below 1/);
  assert.throws(() => adamw({ weightDecay: -1 }), RangeError);
  assert.throws(
    () => sgd({ groups: [{ name: "expert", matches: () => true, learningRate: -1 }] }),
    /"expert"/,
  );
  assert.throws(() => clipByGlobalNorm({ w: tf.scalar(1) }, 0), /above 0/);
  assert.throws(() => clipByGlobalNorm({}, 1), /there are none/);
});

Deno.test("update() names the parameter whose gradient or state is missing", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const parameters = variables({ w: tf.scalar(1), b: tf.scalar(1) });
  const optimizer = adamw();
  const state = optimizer.init(parameters);
  assert.throws(
    () => optimizer.update({ w: tf.scalar(1) }, state, parameters),
    /the gradient of "b" is missing/,
  );
  const gradients = { w: tf.scalar(1), b: tf.scalar(1) };
  assert.throws(() => optimizer.update(gradients, {}, parameters), /"step" is missing/);
});
