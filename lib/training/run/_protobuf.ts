/** The few fields of protocol buffers that events need: number of the field, then its value. */

const VARINT = 0, FIXED_64 = 1, BYTES = 2, FIXED_32 = 5; // wire types

/** An unsigned number up to 2⁵³ − 1. */
export function varintField(field: number, value: number): number[] {
  return [...varint(field << 3 | VARINT), ...varint(value)];
}

/** A float64. */
export function doubleField(field: number, value: number): number[] {
  return [...varint(field << 3 | FIXED_64), ...new Uint8Array(Float64Array.of(value).buffer)];
}

/** A float32. */
export function floatField(field: number, value: number): number[] {
  return [...varint(field << 3 | FIXED_32), ...new Uint8Array(Float32Array.of(value).buffer)];
}

/** Bytes, or a message. */
export function bytesField(field: number, bytes: ArrayLike<number>): number[] {
  return [...varint(field << 3 | BYTES), ...varint(bytes.length), ...Array.from(bytes)];
}

/** Text in UTF-8. */
export function textField(field: number, text: string): number[] {
  return bytesField(field, new TextEncoder().encode(text));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}
