/** A learning rate as people write it, with three digits: `0.000333`, `5e-7`. */
export function formatRate(rate: number): string {
  return String(Number(rate.toPrecision(3)));
}
