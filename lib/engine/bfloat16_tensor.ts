/** Constant tensors that stay in bfloat16, half the memory of float32. */
import * as tf from "@tensorflow/tfjs";
import { hasBfloat16, isBfloat16Fast } from "./_bfloat16.ts";
import { activeTracer, nativeBackend } from "./tensorflow/_active.ts";
import { ATTR, type Attribute } from "./tensorflow/_attributes.ts";
import type { TensorFlowBackend } from "./tensorflow/_backend.ts";
import { DT } from "./tensorflow/_dtypes.ts";

/**
 * A constant in bfloat16 on the native engine, which tfjs has no dtype for: weights that are read and
 * not trained. Compiled functions capture it like any tensor.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Bfloat16Tensor, nativeBfloat16, startEngine, tf } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * if (nativeBfloat16()) {
 *   const matrix = Bfloat16Tensor.written([1, 2], (bits) => bits.set([0x3f80, 0x4000])); // 1, 2
 *   const product = matrix.linear(tf.tensor2d([[3, -2]]), "float32");
 *   assert.deepEqual(await product.data(), new Float32Array([-1]));
 *   matrix.dispose();
 * }
 * ```
 */
export class Bfloat16Tensor {
  /** Its shape. */
  readonly shape: readonly number[];
  readonly #native: TensorFlowBackend;
  #id: number | undefined;

  private constructor(native: TensorFlowBackend, id: number, shape: readonly number[]) {
    this.#native = native;
    this.#id = id;
    this.shape = shape;
  }

  /**
   * Makes one without a copy of its values in JavaScript.
   *
   * @param shape Its shape.
   * @param write Called once with the bits of all values, which it must set.
   * @returns The tensor; the caller disposes of it.
   * @throws {Error} If the engine is not the native one, or a function is being traced.
   */
  static written(
    shape: readonly number[],
    write: (bits: Uint16Array<ArrayBuffer>) => void,
  ): Bfloat16Tensor {
    const native = needNative("make a bfloat16 tensor");
    const id = native.binding.tensors.createWritten(
      shape,
      DT.bfloat16,
      ({ buffer, byteOffset, byteLength }) =>
        write(new Uint16Array(buffer, byteOffset, byteLength / 2)),
    );
    return new Bfloat16Tensor(native, id, [...shape]);
  }

  /**
   * Rounds a float32 tensor.
   *
   * @param tensor float32; stays the caller's.
   * @returns Its values, rounded to the nearest; the caller disposes of it.
   */
  static from(tensor: tf.Tensor): Bfloat16Tensor {
    const native = needNative("make a bfloat16 tensor");
    const [output] = native.binding.executeOp(
      "Cast",
      cast(DT.float32, DT.bfloat16),
      native.ids([tensor]),
      1,
    );
    return new Bfloat16Tensor(native, output!.id, [...tensor.shape]);
  }

  /**
   * The values in float32, which holds each exactly.
   *
   * @returns A tensor, which the caller owns.
   */
  toFloat32(): tf.Tensor {
    return this.#widened(this.#handle, false);
  }

  /**
   * Rows of a matrix.
   *
   * @param indices int32 of any shape.
   * @returns `(...indices, columns)` in float32.
   */
  gatherRows(indices: tf.Tensor): tf.Tensor {
    const axis = tf.scalar(0, "int32");
    const id = this.#run("GatherV2", [
      { name: "batch_dims", type: ATTR.int, value: 0 },
      type("Tparams", DT.bfloat16),
      type("Tindices", DT.int32),
      type("Taxis", DT.int32),
    ], [this.#handle, ...this.#native.ids([indices, axis])]);
    axis.dispose();
    return this.#widened(id, true);
  }

  /**
   * The product `x · thisᵀ`, as of a linear layer whose matrix is `(out, in)`; gradients flow to `x`
   * only.
   *
   * @param x float32 matrix, `(rows, in)`.
   * @param precision Of the product: `bfloat16` rounds `x` and the result, sums in float32, and is
   * fast where the device has such instructions; elsewhere it is computed as `float32`.
   * @returns float32 matrix, `(rows, out)`.
   */
  linear(x: tf.Tensor, precision: "bfloat16" | "float32"): tf.Tensor {
    const narrow = precision === "bfloat16" && hasBfloat16(this.#native.binding);
    const multiply = (left: tf.Tensor, transposed: boolean) =>
      narrow ? this.#narrowProduct(left, transposed) : this.#wideProduct(left, transposed);
    const withGradient = tf.customGrad((input) => ({
      value: multiply(input as tf.Tensor, true),
      gradFunc: (dy: tf.Tensor) => multiply(dy, false),
    }));
    return withGradient(x);
  }

  /** Frees the memory. Compiled functions that use the tensor keep it until they are disposed of. */
  dispose(): void {
    if (this.#id === undefined) return;
    this.#native.binding.deleteTensor(this.#id);
    this.#id = undefined;
  }

  get #handle(): number {
    if (this.#id === undefined) {
      throw new Error("Cannot use a bfloat16 tensor: it was disposed");
    }
    if (tf.getBackend() !== "tensorflow") {
      throw new Error(
        `Cannot use a bfloat16 tensor: it belongs to the engine tensorflow, current value is ${tf.getBackend()}`,
      );
    }
    return this.#id;
  }

  #narrowProduct(x: tf.Tensor, transposed: boolean): tf.Tensor {
    const narrow = this.#run("Cast", cast(DT.float32, DT.bfloat16), this.#native.ids([x]));
    const product = this.#run("MatMul", [
      T,
      { name: "transpose_a", type: ATTR.bool, value: false },
      { name: "transpose_b", type: ATTR.bool, value: transposed },
    ], [narrow, this.#handle]);
    this.#native.binding.deleteTensor(narrow);
    return this.#widened(product, true);
  }

  #wideProduct(x: tf.Tensor, transposed: boolean): tf.Tensor {
    return tf.tidy(() =>
      tf.matMul(x as tf.Tensor2D, this.#widenedAfter(x) as tf.Tensor2D, false, transposed)
    );
  }

  /** Widened when `x` is there and not before: the executor would widen all matrices at once. */
  #widenedAfter(x: tf.Tensor): tf.Tensor {
    const tracer = activeTracer(), widen = () => this.toFloat32();
    return tracer === undefined ? widen() : tracer.after(this.#native.ids([x]), widen);
  }

  #widened(id: number, own: boolean): tf.Tensor {
    const { binding } = this.#native;
    const [output] = binding.executeOp("Cast", cast(DT.bfloat16, DT.float32), [id], 1);
    if (own) binding.deleteTensor(id);
    return this.#native.tensor(output!);
  }

  #run(op: string, attributes: readonly Attribute[], inputs: readonly number[]): number {
    return this.#native.binding.executeOp(op, attributes, inputs, 1)[0]!.id;
  }
}

/**
 * Whether the engine in use can hold {@link Bfloat16Tensor}s.
 *
 * @returns True on the native engine.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { nativeBfloat16, startEngine } from "trocar/engine";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * assert(!nativeBfloat16());
 * ```
 */
export function nativeBfloat16(): boolean {
  return nativeBackend() !== undefined;
}

/**
 * Whether the device in use multiplies faster in bfloat16 than in float32. A CPU with bfloat16
 * instructions but without matrix units (AMX) does not.
 *
 * @returns True on a GPU and on a CPU with AMX; false on other engines.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isBfloat16Faster, startEngine } from "trocar/engine";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * assert(!isBfloat16Faster());
 * ```
 */
export function isBfloat16Faster(): boolean {
  const native = nativeBackend();
  return native !== undefined && isBfloat16Fast(native.binding);
}

/**
 * Makes a float32 tensor; on the native engine without a copy of its values in JavaScript.
 *
 * @param shape Its shape.
 * @param write Called once with the memory of all values, which it must set.
 * @returns The tensor, which the caller owns.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, writtenTensor } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const ones = writtenTensor([2, 3], (values) => values.fill(1));
 * assert((await ones.sum().data())[0] === 6);
 * ```
 */
export function writtenTensor(
  shape: readonly number[],
  write: (values: Float32Array<ArrayBuffer>) => void,
): tf.Tensor {
  const native = nativeBackend();
  if (native === undefined || activeTracer() !== undefined) {
    const values = new Float32Array(tf.util.sizeFromShape([...shape]));
    write(values);
    return tf.tensor(values, [...shape]);
  }
  const { tensors } = native.binding;
  const id = tensors.createWritten(
    shape,
    DT.float32,
    ({ buffer, byteOffset, byteLength }) =>
      write(new Float32Array(buffer, byteOffset, byteLength / 4)),
  );
  return native.tensor(tensors.metadata(id));
}

const T: Attribute = type("T", DT.bfloat16);

function type(name: string, value: number): Attribute {
  return { name, type: ATTR.type, value };
}

function cast(from: number, to: number): Attribute[] {
  return [
    type("SrcT", from),
    type("DstT", to),
    { name: "Truncate", type: ATTR.bool, value: false },
  ];
}

function needNative(what: string): TensorFlowBackend {
  const native = nativeBackend();
  if (native === undefined || activeTracer() !== undefined) {
    throw new Error(
      `Cannot ${what}: it needs the native engine outside of a compiled function, current value is ` +
        `${native === undefined ? tf.getBackend() : "a function being traced"}`,
    );
  }
  return native;
}
