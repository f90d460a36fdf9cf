/** The few fields of protocol buffers that logs need: number of the field, then its value. */

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

/** A field of a message: a number, or the bytes of text, messages and numbers of fixed width. */
export interface ProtobufField {
  readonly field: number;
  readonly value: number | Uint8Array;
}

/**
 * The fields of a message in order.
 *
 * @throws {SyntaxError} when the bytes are no message
 */
export function* fieldsOf(message: Uint8Array): Generator<ProtobufField> {
  const bad = () => new SyntaxError("Cannot read a protocol buffer: it ends within a field.");
  let at = 0;
  const next = () => {
    let value = 0;
    for (let scale = 1;; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw bad();
      value += byte % 128 * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = next(), field = Math.floor(key / 8), wire = key % 8;
    if (wire === VARINT) {
      yield { field, value: next() };
      continue;
    }
    const fixed = ({ [FIXED_64]: 8, [FIXED_32]: 4 } as Readonly<Record<number, number>>)[wire];
    if (fixed === undefined && wire !== BYTES) throw bad();
    const length = fixed ?? next();
    if (length > message.length - at) throw bad();
    yield { field, value: message.subarray(at, at += length) };
  }
}
