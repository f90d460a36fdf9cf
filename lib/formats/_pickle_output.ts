import { OPCODES } from "./_pickle_opcodes.ts";

/** Python closes a frame that has reached this size, and leaves larger data out of frames. */
const FRAME_BYTES = 65536;
const MIN_FRAME_BYTES = 4;
const SCRATCH_BYTES = 16;

/** Protocols that can be written: 2 is all that `torch.load(weights_only=True)` reads. */
export type PickleProtocol = 2 | 4;

/** Opcodes for lengths of 1, 4 and 8 bytes; protocol 2 has not all. */
export type Counted = readonly [short: number | undefined, medium: number, long: number];

/** Collects a pickle as pieces, from protocol 4 on in frames (PEP 3154). Large data are not copied. */
export class PickleOutput {
  readonly #pieces: Uint8Array[];
  readonly #minFrameBytes: number;
  #frame = new Uint8Array(FRAME_BYTES + 1024);
  #length = 0;
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_BYTES));

  constructor(protocol: PickleProtocol) {
    this.#pieces = [new Uint8Array([OPCODES.PROTO, protocol])];
    this.#minFrameBytes = protocol < 4 ? Infinity : MIN_FRAME_BYTES;
  }

  /** Marks a place between two values, where a frame may end. */
  boundary(): void {
    if (this.#length >= FRAME_BYTES) this.#closeFrame();
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#frame[this.#length++] = value;
  }

  u16(value: number): void {
    this.#scratch.setUint16(0, value, true);
    this.#copyScratch(2);
  }

  i32(value: number): void {
    this.#scratch.setInt32(0, value, true);
    this.#copyScratch(4);
  }

  u32(value: number): void {
    this.#scratch.setUint32(0, value, true);
    this.#copyScratch(4);
  }

  u64(value: number): void {
    this.#scratch.setBigUint64(0, BigInt(value), true);
    this.#copyScratch(8);
  }

  f64BigEndian(value: number): void {
    this.#scratch.setFloat64(0, value, false);
    this.#copyScratch(8);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#frame.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** An opcode with a length of 1, 4 or 8 bytes, and so many bytes; large ones outside of frames. */
  counted(opcodes: Counted, bytes: Uint8Array) {
    const { length } = bytes;
    const isLarge = length >= FRAME_BYTES;
    if (isLarge) this.#closeFrame();
    if (length < 256 && opcodes[0] !== undefined) {
      this.byte(opcodes[0]);
      this.byte(length);
    } else if (length < 2 ** 32) {
      this.byte(opcodes[1]);
      this.u32(length);
    } else {
      this.byte(opcodes[2]);
      this.u64(length);
    }
    if (!isLarge) return this.bytes(bytes);
    this.#pieces.push(this.#frame.slice(0, this.#length), bytes);
    this.#length = 0;
  }

  /** Ends the pickle and returns its pieces in order. */
  finish(): readonly Uint8Array[] {
    this.byte(OPCODES.STOP);
    this.#closeFrame();
    return this.#pieces;
  }

  #closeFrame(): void {
    if (this.#length >= this.#minFrameBytes) {
      const header = new DataView(new ArrayBuffer(9));
      header.setUint8(0, OPCODES.FRAME);
      header.setBigUint64(1, BigInt(this.#length), true);
      this.#pieces.push(new Uint8Array(header.buffer));
    }
    if (this.#length > 0) this.#pieces.push(this.#frame.slice(0, this.#length));
    this.#length = 0;
  }

  #copyScratch(bytes: number): void {
    this.bytes(new Uint8Array(this.#scratch.buffer, 0, bytes));
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#frame.length) return;
    const larger = new Uint8Array(2 * (this.#length + bytes));
    larger.set(this.#frame.subarray(0, this.#length));
    this.#frame = larger;
  }
}
