import type { RandomAccessFile } from "./random_access_file.ts";

/**
 * Lets bytes in memory stand where an open file is expected.
 *
 * @param bytes which are not copied: what is read later is what they hold then
 * @param name stands in error messages where a path would
 * @returns reads of these bytes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fromBytes } from "./bytes_file.ts";
 *
 * using file = fromBytes(new Uint8Array([1, 2, 3, 4]), "four numbers");
 * assert.deepEqual(file.read(1, 2), new Uint8Array([2, 3]));
 * assert.throws(() => file.read(3, 2), /four numbers at byte 3/);
 * ```
 */
export function fromBytes(bytes: Uint8Array, name: string): RandomAccessFile {
  const readInto = (target: ArrayBufferView, offset: number) => {
    const { buffer, byteOffset, byteLength } = target;
    check(bytes, name, offset, byteLength);
    new Uint8Array(buffer, byteOffset, byteLength)
      .set(bytes.subarray(offset, offset + byteLength));
  };
  return {
    path: name,
    bytes: bytes.byteLength,
    read(offset, length) {
      check(bytes, name, offset, length);
      return bytes.slice(offset, offset + length) as Uint8Array<ArrayBuffer>;
    },
    readInto,
    close() {},
    [Symbol.dispose]() {},
  };
}

function check(bytes: Uint8Array, name: string, offset: number, length: number): void {
  if (offset + length <= bytes.byteLength) return;
  throw new SyntaxError(
    `Cannot read ${name} at byte ${offset}: ${length} bytes should follow, current value is ${
      Math.max(0, bytes.byteLength - offset)
    }. It was cut short.`,
  );
}
