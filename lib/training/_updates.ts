import {
  type NamedTensors,
  read,
  tf,
  type Variable,
  type Variables,
  variables,
} from "../engine/mod.ts";
import type { TrainingGroup } from "./groups.ts";

/** Learning rates of groups as scalars. */
export function rateTensors(
  groups: readonly TrainingGroup[],
  learningRates: Readonly<Record<string, number>>,
): Record<string, tf.Scalar> {
  for (const { name } of groups) {
    const rate = learningRates[name];
    if (rate === undefined || !(rate >= 0 && rate < Infinity)) {
      throw new RangeError(
        `Cannot update parameters: group "${name}" needs a learning rate from 0, current value is ${rate}`,
      );
    }
  }
  return Object.fromEntries(groups.map(({ name }) => [name, tf.scalar(learningRates[name]!)]));
}

/** Variables of the same values. */
export function copies(all: Variables): Variables {
  const values = read(all);
  const made = variables(values);
  tf.dispose(values);
  return made;
}

/** Assigns values where a condition holds, and else leaves variables as they are. */
export function assignIf(condition: tf.Tensor, all: Variables, values: NamedTensors): void {
  for (const [key, value] of Object.entries(values)) {
    all[key]!.assign(tf.where(condition, value, all[key]!.read()));
  }
}

/** The first averages are of few steps, so that they forget the start: (1 + t) / (10 + t) at most. */
export function average(
  averages: Variables,
  trained: Variables,
  decay: number,
  step: Variable,
  isFinite: tf.Tensor,
): void {
  const steps = step.read().cast("float32");
  const kept = tf.minimum(decay, steps.add(1).div(steps.add(10)));
  const gain = tf.sub(1, kept).mul(isFinite.cast("float32"));
  for (const [key, variable] of Object.entries(averages)) {
    const old = variable.read();
    variable.assign(old.add(trained[key]!.read().sub(old).mul(gain)));
  }
}
