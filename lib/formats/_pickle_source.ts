import { fail } from "./_fail.ts";

const MIB = 2 ** 20;
/** What small files may always take. */
const FREE_BYTES = 32 * MIB;
/** Estimated bytes of values per byte of the file; one byte can ask for an empty dict. */
const MAX_GROWTH = 64;

/** The bytes of a pickle with a cursor; every read is checked against what is left. */
export class PickleSource {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Start of the opcode being carried out. */
  offset = 0;
  #view: DataView;
  #at = 0;
  #left: number;

  constructor(bytes: Uint8Array, path: string) {
    const { buffer, byteOffset, byteLength } = bytes;
    this.path = path;
    // Not the array itself: slices of Node's Buffer would share its memory.
    this.bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    this.#view = new DataView(buffer, byteOffset, byteLength);
    this.#left = FREE_BYTES + MAX_GROWTH * bytes.length;
  }

  /** Bytes that follow the cursor. */
  get remaining(): number {
    return this.bytes.length - this.#at;
  }

  /** Place of the cursor. */
  get at(): number {
    return this.#at;
  }

  fail(state: string, value: unknown, advice = ""): never {
    const text = String(value);
    const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
    fail(this.path, this.offset, state, shown, advice);
  }

  /** Counts memory that values take, so that a small file cannot ask for a lot of it. */
  charge(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    const limit = FREE_BYTES + MAX_GROWTH * this.bytes.length;
    this.fail(
      "its values should take at most " + Math.round(limit / MIB) + " MiB of memory",
      `${Math.round((limit - this.#left) / MIB)} MiB or more`,
      "No program writes such a file by itself; do not trust it.",
    );
  }

  /** Starts the next opcode and returns its code. */
  opcode(): number {
    this.offset = this.#at;
    return this.u8();
  }

  u8(): number {
    return this.bytes[this.#advance(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A length of 8 bytes; those beyond 2⁵³ are rounded, and lie beyond any file all the same. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  f64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A view of the bytes up to the next newline, which is skipped. */
  line(): Uint8Array<ArrayBuffer> {
    const end = this.bytes.indexOf(10, this.#at);
    if (end < 0) this.fail("a line should end with a newline", "the end of the file");
    const start = this.#at;
    this.#at = end + 1;
    return this.bytes.subarray(start, end);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (length > this.bytes.length - start) {
      this.fail(
        `${length} bytes should follow byte ${start}`,
        this.bytes.length - start,
        "The file was cut short or damaged; copy or write it again.",
      );
    }
    this.#at = start + length;
    return start;
  }
}
