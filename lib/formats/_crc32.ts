/** CRC-32's polynomial, x³² left out, the highest power in the lowest bit. */
const POLYNOMIAL = 0xedb88320;
/** The polynomial 1. */
const ONE = 0x80000000;

/**
 * The CRC-32 of two runs of bytes, one after the other, from the CRC-32 of each.
 *
 * Method: multiplication by x to the power 8·bytes modulo the polynomial, as in zlib's
 * `crc32_combine`.
 *
 * @param bytes length of the second run
 */
export function combineCrc32(first: number, second: number, bytes: number): number {
  // x⁸, squared for each binary digit of the length.
  let square = ONE >>> 8, shifted = first;
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) shifted = multiply(square, shifted);
    square = multiply(square, square);
  }
  return (shifted ^ second) >>> 0;
}

function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= b;
    b = (b & 1) !== 0 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}
