import { type CsvKernel, instantiateKernel, MARGIN } from "./_csv_kernel.ts";
import { MEMORY } from "./_csv_kernel_number.ts";

const PAGE = 65536;
/** A kernel's memory never shrinks: a larger one is not kept. */
const MAX_IDLE_BYTES = 2 ** 24;

/**
 * The quick half of the CSV reader: text and block of rows in the memory of a WebAssembly kernel,
 * which reads rows of plain numbers and stops at the first row that is anything else.
 */
export class PlainRows {
  /** Where {@linkcode run} stopped: the start of a row. */
  position = 0;
  readonly #kernel: CsvKernel;
  /** Byte offsets in the kernel's memory. */
  #valuesAt: number = MEMORY.free;
  #textAt: number = MEMORY.free + MARGIN;
  #textBytes = 0;
  #fields = 0;
  #capacity = 0;
  #trim = 0;
  #text: Uint8Array<ArrayBuffer> = new Uint8Array();
  #values: Float64Array<ArrayBuffer> = new Float64Array();
  static #idle: PlainRows | undefined;

  private constructor() {
    this.#kernel = instantiateKernel();
  }

  /** The one that nobody uses, if there is one, for a text of `bytes`; give it back. */
  static take(bytes: number): PlainRows {
    const taken = PlainRows.#idle ?? new PlainRows();
    PlainRows.#idle = undefined;
    taken.#fields = 0;
    taken.#layOut(MEMORY.free, 0, bytes);
    return taken;
  }

  giveBack(): void {
    const isSmall = this.#kernel.memory.buffer.byteLength <= MAX_IDLE_BYTES;
    if (isSmall) PlainRows.#idle = this;
  }

  /** The text; every {@linkcode start} and {@linkcode grow} replaces the array. */
  get text(): Uint8Array<ArrayBuffer> {
    return this.#text;
  }

  /** Prepares for rows of these fields, and blocks of `capacity` rows. */
  start(slots: Int32Array, columns: number, capacity: number, trim: boolean): void {
    this.#trim = trim ? 1 : 0;
    this.#fields = slots.length;
    this.#capacity = capacity;
    const valuesAt = Math.ceil((MEMORY.free + 4 * slots.length) / 16) * 16;
    this.#layOut(valuesAt, columns * capacity, this.#textBytes);
    new Int32Array(this.#kernel.memory.buffer, MEMORY.free, slots.length)
      .set(slots.map((slot) => slot < 0 ? 0 : valuesAt + 8 * slot * capacity));
  }

  /**
   * Reads rows between two places of the text, the second behind a line break.
   *
   * @returns rows in the block then, of which `row` were there before
   */
  run(start: number, end: number, row: number): number {
    const { rows, memory } = this.#kernel;
    const planEnd = MEMORY.free + 4 * this.#fields, text = this.#textAt;
    const read = rows(
      text + start,
      text + end,
      row,
      this.#capacity,
      MEMORY.free,
      planEnd,
      this.#trim,
    );
    this.position = new Int32Array(memory.buffer, MEMORY.position, 1)[0]! - text;
    return read;
  }

  /** Puts a number into the block. */
  set(slot: number, row: number, value: number): void {
    this.#values[slot * this.#capacity + row] = value;
  }

  /** A column of the block. */
  column(slot: number, rows: number): Float64Array<ArrayBuffer> {
    return this.#values.subarray(slot * this.#capacity, slot * this.#capacity + rows);
  }

  /** Makes room for twice the text. */
  grow(): void {
    this.#layOut(this.#valuesAt, this.#values.length, 2 * this.#textBytes);
  }

  #layOut(valuesAt: number, values: number, textBytes: number): void {
    const { memory } = this.#kernel;
    const textAt = valuesAt + 8 * values + MARGIN;
    const missing = textAt + textBytes + MARGIN - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    const kept = Math.min(this.#textBytes, textBytes);
    new Uint8Array(memory.buffer).copyWithin(textAt, this.#textAt, this.#textAt + kept);
    [this.#valuesAt, this.#textAt, this.#textBytes] = [valuesAt, textAt, textBytes];
    this.#text = new Uint8Array(memory.buffer, textAt, textBytes);
    this.#values = new Float64Array(memory.buffer, valuesAt, values);
  }
}
