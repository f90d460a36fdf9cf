/** One training step of a fixture's policy, as a caller of the engine would write it. */
import {
  adamw,
  clipByGlobalNorm,
  compile,
  read,
  tf,
  type Tree,
  valueAndGradients,
  type Variable,
  variables,
} from "../../engine/mod.ts";
import { exchangeLayout, fromCheckpointLayout } from "../checkpoint_layout.ts";
import { decays } from "../decay.ts";
import { training } from "../layers/context.ts";
import { policyShapes, trainedKeys } from "../shapes.ts";
import { type NetworkInputs, networkInputs, trainingLoss } from "./_network.ts";
import type { ParityFixture } from "./fixture.ts";

/** How the networks run. */
export type ParityMode = "eager" | "compiled";

/** Numbers of tensors by key, in the layout of checkpoints. */
export type Values = Readonly<Record<string, Float32Array | Int32Array | Uint8Array>>;

/** What a step computed. */
export interface StepResult {
  readonly loss: Values;
  readonly gradients: Values;
  readonly after: Values;
}

type Runnable<A extends Tree[], R extends Tree> = ((...inputs: A) => R) & { dispose(): void };

/** The function, compiled or run op by op. */
export function prepare<A extends Tree[], R extends Tree>(
  mode: ParityMode,
  name: string,
  fn: (...inputs: A) => R,
): Runnable<A, R> {
  if (mode === "compiled") return compile(fn, { name });
  const eager = (...inputs: A) => tf.tidy(() => fn(...inputs) as tf.TensorContainer) as R;
  return Object.assign(eager, { dispose: () => {} });
}

/** The state before the step in the engine's layout. */
export function load({ config, before }: ParityFixture): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const types = new Map(policyShapes(config).map(({ key, dtype }) => [key, dtype]));
    const tensors = [...before].map(([key, { shape, data }]) =>
      [key, tf.tensor(data, [...shape], types.get(key) === "int64" ? "int32" : "float32")] as const
    );
    return fromCheckpointLayout(config, Object.fromEntries(tensors));
  });
}

/** Reads tensors and disposes of them. */
export async function take(tensors: Readonly<Record<string, tf.Tensor>>): Promise<Values> {
  const values: Record<string, Float32Array | Int32Array | Uint8Array> = {};
  for (const [key, tensor] of Object.entries(tensors)) {
    values[key] = await tensor.data();
    tensor.dispose();
  }
  return values;
}

/**
 * Takes the step twice from the same state: with the engine's gradients, and with the fixture's.
 *
 * @returns Results of both.
 */
export async function takeSteps(fixture: ParityFixture, mode: ParityMode): Promise<{
  readonly own: StepResult;
  readonly given: StepResult;
}> {
  const before = load(fixture);
  const state = variables(before);
  const trained = Object.fromEntries(trainedKeys(fixture.config).map((key) => [key, state[key]!]));
  const optimizer = adamw({ groups: groups() });
  const moments = optimizer.init(trained);
  const step = prepare(
    mode,
    "step",
    (x: NetworkInputs, given: Record<string, tf.Tensor>, useGiven: tf.Tensor) => {
      const context = training();
      const all = read(state);
      const { value: loss, gradients, metrics } = valueAndGradients(
        (p) => ({
          loss: trainingLoss(fixture, { ...all, ...p }, x, context),
          metrics: context.updates,
        }),
        read(trained),
      );
      const chosen = choose(useGiven, given, gradients);
      const { norm, scale } = clipByGlobalNorm(chosen, 1);
      optimizer.update(chosen, moments, trained, { gradientScale: scale });
      for (const [key, update] of Object.entries(metrics)) state[key]!.assign(update);
      return { loss: loss as tf.Tensor, norm: norm as tf.Tensor, gradients: { ...gradients } };
    },
  );
  const inputs = networkInputs(fixture);
  const given = fixtureGradients(fixture, Object.keys(trained));
  const run = async (useGiven: boolean): Promise<StepResult> => {
    for (const [key, variable] of Object.entries(state)) variable.assign(before[key]!);
    for (const variable of Object.values(moments)) {
      tf.tidy(() => variable.assign(tf.zeros(variable.shape, variable.dtype)));
    }
    const flag = tf.scalar(useGiven, "bool");
    const { gradients, ...scalars } = step(inputs, given, flag);
    flag.dispose();
    return {
      loss: await take(scalars),
      gradients: await takeExchanged(fixture, gradients),
      after: await takeExchanged(fixture, read(state)),
    };
  };
  try {
    return { own: await run(false), given: await run(true) };
  } finally {
    step.dispose();
    tf.dispose([before, inputs, given]);
    disposeAll(state, moments);
  }
}

function choose(
  useFirst: tf.Tensor,
  first: Readonly<Record<string, tf.Tensor>>,
  second: Readonly<Record<string, tf.Tensor>>,
): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(second).map(([key, tensor]) => [key, tf.where(useFirst, first[key]!, tensor)]),
  );
}

/** The fixture's gradients in the engine's layout; zeros where it has none. */
function fixtureGradients({ config, gradients }: ParityFixture, keys: readonly string[]) {
  const trained = new Set(keys);
  const specs = policyShapes(config).filter(({ key }) => trained.has(key));
  return Object.fromEntries(specs.map((spec) => {
    const { data, shape } = gradients.get(spec.key) ?? { data: undefined, shape: spec.shape };
    return [
      spec.key,
      tf.tidy(() =>
        exchangeLayout(spec, data ? tf.tensor(data, [...shape]) : tf.zeros([...shape]))
      ),
    ];
  }));
}

/** Learning rates and weight decays of the fixtures' optimiser. */
function groups() {
  const group = (part: string, learningRate: number, decay: boolean) => ({
    name: `${part}${decay ? "decay" : "no decay"}`,
    matches: (key: string, shape: readonly number[]) =>
      key.startsWith(part) && decays(key, shape) === decay,
    learningRate,
    weightDecay: decay ? 0.01 : 0,
  });
  return [true, false].flatMap((decay) => [
    group("action_expert.", 1e-3, decay),
    group("sensor_encoder.", 5e-3, decay),
  ]);
}

function takeExchanged({ config }: ParityFixture, tensors: Readonly<Record<string, tf.Tensor>>) {
  const specs = new Map(policyShapes(config).map((spec) => [spec.key, spec]));
  const exchanged = Object.entries(tensors).map(([key, tensor]) => {
    const other = exchangeLayout(specs.get(key)!, tensor);
    tensor.dispose();
    return [key, other] as const;
  });
  return take(Object.fromEntries(exchanged));
}

function disposeAll(...all: readonly Readonly<Record<string, Variable>>[]): void {
  for (const each of all) Object.values(each).forEach((variable) => variable.dispose());
}
