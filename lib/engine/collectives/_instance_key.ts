/**
 * The number by which processes recognise a collective op as the same one. It follows from what the op
 * does and where, not from how many were made before, so that a process that traced more functions, or
 * the same in another order, still meets the others; as with TensorFlow's own strategies it is the same
 * in every step.
 *
 * @param label What the op is for.
 * @returns FNV-1a of the label, 1 … 2³¹ − 1.
 */
export function instanceKey(label: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(label)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return ((hash >>> 1) % 0x7ffffffe) + 1;
}
