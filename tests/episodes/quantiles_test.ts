import assert from "node:assert/strict";
import { quantiles } from "../../lib/episodes/_quantiles.ts";

Deno.test("selected quantiles are those of sorted values, ties and all", () => {
  let seed = 11;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  for (const length of [1, 2, 3, 10, 599, 601, 5000, 40_000]) {
    for (const kinds of [Infinity, 5, 1]) {
      const values = Float64Array.from({ length }, () => {
        const value = random();
        return kinds === Infinity ? value : Math.floor(value * kinds);
      });
      const kept = values.slice();
      const sorted = values.toSorted();
      const expected = [0.5, 0.95, 1].map((share) => {
        const at = share * (length - 1), low = Math.floor(at);
        const below = sorted[low]!;
        return at === low ? below : below + (at - low) * (sorted[low + 1]! - below);
      });
      assert.deepEqual(quantiles(values, [0.5, 0.95, 1]), expected, `${length}, ${kinds}`);
      assert.deepEqual(values, kept);
    }
  }
});
