/** Elements along each side of a block that stays in the processor's first cache. */
const BLOCK = 32;

type Words = Uint8Array | Uint16Array | Uint32Array;

/**
 * Brings an array from Fortran order (first axis fastest) into C order (last axis fastest).
 *
 * @param buffer elements one after another; its contents are lost
 * @param shape of the array
 * @param bytes of one element
 * @returns the same elements in C order; `buffer` itself where both orders agree
 */
export function fortranToC(
  buffer: ArrayBuffer,
  shape: readonly number[],
  bytes: number,
): ArrayBuffer {
  const axes = shape.filter((size) => size !== 1);
  if (axes.length < 2 || buffer.byteLength === 0) return buffer;
  const word = bytes % 4 === 0 ? 4 : bytes % 2 === 0 ? 2 : 1;
  const View = word === 4 ? Uint32Array : word === 2 ? Uint16Array : Uint8Array;
  const words = bytes / word;
  const move = words === 1 ? moveWords : words === 2 ? movePairs : moveGroups;
  let from: Words = new View(buffer), to: Words = new View(buffer.byteLength / word);
  // One axis at a time: [rest][axis] becomes [axis][rest], then each part of it likewise.
  let parts = 1, part = from.length / words;
  for (const size of axes.slice(0, -1)) {
    const rest = part / size;
    for (let i = 0; i < parts; i++) move(from, to, i * part, rest, size, words);
    [from, to] = [to, from];
    parts *= size;
    part = rest;
  }
  return from.buffer as ArrayBuffer;
}

/** Each turns `rows` × `columns` elements from element `start` into `columns` × `rows`. */
type Move = (
  from: Words,
  to: Words,
  start: number,
  rows: number,
  columns: number,
  words: number,
) => void;

const moveWords: Move = (from, to, start, rows, columns) => {
  for (let row0 = 0; row0 < rows; row0 += BLOCK) {
    const rowEnd = Math.min(row0 + BLOCK, rows);
    for (let column0 = 0; column0 < columns; column0 += BLOCK) {
      const columnEnd = Math.min(column0 + BLOCK, columns);
      for (let column = column0; column < columnEnd; column++) {
        const target = start + column * rows;
        for (let row = row0; row < rowEnd; row++) {
          to[target + row] = from[start + row * columns + column]!;
        }
      }
    }
  }
};

const movePairs: Move = (from, to, start, rows, columns) => {
  for (let row0 = 0; row0 < rows; row0 += BLOCK) {
    const rowEnd = Math.min(row0 + BLOCK, rows);
    for (let column0 = 0; column0 < columns; column0 += BLOCK) {
      const columnEnd = Math.min(column0 + BLOCK, columns);
      for (let column = column0; column < columnEnd; column++) {
        const target = start + column * rows;
        for (let row = row0; row < rowEnd; row++) {
          const source = 2 * (start + row * columns + column);
          to[2 * (target + row)] = from[source]!;
          to[2 * (target + row) + 1] = from[source + 1]!;
        }
      }
    }
  }
};

const moveGroups: Move = (from, to, start, rows, columns, words) => {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const source = words * (start + row * columns + column);
      const target = words * (start + column * rows + row);
      for (let i = 0; i < words; i++) to[target + i] = from[source + i]!;
    }
  }
};
