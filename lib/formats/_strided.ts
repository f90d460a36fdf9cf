/** Whether elements lie one after another in C order; axes of one index do not count. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Elements from the first to the last one, both included; 0 when there are none. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, axis) => span + (size - 1) * strides[axis]!, 1);
}

/** Below this a loop is faster than a call that copies a run. */
const MIN_RUN = 32;

/**
 * Copies strided elements into C order.
 *
 * @param source from the first element to the last
 * @param target takes them, at any place
 * @param bytes of one element
 * @param strides in elements
 */
export function gather(
  source: Uint8Array<ArrayBuffer>,
  target: Uint8Array<ArrayBuffer>,
  bytes: number,
  shape: readonly number[],
  strides: readonly number[],
): void {
  const unit = Math.min(bytes, 4);
  const isAligned = target.byteOffset % unit === 0;
  const place = isAligned ? target : new Uint8Array(target.length);
  const axes = mergedAxes(shape, strides, bytes / unit);
  copyWords(wordsOf(source, unit), wordsOf(place, unit), axes);
  if (!isAligned) target.set(place);
}

interface Axis {
  size: number;
  stride: number;
}

/** As few axes as give the same order; each element is `words` words. */
function mergedAxes(shape: readonly number[], strides: readonly number[], words: number): Axis[] {
  const merged: Axis[] = [{ size: words, stride: 1 }];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!, stride = strides[axis]! * words, inner = merged[0]!;
    if (size === 1) continue;
    if (inner.size === 1) merged[0] = { size, stride };
    else if (stride === inner.size * inner.stride) inner.size *= size;
    else merged.unshift({ size, stride });
  }
  return merged;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array, unit: number): Words {
  if (unit === 1) return new Uint8Array(buffer, byteOffset, byteLength);
  if (unit === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function copyWords(source: Words, target: Words, axes: readonly Axis[]): void {
  const { size, stride } = axes.at(-1)!;
  const outer = axes.slice(0, -1), index = outer.map(() => 0);
  const isRun = stride === 1 && size >= MIN_RUN;
  let from = 0;
  for (let to = 0; to < target.length; to += size) {
    if (isRun) target.set(source.subarray(from, from + size), to);
    else for (let i = 0, at = from; i < size; i++, at += stride) target[to + i] = source[at]!;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const { size, stride } = outer[axis]!;
      from += stride;
      if (++index[axis]! < size) break;
      from -= size * stride;
      index[axis] = 0;
    }
  }
}
