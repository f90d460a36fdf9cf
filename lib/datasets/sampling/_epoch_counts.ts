/** Rounding repeats after 2²⁰ epochs, and shares are met to 2⁻²⁰ draws an epoch. */
const BITS = 20;
const PERIOD = 2 ** BITS;

/**
 * How many draws each group has in the epochs before one. In every epoch a group has its quota,
 * share · length, rounded down or up: the bounds between the groups, on a line as long as the epoch,
 * are moved by less than one and rounded down (systematic sampling). The moves are van der Corput's
 * sequence, so that what is rounded evens out, and any number of epochs is counted in 20 steps.
 *
 * W. G. Madow, On the Theory of Systematic Sampling II, Annals of Mathematical Statistics 20, 1949.
 * J. G. van der Corput, Verteilungsfunktionen, 1935.
 *
 * @param shares above 0, adding up to 1
 * @param length draws of an epoch
 * @param epochs 0, 1, …
 */
export function drawsBefore(shares: readonly number[], length: number, epochs: number): number[] {
  let sum = 0, below = 0;
  return shares.map((share, g) => {
    sum += share;
    const bound = g === shares.length - 1 ? length : Math.round(length * sum * PERIOD) / PERIOD;
    const upTo = summedBounds(bound, epochs), draws = upTo - below;
    below = upTo;
    return draws;
  });
}

/** Σ ⌊bound + move⌋ over the first epochs; `bound` is a multiple of 2⁻²⁰. */
function summedBounds(bound: number, epochs: number): number {
  const whole = Math.floor(bound), part = (bound - whole) * PERIOD;
  const rest = epochs % PERIOD, periods = (epochs - rest) / PERIOD;
  return epochs * whole + periods * part + movesFrom(PERIOD - part, rest);
}

/** How many of the first moves, in units of 2⁻²⁰, are at least `least`. */
function movesFrom(least: number, count: number): number {
  let found = 0, first = 0;
  for (let bit = BITS - 1; bit >= 0; bit--) {
    const moves = 2 ** bit, step = PERIOD / moves;
    if ((count & moves) === 0) continue;
    // The next `moves` of them are first, first + step, …, in some order.
    found += moves - Math.min(moves, Math.max(0, Math.ceil((least - first) / step)));
    first += step / 2;
  }
  return found;
}
