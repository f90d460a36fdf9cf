import { crc32 } from "node:zlib";
import { reverseWords } from "./_byte_order.ts";
import { TENSOR_DTYPES } from "./_tensor_dtype.ts";
import type { RandomAccessFile } from "./random_access_file.ts";
import type { TensorDtype } from "./tensor_types.ts";
import type { TorchStorage } from "./torch_values.ts";
import { failZip, zipDataOffset, type ZipEntry } from "./zip.ts";

/** Bytes held at a time where a storage is copied; a multiple of every element. */
const PIECE = 4 * 2 ** 20;

/** How the records of an archive were written. */
export interface RecordForm {
  /** Whether the highest byte of a number comes first. */
  readonly bigEndian: boolean;
  /**
   * Whether the archive holds CRC-32s; `torch.serialization.set_crc32_options(False)` leaves all of
   * them out.
   */
  readonly hasCrc: boolean;
}

/** A storage that lies in an archive, where it is read in place. */
export class TorchRecord implements TorchStorage {
  readonly key: string;
  readonly dtype: TensorDtype | undefined;
  readonly location: string;
  readonly #file: RandomAccessFile;
  readonly #entry: ZipEntry;
  readonly #form: RecordForm;
  #start: number | undefined;

  constructor(
    file: RandomAccessFile,
    entry: ZipEntry,
    form: RecordForm,
    of: Pick<TorchStorage, "key" | "dtype" | "location">,
  ) {
    this.key = of.key;
    this.dtype = of.dtype;
    this.location = of.location;
    this.#file = file;
    this.#entry = entry;
    this.#form = form;
  }

  get path(): string {
    return `${this.#file.path}, record ${this.#entry.name}`;
  }

  get bytes(): number {
    return this.#entry.size;
  }

  readInto(target: Uint8Array<ArrayBuffer>, offset: number): void {
    this.#file.readInto(target, this.#place + offset);
    if (target.length === this.bytes) this.#check(crc32(target));
    this.#toNative(target);
  }

  *pieces(): Generator<Uint8Array<ArrayBuffer>, void, void> {
    const buffer = new Uint8Array(Math.min(PIECE, this.bytes));
    let crc = 0;
    for (let done = 0; done < this.bytes; done += buffer.length) {
      const piece = buffer.subarray(0, this.bytes - done);
      this.#file.readInto(piece, this.#place + done);
      crc = crc32(piece, crc);
      if (done + piece.length === this.bytes) this.#check(crc);
      this.#toNative(piece);
      yield piece;
    }
  }

  /** Byte offset in the file, known once its local header was checked. */
  get #place(): number {
    return this.#start ??= zipDataOffset(this.#file, this.#entry);
  }

  #check(crc: number): void {
    if (this.#form.hasCrc) checkCrc(this.#file, this.#entry, this.#place, crc);
  }

  #toNative({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): void {
    if (!this.#form.bigEndian || this.dtype === undefined) return;
    reverseWords(buffer, byteOffset, byteLength, TENSOR_DTYPES[this.dtype].wordBytes);
  }
}

/** Pieces between two looks at the signal. */
const PIECES_AT_ONCE = 8;

/** Reads all of a storage, which compares its CRC-32. */
export async function verifyStorage(
  storage: Pick<TorchStorage, "pieces">,
  signal: AbortSignal | undefined,
): Promise<void> {
  let pieces = 0;
  for (const _ of storage.pieces()) {
    if (++pieces % PIECES_AT_ONCE !== 0) continue;
    await new Promise<void>((done) => setTimeout(done)); // microtasks let no signal through
    signal?.throwIfAborted();
  }
  signal?.throwIfAborted();
}

/** Ends the reading of a record that is not as it was written. */
export function checkCrc(
  { path }: RandomAccessFile,
  { name, crc32: expected }: ZipEntry,
  start: number,
  crc: number,
): void {
  if (crc === expected) return;
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  failZip(path, start, `${name} should have the CRC-32 ${hex(expected)}`, hex(crc));
}
