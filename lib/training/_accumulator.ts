import { type NamedTensors, read, tf, type Variables, variables } from "../engine/mod.ts";
import type { Contribution } from "./_clip.ts";
import { copies } from "./_updates.ts";

/** Sums of what several batches add to an update. */
export interface Accumulator {
  /** Running statistics as the batches so far have left them; the policy's own wait for the update. */
  readonly statistics: Variables;
  /** Adds; within a compiled function. */
  add(contribution: Contribution): void;
  /** What was added. */
  read(): Contribution;
  /** Begins anew, from the policy's own statistics. */
  clear(): void;
  /** Frees the memory. */
  dispose(): void;
}

/**
 * Makes an accumulator.
 *
 * @param trained parameters, for their gradients
 * @param statistics the policy's own running statistics
 * @param metrics shapes of the other sums
 */
export function createAccumulator(
  trained: Variables,
  statistics: Variables,
  metrics: Readonly<Record<string, number[]>>,
): Accumulator {
  const zeros = (shapes: Readonly<Record<string, number[]>>): Variables => {
    const values = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [name, tf.zeros(shape)]),
    );
    const made = variables(values);
    tf.dispose(values);
    return made;
  };
  const gradients = zeros(
    Object.fromEntries(Object.entries(trained).map(([key, { shape }]) => [key, shape])),
  );
  const scalars = zeros({ sum: [], weight: [] });
  const others = zeros(metrics), running = copies(statistics);
  const sums = [gradients, scalars, others].flatMap((all) => Object.values(all));
  const addAll = (all: Variables, values: NamedTensors) => {
    for (const [name, value] of Object.entries(values)) {
      all[name]!.assign(all[name]!.read().add(value));
    }
  };
  return {
    statistics: running,
    add: ({ sum, weight, gradients: added, metrics: more, statistics: next }) => {
      addAll(scalars, { sum, weight });
      addAll(gradients, added);
      addAll(others, more);
      for (const [key, value] of Object.entries(next)) running[key]!.assign(value);
    },
    read: () => ({
      ...(read(scalars) as { sum: tf.Scalar; weight: tf.Scalar }),
      gradients: read(gradients),
      statistics: read(running),
      metrics: read(others),
    }),
    clear: () => {
      tf.tidy(() => {
        sums.forEach((each) => each.assign(tf.zeros(each.shape)));
        for (const [key, value] of Object.entries(read(statistics))) running[key]!.assign(value);
      });
    },
    dispose: () => [...sums, ...Object.values(running)].forEach((each) => each.dispose()),
  };
}
