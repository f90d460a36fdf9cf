import type { TensorArray } from "./tensor_types.ts";

/** Quiet, whatever it was before. */
const NAN = 0x7fc0;
/** What is larger, without the sign, is not a number. */
const INFINITY = 0x7f800000;

/**
 * bfloat16 as float32, which holds each of them exactly.
 *
 * @param bits of bfloat16, one word each
 * @param target takes the values. Default: new memory
 * @returns `target`
 * @throws {RangeError} when `target` is shorter than `bits`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { widenBfloat16 } from "./bfloat16.ts";
 *
 * assert.deepEqual(widenBfloat16(new Uint16Array([0x3f80, 0xc040])), new Float32Array([1, -3]));
 * ```
 */
export function widenBfloat16(
  bits: Uint16Array,
  target: Float32Array<ArrayBuffer> = new Float32Array(bits.length),
): Float32Array<ArrayBuffer> {
  checkLength(bits.length, target.length);
  const words = new Uint32Array(target.buffer, target.byteOffset, bits.length);
  for (let i = 0; i < words.length; i++) words[i] = bits[i]! << 16;
  return target;
}

/**
 * float32 as bfloat16: rounded to the nearest, halves to the even one, as PyTorch does;
 * what is not a number stays none.
 *
 * @param values in float32
 * @param target takes the bits, one word each. Default: new memory
 * @returns `target`
 * @throws {RangeError} when `target` is shorter than `values`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { narrowToBfloat16, widenBfloat16 } from "./bfloat16.ts";
 *
 * const rounded = widenBfloat16(narrowToBfloat16(new Float32Array([1.00390625, 1.01171875, 1e39])));
 * assert.deepEqual(rounded, new Float32Array([1, 1.015625, Infinity]));
 * ```
 */
export function narrowToBfloat16(
  values: Float32Array<ArrayBuffer>,
  target: Uint16Array<ArrayBuffer> = new Uint16Array(values.length),
): Uint16Array<ArrayBuffer> {
  checkLength(values.length, target.length);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNan = (word & 0x7fffffff) > INFINITY;
    target[i] = isNan ? NAN : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return target;
}

/**
 * The values of a tensor as float32, whatever real dtype it has.
 *
 * @param tensor of any dtype but complex and 8-bit floats
 * @returns the values; for float32 the same memory, not a copy. Whole numbers beyond 2²⁴ and float64
 * are rounded
 * @throws {TypeError} when the dtype has no such values
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toFloat32 } from "./bfloat16.ts";
 *
 * const tensor = { dtype: "bfloat16", shape: [2], data: new Uint16Array([0x3f80, 0]) } as const;
 * assert.deepEqual(toFloat32(tensor), new Float32Array([1, 0]));
 * ```
 */
export function toFloat32(tensor: TensorArray): Float32Array<ArrayBuffer> {
  const { dtype, data } = tensor;
  if (/^complex|^float8/.test(dtype)) {
    throw new TypeError(
      `Cannot convert the tensor to float32: it should hold real numbers of 16 bits or more, ` +
        `current value is ${dtype}.`,
    );
  }
  if (dtype === "bfloat16") return widenBfloat16(data);
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float32Array.from(data, Number);
  }
  return new Float32Array(data);
}

function checkLength(length: number, target: number): void {
  if (target >= length) return;
  throw new RangeError(
    `Cannot convert bfloat16: the target should hold ${length} values, current value is ${target}.`,
  );
}
