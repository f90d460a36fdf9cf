import { closeSync, openSync, readSync } from "node:fs";

/** A file opened for reading at any place; sizes beyond 4 GB are fine. */
export interface RandomAccessFile extends Disposable {
  /** The path it was opened with. */
  readonly path: string;
  /** Its size when it was opened, in bytes. */
  readonly bytes: number;
  /**
   * Reads `length` bytes that begin at byte `offset`.
   *
   * @throws {SyntaxError} when the file ends before
   */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
  /**
   * Fills `target` with the bytes that begin at byte `offset`.
   *
   * @throws {SyntaxError} when the file ends before
   */
  readInto(target: ArrayBufferView, offset: number): void;
  /** Closes the file; closing twice is harmless. */
  close(): void;
}

/**
 * Opens a file for reads at any place, without a cursor: POSIX `pread`.
 *
 * @param path of the file
 * @returns the open file; close it, or hold it with `using`
 * @throws {Deno.errors.NotFound} when there is none, and the other errors of opening files
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openRandomAccess } from "./random_access_file.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/digits`;
 * Deno.writeTextFileSync(path, "0123456789");
 * using file = openRandomAccess(path);
 * assert.equal(new TextDecoder().decode(file.read(3, 4)), "3456");
 * assert.throws(() => file.read(8, 4), SyntaxError);
 * ```
 */
export function openRandomAccess(path: string): RandomAccessFile {
  const status = Deno.statSync(path); // ten times faster than node's fstat
  if (!status.isFile) {
    throw new TypeError(
      `Cannot read ${path}: it should be a file, current value is a ${
        status.isDirectory ? "folder" : "device or pipe"
      }.`,
    );
  }
  const descriptor = openSync(path, "r");
  let isOpen = true;
  const bytes = status.size;
  const readInto = (target: ArrayBufferView, offset: number) => {
    const { buffer, byteOffset, byteLength } = target;
    if (!isOpen) throw new TypeError(`Cannot read ${path}: it was closed before.`);
    if (offset + byteLength > bytes) tooShort(path, offset, byteLength, bytes);
    const view = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    for (let done = 0; done < byteLength;) {
      // One call moves at most 2³¹ − 1 bytes.
      const length = Math.min(byteLength - done, 2 ** 30);
      const read = readSync(descriptor, view, done, length, offset + done);
      if (read === 0) tooShort(path, offset, byteLength, offset + done);
      done += read;
    }
  };
  const close = () => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  return {
    path,
    bytes,
    read(offset, length) {
      if (offset + length > bytes) tooShort(path, offset, length, bytes);
      const target = new Uint8Array(length);
      readInto(target, offset);
      return target;
    },
    readInto,
    close,
    [Symbol.dispose]: close,
  };
}

function tooShort(path: string, offset: number, length: number, bytes: number): never {
  throw new SyntaxError(
    `Cannot read ${path} at byte ${offset}: ${length} bytes should follow, current value is ${
      Math.max(0, bytes - offset)
    }. The file was cut short; copy or record it again.`,
  );
}
