import { read, tf, type Variables, variables } from "../engine/mod.ts";
import type { Contribution } from "./_clip.ts";

/** Sums of what several batches add to an update. */
export interface Accumulator {
  /** Adds; within a compiled function. */
  add(contribution: Contribution): void;
  /** What was added. */
  read(): Contribution;
  /** Begins anew. */
  clear(): void;
  /** Frees the memory. */
  dispose(): void;
}

/** Makes an accumulator for the gradients of parameters. */
export function createAccumulator(trained: Variables): Accumulator {
  const zeros = Object.fromEntries(
    Object.entries(trained).map(([key, { shape }]) => [key, tf.zeros(shape)]),
  );
  const sums = variables(zeros);
  const zero = tf.scalar(0);
  const { sum, weight } = variables({ sum: zero, weight: zero });
  tf.dispose([zeros, zero]);
  const all = [...Object.values(sums), sum, weight];
  return {
    add: (contribution) => {
      sum.assign(sum.read().add(contribution.sum));
      weight.assign(weight.read().add(contribution.weight));
      for (const [key, gradient] of Object.entries(contribution.gradients)) {
        sums[key]!.assign(sums[key]!.read().add(gradient));
      }
    },
    read: () => ({
      sum: sum.read() as tf.Scalar,
      weight: weight.read() as tf.Scalar,
      gradients: read(sums),
      updates: {},
    }),
    clear: () => {
      tf.tidy(() => all.forEach((each) => each.assign(tf.zeros(each.shape))));
    },
    dispose: () => all.forEach((each) => each.dispose()),
  };
}
