import type { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { crc32, createInflateRaw } from "node:zlib";
import { openRandomAccess } from "./random_access_file.ts";
import { failZip, zipDataOffset, type ZipEntry } from "./zip.ts";

/**
 * The contents of one entry of a zip archive, piece by piece; never more than a few hundred
 * kilobytes in memory. The last piece is given only after size and CRC-32 were compared.
 *
 * @param path of the archive
 * @param entry of its directory
 * @returns the unpacked bytes
 * @throws {SyntaxError} when the data are damaged
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRandomAccess, readZipDirectory, readZipEntry, writeNpz } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/arrays.npz`;
 * writeNpz(path, { zeros: { data: new Uint8Array(100_000) } }, { compressed: true });
 * using file = openRandomAccess(path);
 * let bytes = 0;
 * for await (const piece of readZipEntry(path, readZipDirectory(file)[0]!)) bytes += piece.length;
 * assert.equal(bytes, 128 + 100_000);
 * ```
 */
export async function* readZipEntry(
  path: string,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const start = dataOffset(path, entry);
  let crc = 0, size = 0;
  let held: Uint8Array<ArrayBuffer> | undefined;
  for await (const piece of inflated(path, entry, start)) {
    size += piece.length;
    if (size > entry.size) break;
    crc = crc32(piece, crc);
    if (held !== undefined) yield held;
    held = piece;
  }
  if (size !== entry.size) {
    failZip(path, start, `${entry.name} should hold ${entry.size} bytes`, `${size} or more bytes`);
  }
  if (crc !== entry.crc32) {
    failZip(path, start, `${entry.name} should have the CRC-32 ${hex(entry.crc32)}`, hex(crc));
  }
  if (held !== undefined) yield held;
}

function dataOffset(path: string, entry: ZipEntry): number {
  using file = openRandomAccess(path);
  return zipDataOffset(file, entry);
}

async function* inflated(path: string, entry: ZipEntry, start: number) {
  if (entry.compressedSize === 0) {
    // createReadStream cannot read an empty range.
    if (entry.method === 8) failZip(path, start, `${entry.name} has no deflate data`, "0 bytes");
    return;
  }
  const source = createReadStream(path, {
    start,
    end: start + entry.compressedSize - 1,
    highWaterMark: 1 << 20,
  });
  try {
    if (entry.method === 0) {
      for await (const piece of source) yield plain(piece as Buffer);
      return;
    }
    const inflate = createInflateRaw({ chunkSize: 1 << 18 });
    source.on("error", (error) => inflate.destroy(error));
    source.pipe(inflate);
    for await (const piece of inflate) yield plain(piece as Buffer);
    const used = inflate.bytesWritten;
    if (used !== entry.compressedSize) {
      failZip(path, start, `${entry.name} ends before its data do`, `${used} bytes`);
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
    const code = (error as { code?: string }).code ?? "";
    if (!code.startsWith("Z_") && !code.startsWith("ERR_")) throw error;
    failZip(path, start, `${entry.name} holds damaged deflate data`, (error as Error).message);
  } finally {
    source.destroy();
  }
}

function plain(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}
