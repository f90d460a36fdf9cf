import { philox4x32, type PhiloxKey } from "../../engine/_philox.ts";

/** With fewer, the order of a handful of items shows patterns. */
const ROUNDS = 8;

/**
 * One place of a random order of 0 … n − 1, without the order: a Feistel network on the digits of a
 * rectangle of at least n cells, walked until it lands below n.
 *
 * J. Black, P. Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA 2002.
 *
 * @param place 0 … n − 1
 * @param n length of the order, below 2⁴⁸
 * @param key of the order
 * @param number another number gives another order
 */
export function permuted(place: number, n: number, key: PhiloxKey, number: number): number {
  const width = Math.ceil(Math.sqrt(n)), height = Math.ceil(n / width);
  const low = number >>> 0, high = Math.floor(number / 2 ** 32);
  const draw = (value: number, round: number) => philox4x32([value, round, low, high], key)[0];
  let cell = place;
  do {
    let column = cell % width, row = Math.floor(cell / width);
    for (let round = 0; round < ROUNDS; round += 2) {
      column = (column + draw(row, round)) % width;
      row = (row + draw(column, round + 1)) % height;
    }
    cell = row * width + column;
  } while (cell >= n);
  return cell;
}
