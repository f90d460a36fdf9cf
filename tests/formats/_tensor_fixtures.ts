import { fileURLToPath } from "node:url";

/** What PyTorch holds: the elements' bytes in C order, little-endian, in hexadecimal. */
export interface TensorContent {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: string;
}

/** A tensor in a form in which `deepEqual` tells all bits apart. */
export function content(
  { dtype, shape, data }: {
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly data: ArrayBufferView;
  },
): TensorContent {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { dtype, shape: [...shape], bytes: bytes.toHex() };
}

/** Path of a recorded file. */
export function formatFixture(name: string): string {
  return fileURLToPath(new URL(`../../data-fixtures/formats/${name}`, import.meta.url));
}

/** Changes some bytes, or cuts out, doubles or takes in a stretch, within `from` to `to`. */
export function mutate(
  bytes: Uint8Array<ArrayBuffer>,
  other: Uint8Array<ArrayBuffer>,
  below: (limit: number) => number,
  from = 0,
  to = bytes.length,
): Uint8Array<ArrayBuffer> {
  let mutant = bytes.slice();
  for (let left = below(3); left >= 0; left--) {
    const end = Math.min(to, mutant.length);
    if (end <= from) return mutant;
    const at = from + below(end - from), length = below(Math.min(40, mutant.length - at)) + 1;
    const start = below(other.length);
    const kind = below(7);
    if (kind === 0) mutant[at] = below(256);
    else if (kind === 1) mutant[at]! ^= 1 << below(8);
    else if (kind === 2) mutant[at] = EDGES[below(EDGES.length)]!;
    else if (kind === 3) mutant = splice(mutant, at, length, new Uint8Array());
    else if (kind === 4) mutant = splice(mutant, at, 0, mutant.subarray(at, at + length));
    else if (kind === 5) mutant = splice(mutant, at, 0, other.subarray(start, start + length));
    else mutant = splice(mutant, at, 1, new Uint8Array([0x30 + below(10)]));
  }
  return mutant;
}

const EDGES = [...'\0\xff\x7f\x80"{}[]:,0129-.e \\(}t.QRcb'].map((character) =>
  character.charCodeAt(0)
);

/** Replaces `length` bytes. */
export function splice(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  length: number,
  insert: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length - length + insert.length);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(at + length), at + insert.length);
  return result;
}
