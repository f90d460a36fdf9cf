/**
 * How many of the first n draws each group has: Sainte-Laguë's method, by which draw by draw the group
 * with the least (draws + ½) / share is next. No count is ever taken back as n grows, and none is
 * further from n · share than about one draw.
 *
 * F. Pukelsheim, Proportional Representation, Springer 2017, chapter 4 (divisor method with standard
 * rounding).
 *
 * @param shares 0 or more, adding up to 1
 * @param n draws
 */
export function apportion(shares: readonly number[], n: number): number[] {
  // Draw a of group g is due at (a + ½) / share; when n are due in all, that is at n ± groups / 2.
  const sure = n - shares.length / 2;
  const counts = shares.map((share) => Math.max(0, Math.floor(share * sure - 1.5)));
  const due = shares.map((share, g) => (counts[g]! + 0.5) / share);
  for (let rest = n - counts.reduce((sum, count) => sum + count, 0); rest > 0; rest--) {
    let next = 0;
    for (let g = 1; g < due.length; g++) if (due[g]! < due[next]!) next = g;
    counts[next]!++;
    due[next] = (counts[next]! + 0.5) / shares[next]!;
  }
  return counts;
}
