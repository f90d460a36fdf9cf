/** Whether two programs hold the same numbers. */
import { crc32 } from "node:zlib";

/** CRC-32 of an array's bytes, as `zlib.crc32` of Python has it. */
export function checksum({ buffer, byteOffset, byteLength }: ArrayBufferView): number {
  return crc32(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
}
