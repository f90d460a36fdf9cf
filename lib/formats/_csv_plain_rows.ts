export class PlainRows {
  text: Uint8Array<ArrayBuffer>;
  position = 0;
  #values = new Float64Array();
  #capacity = 0;
  static take(bytes: number): PlainRows {
    return new PlainRows(bytes);
  }
  constructor(bytes: number) {
    this.text = new Uint8Array(bytes);
  }
  start(_slots: Int32Array, columns: number, capacity: number, _trim: boolean) {
    this.#capacity = capacity;
    this.#values = new Float64Array(columns * capacity);
  }
  run(start: number, _end: number, row: number): number {
    this.position = start;
    return row;
  }
  set(slot: number, row: number, value: number) {
    this.#values[slot * this.#capacity + row] = value;
  }
  column(slot: number, rows: number): Float64Array {
    return this.#values.subarray(slot * this.#capacity, slot * this.#capacity + rows);
  }
  grow() {
    const text = new Uint8Array(2 * this.text.length);
    text.set(this.text);
    this.text = text;
  }
  giveBack() {}
}
