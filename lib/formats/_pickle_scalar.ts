import { dtypeOfName } from "./_dtype.ts";
import { toNumber } from "./_pickle_text.ts";
import type { NpyData, NpyInput } from "./npy_types.ts";
import type { NumpyScalar, PickleDtype } from "./pickle_values.ts";

/** The value of an array that holds one element. */
export function scalarValue(dtype: PickleDtype, data: NpyData<PickleDtype>): NumpyScalar["value"] {
  if (dtype === "complex64" || dtype === "complex128") {
    return [data[0] as number, data[1] as number];
  }
  const value = data[0]!;
  if (dtype === "bool") return value === 1;
  return typeof value === "bigint" ? toNumber(value) : value;
}

/** A scalar as an array without axes; undefined when its value is not of its dtype. */
export function scalarElements({ dtype, value }: NumpyScalar): NpyInput | undefined {
  const numeric = dtypeOfName(dtype);
  if (numeric === undefined) {
    return typeof value === "string" ? { dtype, shape: [], data: [value] } : undefined;
  }
  const data = numeric.view(new ArrayBuffer(numeric.bytes), 0, numeric.words);
  const parts = Array.isArray(value) ? value : [value];
  const fits = parts.length === data.length && parts.every((part, i) => {
    if (typeof part === "string") return false;
    if (!/^[biu]/.test(dtype)) {
      data[i] = Number(part);
      return true;
    }
    // Whole numbers wrap around silently where they do not fit.
    if (typeof part === "number" && !Number.isInteger(part)) return false;
    const isBig = data instanceof BigInt64Array || data instanceof BigUint64Array;
    data[i] = isBig ? BigInt(part) : Number(part);
    return BigInt(data[i]!) === BigInt(part);
  });
  return fits ? { dtype, shape: [], data } : undefined;
}
