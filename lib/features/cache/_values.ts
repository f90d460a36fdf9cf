import { narrowToBfloat16, widenBfloat16 } from "../../formats/bfloat16.ts";
import type { FeatureDtype } from "../extractor.ts";

/** Bytes of one value. */
export const BYTES: Readonly<Record<FeatureDtype, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
};

/** Little-endian bytes of values; a value beyond the type's range becomes infinite. */
export function encodeValues(values: Float32Array<ArrayBuffer>, dtype: FeatureDtype): Uint8Array {
  const array = dtype === "float32"
    ? values
    : dtype === "float16"
    ? new Float16Array(values)
    : narrowToBfloat16(values);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Values of little-endian bytes that begin at a multiple of 4. */
export function decodeValues(
  { buffer, byteOffset }: Uint8Array<ArrayBuffer>,
  dtype: FeatureDtype,
  target: Float32Array<ArrayBuffer>,
): void {
  const { length } = target;
  if (dtype === "float32") target.set(new Float32Array(buffer, byteOffset, length));
  else if (dtype === "float16") target.set(new Float16Array(buffer, byteOffset, length));
  else widenBfloat16(new Uint16Array(buffer, byteOffset, length), target);
}
