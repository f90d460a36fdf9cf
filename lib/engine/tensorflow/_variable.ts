/** Variables as TensorFlow resources. */
import * as tf from "@tensorflow/tfjs";
import { ATTR } from "./_attributes.ts";
import type { TensorFlowBackend } from "./_backend.ts";
import { dtypeOf } from "./_kernels.ts";

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

/**
 * Checks a value against the variable it is for.
 *
 * @throws {TypeError} If shape or dtype differ.
 */
export function expectAssignable(variable: Variable, value: tf.Tensor): void {
  if (value.dtype !== variable.dtype || !tf.util.arraysEqual(value.shape, variable.shape)) {
    throw new TypeError(
      `Cannot assign variable "${variable.name}": it is ${variable.dtype}[${variable.shape}], current value is ${value.dtype}[${value.shape}]`,
    );
  }
}

/** This reserved name gives each handle a variable of its own, freed with its last handle. */
const ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347";

/** A variable behind a resource handle, or behind a resource that is an input of a traced function. */
export class NativeVariable implements Variable {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: tf.DataType;
  readonly #native: TensorFlowBackend;
  #resource: number | undefined;

  /**
   * @param native The native backend.
   * @param resource Id of the resource.
   * @param like Name, shape and dtype.
   */
  constructor(
    native: TensorFlowBackend,
    resource: number,
    like: { readonly name: string; readonly shape: readonly number[]; readonly dtype: tf.DataType },
  ) {
    this.#native = native;
    this.#resource = resource;
    this.name = like.name;
    this.shape = [...like.shape];
    this.dtype = like.dtype;
  }

  /** Makes a resource that holds a value. */
  static create(native: TensorFlowBackend, value: tf.Tensor, name: string): NativeVariable {
    const dtype = dtypeOf(value);
    const [handle] = native.binding.execute(
      "VarHandleOp",
      [
        { name: "dtype", type: ATTR.type, value: dtype },
        { name: "shape", type: ATTR.shape, value: value.shape },
        { name: "shared_name", type: ATTR.string, value: ANONYMOUS },
      ],
      [],
      1,
    );
    const made = new NativeVariable(native, handle!.id, {
      name,
      shape: value.shape,
      dtype: value.dtype,
    });
    native.variables.set(handle!.id, { name, shape: made.shape, dtype });
    made.assign(value);
    return made;
  }

  /** The id of the resource. */
  get resource(): number {
    if (this.#resource === undefined) {
      throw new Error(`Cannot use variable "${this.name}": it was disposed`);
    }
    if (tf.getBackend() !== "tensorflow") {
      throw new Error(
        `Cannot use variable "${this.name}": it belongs to the engine tensorflow, current value is ${tf.getBackend()}`,
      );
    }
    return this.#resource;
  }

  read(): tf.Tensor {
    const { binding } = this.#native;
    const [output] = binding.executeOp("ReadVariableOp", [this.#type()], [this.resource], 1);
    return this.#native.tensor(output!);
  }

  assign(value: tf.Tensor): void {
    expectAssignable(this, value);
    const inputs = [this.resource, ...this.#native.ids([value])];
    this.#native.binding.executeOp("AssignVariableOp", [this.#type()], inputs, 0);
  }

  dispose(): void {
    if (this.#resource === undefined) return;
    this.#native.variables.delete(this.#resource);
    this.#native.binding.tensors.delete(this.#resource);
    this.#resource = undefined;
  }

  #type(): { name: string; type: number; value: number } {
    return { name: "dtype", type: ATTR.type, value: dtypeOf(this) };
  }
}
