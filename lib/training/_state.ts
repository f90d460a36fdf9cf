import { tf, type Variable, type Variables } from "../engine/mod.ts";
import type { TrainableTensor } from "../features/trainable.ts";
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
  /** The same of what is trained of a visual-language model, by its keys in checkpoints. */
  readonly visual?: {
    readonly model: Readonly<Record<string, TensorArray>>;
    readonly training: Readonly<Record<string, TensorArray>>;
  };
}

/** The variables of a training step. */
export interface TrainingVariables {
  readonly config: PolicyConfig;
  readonly policy: Variables;
  readonly moments: Variables;
  readonly averages: Variables | null;
  /** What is trained of a visual-language model; its variables are among those of the policy. */
  readonly visual: readonly TrainableTensor[];
}

/** A variable, its name in a snapshot, and how its values lie there; null as in memory. */
interface Place {
  readonly name: string;
  readonly variable: Variable;
  readonly layout: TensorSpec | null;
  readonly dtype: "float32" | "int32" | "int64";
}

function placesOf({ config, policy, moments, averages, visual }: TrainingVariables) {
  const specs = policyShapes(config), visualKeys = new Map(visual.map((each) => [each.key, each]));
  const layouts = new Map(specs.map((spec) => [spec.key, spec]));
  const place = (name: string, variable: Variable, key: string, dtype: Place["dtype"]): Place => ({
    ...{ name, variable, dtype },
    layout: layouts.get(key) ?? null,
  });
  const model = specs.map(({ key, dtype }) => place(key, policy[key]!, key, dtype));
  const training: Place[] = [], visualTraining: Place[] = [];
  const keep = (prefix: string, variable: Variable, key: string) => {
    const stored = visualKeys.get(key)?.stored;
    const name = `${prefix}.${stored ?? key}`;
    (stored === undefined ? training : visualTraining).push(place(name, variable, key, "float32"));
  };
  for (const [name, variable] of Object.entries(moments)) {
    const dot = name.indexOf(".");
    if (dot < 0) training.push(place(name, variable, name, "int32"));
    else keep(name.slice(0, dot), variable, name.slice(dot + 1));
  }
  for (const [key, variable] of Object.entries(averages ?? {})) keep("ema", variable, key);
  return {
    ...{ model, training, visualTraining },
    visualModel: visual.map(({ key, stored }) => place(stored, policy[key]!, key, "float32")),
  };
}

/** Copies all values; the arrays are the caller's alone. */
export async function readState(state: TrainingVariables): Promise<TrainingSnapshot> {
  const { model, training, visualModel, visualTraining } = placesOf(state);
  const arrays = async (places: readonly Place[]) => {
    const found: Record<string, TensorArray> = {};
    for (const place of places) found[place.name] = await readArray(place);
    return found;
  };
  return {
    ...{ model: await arrays(model), training: await arrays(training) },
    ...(visualModel.length === 0
      ? {}
      : { visual: { model: await arrays(visualModel), training: await arrays(visualTraining) } }),
  };
}

async function readArray({ variable, layout, dtype }: Place): Promise<TensorArray> {
  const value = tf.tidy(() =>
    layout === null ? variable.read() : exchangeLayout(layout, variable.read())
  );
  const { shape } = value;
  const data = await value.data() as Float32Array | Int32Array; // a copy on all engines
  value.dispose();
  if (dtype === "int64") return { dtype, shape, data: BigInt64Array.from(data, BigInt) };
  return { dtype, shape, data } as TensorArray;
}

/** Assigns all values, after all are checked. */
export function writeState(state: TrainingVariables, snapshot: TrainingSnapshot): void {
  const { model, training, visualModel, visualTraining } = placesOf(state);
  const { visual = { model: {}, training: {} } } = snapshot;
  const parts = [
    [model, snapshot.model],
    [training, snapshot.training],
    [visualModel, visual.model],
    [visualTraining, visual.training],
  ] as const;
  const problems = parts.flatMap(([places, arrays]) => problemsOf(places, arrays));
  if (problems.length > 0) {
    throw new RangeError(
      `Cannot go on with training: ${problems.length} arrays do not fit the policy and its settings, current value is ${
        problems.slice(0, 10).join("; ")
      }${problems.length > 10 ? "; …" : ""}`,
    );
  }
  for (const [places, arrays] of parts) {
    places.forEach((place) => writeArray(place, arrays[place.name]!));
  }
}

function problemsOf(places: readonly Place[], arrays: TrainingSnapshot["model"]): string[] {
  const names = new Set(places.map(({ name }) => name));
  const unexpected = Object.keys(arrays).filter((name) => !names.has(name))
    .map((name) => `"${name}" is unexpected`);
  const unfit = places.flatMap((place) => {
    const found = arrays[place.name];
    if (found === undefined) return [`"${place.name}" is missing`];
    const expected = `${place.dtype}[${place.layout?.shape ?? place.variable.shape}]`;
    const is = `${found.dtype}[${found.shape}]`;
    return is === expected ? [] : [`"${place.name}" is ${is} instead of ${expected}`];
  });
  return [...unfit, ...unexpected];
}

function writeArray({ variable, layout }: Place, { data, shape, dtype }: TensorArray): void {
  tf.tidy(() => {
    const values = dtype === "int64" ? Int32Array.from(data as BigInt64Array, Number) : data;
    const value = tf.tensor(values as Float32Array, [...shape], variable.dtype);
    variable.assign(layout === null ? value : exchangeLayout(layout, value));
  });
}
