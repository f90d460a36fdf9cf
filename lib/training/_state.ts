import { tf, type Variable, type Variables } from "../engine/mod.ts";
import type { TensorArray } from "../formats/mod.ts";
import {
  exchangeLayout,
  type PolicyConfig,
  policyShapes,
  type TensorSpec,
} from "../policies/mod.ts";

/** Everything that the next update depends on besides its arguments; arrays in the layout of checkpoints. */
export interface TrainingSnapshot {
  /** The policy's tensors by their keys. */
  readonly model: Readonly<Record<string, TensorArray>>;
  /**
   * AdamW's `step`, `exp_avg.KEY` and `exp_avg_sq.KEY`, and `ema.KEY`; moments and averages have the
   * layout of their parameter.
   */
  readonly training: Readonly<Record<string, TensorArray>>;
}

/** The variables of a training step. */
export interface TrainingVariables {
  readonly config: PolicyConfig;
  readonly policy: Variables;
  readonly moments: Variables;
  readonly averages: Variables | null;
}

/** A variable, its name in a snapshot, and the tensor of the policy that it belongs to. */
interface Place {
  readonly name: string;
  readonly variable: Variable;
  readonly spec: TensorSpec | null;
  readonly dtype: "float32" | "int32" | "int64";
}

function placesOf({ config, policy, moments, averages }: TrainingVariables) {
  const specs = new Map(policyShapes(config).map((spec) => [spec.key, spec]));
  const place = (name: string, variable: Variable, key: string, dtype: Place["dtype"]): Place => ({
    ...{ name, variable, dtype },
    spec: specs.get(key) ?? null,
  });
  const model = [...specs.values()].map(({ key, dtype }) => place(key, policy[key]!, key, dtype));
  const training = [
    ...Object.entries(moments).map(([name, variable]) =>
      place(
        name,
        variable,
        name.slice(name.indexOf(".") + 1),
        name === "step" ? "int32" : "float32",
      )
    ),
    ...Object.entries(averages ?? {}).map(([key, variable]) =>
      place(`ema.${key}`, variable, key, "float32")
    ),
  ];
  return { model, training };
}

/** Copies all values; the arrays are the caller's alone. */
export async function readState(state: TrainingVariables): Promise<TrainingSnapshot> {
  const { model, training } = placesOf(state);
  const arrays = async (places: readonly Place[]) => {
    const found: Record<string, TensorArray> = {};
    for (const place of places) found[place.name] = await readArray(place);
    return found;
  };
  return { model: await arrays(model), training: await arrays(training) };
}

async function readArray({ variable, spec, dtype }: Place): Promise<TensorArray> {
  const value = tf.tidy(() =>
    spec === null ? variable.read() : exchangeLayout(spec, variable.read())
  );
  const { shape } = value;
  const data = await value.data() as Float32Array | Int32Array; // a copy on all engines
  value.dispose();
  if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from(data, BigInt) };
  return { dtype, shape, data } as TensorArray;
}

/** Assigns all values, after all are checked. */
export function writeState(state: TrainingVariables, snapshot: TrainingSnapshot): void {
  const { model, training } = placesOf(state);
  const problems = [
    ...problemsOf(model, snapshot.model),
    ...problemsOf(training, snapshot.training),
  ];
  if (problems.length > 0) {
    throw new RangeError(
      `Cannot go on with training: ${problems.length} arrays do not fit the policy and its settings, current value is ${
        problems.slice(0, 10).join("; ")
      }${problems.length > 10 ? "; …" : ""}`,
    );
  }
  model.forEach((place) => writeArray(place, snapshot.model[place.name]!));
  training.forEach((place) => writeArray(place, snapshot.training[place.name]!));
}

function problemsOf(places: readonly Place[], arrays: TrainingSnapshot["model"]): string[] {
  const names = new Set(places.map(({ name }) => name));
  const unexpected = Object.keys(arrays).filter((name) => !names.has(name))
    .map((name) => `"${name}" is unexpected`);
  const unfit = places.flatMap((place) => {
    const found = arrays[place.name];
    if (found === undefined) return [`"${place.name}" is missing`];
    const expected = `${place.dtype}[${place.spec?.shape ?? place.variable.shape}]`;
    const is = `${found.dtype}[${found.shape}]`;
    return is === expected ? [] : [`"${place.name}" is ${is} instead of ${expected}`];
  });
  return [...unfit, ...unexpected];
}

function writeArray({ variable, spec }: Place, { data, shape, dtype }: TensorArray): void {
  tf.tidy(() => {
    const values = dtype === "int64" ? Int32Array.from(data as BigInt64Array, Number) : data;
    const value = tf.tensor(values as Float32Array, [...shape], variable.dtype);
    variable.assign(spec === null ? value : exchangeLayout(spec, value));
  });
}
