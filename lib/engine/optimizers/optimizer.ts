/** What every optimiser is: a record of two functions over named parameters. */
import * as tf from "@tensorflow/tfjs";
import type { NamedTensors, Variable, Variables } from "../variable.ts";

/** Parameters that share a learning rate and a weight decay. */
export interface ParameterGroup {
  /** What errors and tables call the group. */
  readonly name: string;
  /** Says which parameters belong to it; the first group that says so takes the parameter. */
  readonly matches: (parameter: string, shape: readonly number[]) => boolean;
  /** Learning rate. @default {that of the optimiser} */
  readonly learningRate?: number;
  /** Weight decay. @default {that of the optimiser} */
  readonly weightDecay?: number;
}

/** What a step may change about an update. */
export interface UpdateOptions {
  /**
   * Multiplies the learning rate: one float32 scalar for all parameters, or one for each group by its
   * name, with `default` for parameters of no group.
   * @default {1}
   */
  readonly schedule?: tf.Tensor | NamedTensors;
  /** Multiplies every gradient, for example {@link clipByGlobalNorm}'s scale. @default {1} */
  readonly gradientScale?: tf.Tensor;
  /** Where false, nothing changes: parameters, moments and step count stay. Bool scalar. @default {true} */
  readonly enabled?: tf.Tensor;
}

/** An optimiser. */
export interface Optimizer {
  /**
   * Makes the state that belongs to parameters.
   *
   * @param parameters Variables by name.
   * @returns Variables under names that a checkpoint can hold: `step`, and PyTorch's names of the
   * moments with the parameter's name after a dot.
   */
  readonly init: (parameters: Variables) => Record<string, Variable>;
  /**
   * Updates parameters and state in place.
   *
   * @param gradients By the parameters' names and of their shapes.
   * @param state What `init` made.
   * @param parameters The same variables as given to `init`.
   * @param options Schedule, gradient scale, guard.
   * @throws {Error} If a gradient or a piece of state is missing.
   */
  readonly update: (
    gradients: NamedTensors,
    state: Variables,
    parameters: Variables,
    options?: UpdateOptions,
  ) => void;
}

/** What an optimiser and its groups set for one parameter. */
export interface GroupSettings {
  /** The group's name, `default` for none. */
  readonly group: string;
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** Finds the settings of a parameter: its group's, else the optimiser's. */
export function settingsOf(
  groups: readonly ParameterGroup[],
  parameter: Variable,
  name: string,
  defaults: Omit<GroupSettings, "group">,
): GroupSettings {
  const group = groups.find(({ matches }) => matches(name, parameter.shape));
  return {
    group: group?.name ?? "default",
    learningRate: group?.learningRate ?? defaults.learningRate,
    weightDecay: group?.weightDecay ?? defaults.weightDecay,
  };
}

/** The schedule's factor for a group. */
export function scheduleOf(schedule: UpdateOptions["schedule"], group: string): tf.Tensor {
  if (schedule === undefined) return tf.scalar(1);
  return schedule instanceof tf.Tensor ? schedule : piece(schedule, group, "the group's schedule");
}

/** The named piece, or an error that says which is missing. */
export function piece<T>(pieces: Readonly<Record<string, T>>, name: string, kind: string): T {
  const found = pieces[name];
  if (found === undefined) {
    throw new Error(`Cannot update parameters: ${kind} of "${name}" is missing`);
  }
  return found;
}

/** Checks a number. @throws {RangeError} If it is not finite or outside of the range. */
export function expectRange(name: string, value: number, low: number, below: number): void {
  if (!(value >= low && value < below)) {
    throw new RangeError(
      `Cannot make optimiser: ${name} must be from ${low} to below ${below}, current value is ${value}`,
    );
  }
}

/** Checks what groups set. @throws {RangeError} Naming the group. */
export function expectRates(
  groups: readonly Pick<ParameterGroup, "name" | "learningRate" | "weightDecay">[],
): void {
  for (const { name, learningRate = 0, weightDecay = 0 } of groups) {
    expectRange(`the learning rate of group "${name}"`, learningRate, 0, Infinity);
    expectRange(`the weight decay of group "${name}"`, weightDecay, 0, Infinity);
  }
}
