/** Named values that a step updates in place. */
import * as tf from "@tensorflow/tfjs";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import { dtypeOf, type TensorFlowBackend } from "./tensorflow/_backend.ts";
import { ATTR } from "./tensorflow/_attributes.ts";

/**
 * A named tensor that can be assigned. On the native engine it is a TensorFlow resource variable,
 * updated in place inside compiled functions; on the other engines it holds a tfjs tensor.
 */
export interface Variable {
  /** The name it was made with. */
  readonly name: string;
  /** Its shape, which never changes. */
  readonly shape: number[];
  /** Its dtype, which never changes. */
  readonly dtype: tf.DataType;
  /** Its value now, as a tensor that the caller owns; later assignments do not change that tensor. */
  read(): tf.Tensor;
  /**
   * Replaces the value.
   *
   * @param value A tensor of the same shape and dtype; stays the caller's.
   * @throws {TypeError} If shape or dtype differ.
   */
  assign(value: tf.Tensor): void;
  /** Frees the memory. Compiled functions that use the variable then throw. */
  dispose(): void;
}

/** Named variables, such as the parameters of a policy. */
export type Variables = Readonly<Record<string, Variable>>;

/** Named tensors, such as parameters or their gradients. */
export type NamedTensors = Readonly<Record<string, tf.Tensor>>;

function expectSame(variable: Variable, value: tf.Tensor): void {
  if (value.dtype !== variable.dtype || !tf.util.arraysEqual(value.shape, variable.shape)) {
    throw new TypeError(
      `Cannot assign variable "${variable.name}": it is ${variable.dtype}[${variable.shape}], current value is ${value.dtype}[${value.shape}]`,
    );
  }
}

class NativeVariable implements Variable {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: tf.DataType;
  readonly #native: TensorFlowBackend;
  readonly #resource: number;
  readonly #type: { name: string; type: number; value: number };
  #disposed = false;

  constructor(native: TensorFlowBackend, value: tf.Tensor, name: string) {
    this.name = name;
    this.shape = [...value.shape];
    this.dtype = value.dtype;
    this.#native = native;
    const dtype = dtypeOf(native.binding, value);
    this.#type = { name: "dtype", type: ATTR.type, value: dtype };
    // This reserved name gives each handle a variable of its own, freed with its last handle.
    const anonymous = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";
    const [handle] = native.binding.execute("VarHandleOp", [
      this.#type,
      { name: "shape", type: ATTR.shape, value: this.shape },
      { name: "shared_name", type: ATTR.string, value: anonymous },
    ], [], 1);
    this.#resource = handle!.id;
    native.variables.set(this.#resource, { shape: this.shape, dtype });
    native.binding.execute("AssignVariableOp", [this.#type], [
      this.#resource,
      ...native.ids([value]),
    ], 0);
  }

  read(): tf.Tensor {
    const [output] = this.#native.binding.executeOp(
      "ReadVariableOp",
      [this.#type],
      [this.#live()],
      1,
    );
    return this.#native.tensor(output!);
  }

  assign(value: tf.Tensor): void {
    expectSame(this, value);
    this.#native.binding.executeOp("AssignVariableOp", [this.#type], [
      this.#live(),
      ...this.#native.ids([value]),
    ], 0);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#native.variables.delete(this.#resource);
    this.#native.binding.tensors.delete(this.#resource);
  }

  #live(): number {
    if (this.#disposed) {
      throw new Error(`Cannot use variable "${this.name}": it was disposed`);
    }
    return this.#resource;
  }
}

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
    expectSame(this, value);
    const next = tf.keep(value.clone());
    this.#value?.dispose();
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
 * import { startEngine, tf, variable } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const weight = variable(tf.zeros([2, 3]), "weight");
 * weight.assign(tf.ones([2, 3]));
 * console.assert((await weight.read().sum().data())[0] === 6);
 * ```
 */
export function variable(initial: tf.Tensor, name = `variable_${unnamed++}`): Variable {
  if (activeTracer() !== undefined) {
    throw new Error(`Cannot make variable "${name}": a compiled function is being traced`);
  }
  const native = nativeBackend();
  return native !== undefined
    ? new NativeVariable(native, initial, name)
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
 * import { startEngine, tf, variables } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const { weight, bias } = variables({ weight: tf.zeros([2, 3]), bias: tf.zeros([3]) });
 * console.assert(weight.name === "weight" && bias.shape[0] === 3);
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
 * import { read, startEngine, tf, variables } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const parameters = variables({ bias: tf.ones([3]) });
 * console.assert(read(parameters).bias.shape[0] === 3);
 * ```
 */
export function read<K extends string>(all: Readonly<Record<K, Variable>>): Record<K, tf.Tensor> {
  const values = {} as Record<K, tf.Tensor>;
  for (const name of Object.keys(all) as K[]) values[name] = all[name].read();
  return values;
}
