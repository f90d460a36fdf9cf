import { createHash } from "node:crypto";
import { breathe } from "../episodes/_breathe.ts";
import type { RandomAccessFile } from "../formats/random_access_file.ts";

const BLOCK_BYTES = 4 << 20;

/** SHA-256 of a file, hexadecimal; read a few megabytes at a time. */
export async function fileDigest(file: RandomAccessFile, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const block = new Uint8Array(Math.min(BLOCK_BYTES, file.bytes));
  for (let at = 0; at < file.bytes; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, file.bytes - at));
    file.readInto(part, at);
    hash.update(part);
    await breathe(signal);
  }
  return hash.digest("hex");
}
