/** Reverses the bytes of each word of 2, 4 or 8 bytes, in place. */
export function reverseWords(buffer: ArrayBuffer, offset: number, bytes: number, word: number) {
  if (word === 2) {
    const view = new Uint16Array(buffer, offset, bytes / 2);
    for (let i = 0; i < view.length; i++) view[i] = reversed16(view[i]!);
  } else if (word === 4) {
    const view = new Uint32Array(buffer, offset, bytes / 4);
    for (let i = 0; i < view.length; i++) view[i] = reversed32(view[i]!);
  } else if (word === 8) {
    const view = new Uint32Array(buffer, offset, bytes / 4);
    for (let i = 0; i < view.length; i += 2) {
      const low = view[i]!;
      view[i] = reversed32(view[i + 1]!);
      view[i + 1] = reversed32(low);
    }
  }
}

function reversed16(value: number): number {
  return (value << 8) | (value >>> 8);
}

function reversed32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}
