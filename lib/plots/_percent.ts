/** A share as percent with at most one decimal: `92.5 %`. */
export function formatPercent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
