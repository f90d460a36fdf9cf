/** Named values that a step updates in place. */
import * as tf from "@tensorflow/tfjs";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import { expectAssignable, NativeVariable, type Variable } from "./tensorflow/_variable.ts";

export type { Variable } from "./tensorflow/_variable.ts";

/** Named variables, such as the parameters of a policy. */
export type Variables = Readonly<Record<string, Variable>>;

/** Named tensors, such as parameters or their gradients. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

class TensorVariable implements Variable {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: tf.DataType;
  #value: tf.Tensor | undefined;

  constructor(value: tf.Tensor, name: string) {
    this.name = name;
    this.shape = [...value.shape];
    this.dtype = value.dtype;
    this.#value = tf.keep(value.clone());
  }

  read(): tf.Tensor {
    if (this.#value === undefined) {
      throw new Error(`Cannot use variable "${this.name}": it was disposed`);
    }
    return this.#value.clone();
  }

  assign(value: tf.Tensor): void {
    if (this.#value === undefined) {
      throw new Error(`Cannot use variable "${this.name}": it was disposed`);
    }
    expectAssignable(this, value);
    const next = tf.keep(value.clone());
    this.#value.dispose();
    this.#value = next;
  }

  dispose(): void {
    this.#value?.dispose();
    this.#value = undefined;
  }
}

let unnamed = 0;

/**
 * Makes a variable on the engine in use.
 *
 * @param initial Its first value; stays the caller's.
 * @param name How errors and optimiser groups call it. Default: `variable_N`.
 * @returns The variable.
 * @throws {Error} If called inside a compiled function: variables outlive the call, so make them outside.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf, variable } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const weight = variable(tf.zeros([2, 3]), "weight");
 * weight.assign(tf.ones([2, 3]));
 * assert((await weight.read().sum().data())[0] === 6);
 * ```
 */
export function variable(
  initial: tf.Tensor,
  name: string = `variable_${unnamed++}`,
): Variable {
  if (activeTracer() !== undefined) {
    throw new Error(`Cannot make variable "${name}": a compiled function is being traced`);
  }
  const native = nativeBackend();
  return native !== undefined
    ? NativeVariable.create(native, initial, name)
    : new TensorVariable(initial, name);
}

/**
 * Makes one variable for each named tensor.
 *
 * @param initial First values by name; stay the caller's.
 * @returns Variables of the same names, in the same order.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf, variables } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const { weight, bias } = variables({ weight: tf.zeros([2, 3]), bias: tf.zeros([3]) });
 * assert(weight.name === "weight" && bias.shape[0] === 3);
 * ```
 */
export function variables<K extends string>(
  initial: Readonly<Record<K, tf.Tensor>>,
): Record<K, Variable> {
  const made = {} as Record<K, Variable>;
  for (const name of Object.keys(initial) as K[]) made[name] = variable(initial[name], name);
  return made;
}

/**
 * Reads variables.
 *
 * @param all Variables by name.
 * @returns Their values by the same names, as tensors that the caller owns.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { read, startEngine, tf, variables } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const parameters = variables({ bias: tf.ones([3]) });
 * assert(read(parameters).bias.shape[0] === 3);
 * ```
 */
export function read<K extends string>(all: Readonly<Record<K, Variable>>): Record<K, tf.Tensor> {
  const values = {} as Record<K, tf.Tensor>;
  for (const name of Object.keys(all) as K[]) values[name] = all[name].read();
  return values;
}
