import assert from "node:assert/strict";
import fc from "fast-check";
import { thinSeries } from "../../lib/plots/mod.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const COLUMNS = 50;

Deno.test("of every column the extremes remain, and every point is one of the series", () => {
  fc.assert(fc.property(
    fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 201,
      maxLength: 900,
    }),
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 900, maxLength: 900 }),
    (y, steps) => {
      let at = 0;
      const x = y.map((_, i) => at += steps[i]!);
      const thin = thinSeries(x, y, { columns: COLUMNS });
      assert(thin.x.length <= 4 * (COLUMNS + 1), `${thin.x.length} points remain`);
      const known = new Map(x.map((place, i) => [place, y[i]!]));
      thin.x.forEach((place, i) => {
        assert.equal(thin.y[i], known.get(place));
        if (i > 0) assert(place > thin.x[i - 1]!, "ascending");
      });
      const width = (x.at(-1)! - x[0]!) / COLUMNS;
      const extremes = (xs: number[], ys: (number | null)[]) => {
        const columns: Record<number, [number, number]> = {};
        xs.forEach((place, i) => {
          const column = Math.floor((place - x[0]!) / width), value = ys[i]!;
          const [low, high] = columns[column] ?? [Infinity, -Infinity];
          columns[column] = [Math.min(low, value), Math.max(high, value)];
        });
        return columns;
      };
      assert.deepEqual(extremes(thin.x, thin.y), extremes(x, y));
      assert.deepEqual([thin.x[0], thin.x.at(-1)], [x[0], x.at(-1)]);
    },
  ));
});

Deno.test("a million points become few, and a single peak stays", () => {
  const x = Float64Array.from({ length: 1e6 }, (_, i) => i), y = new Float32Array(1e6);
  y[765_432] = -7;
  const thin = thinSeries(x, y);
  assert(thin.x.length <= 2404, `${thin.x.length} points`);
  assert.equal(thin.y[thin.x.indexOf(765_432)], -7);
});

Deno.test("holes in values and in time interrupt the line, also when it is thinned", () => {
  assert.deepEqual(thinSeries([0, 1, 2, 9, 10], [1, NaN, 2, 3, 4], { maxGap: 3 }), {
    x: [0, 1, 2, 2, 9, 10],
    y: [1, null, 2, null, 3, 4],
  });
  const x = Array.from({ length: 1000 }, (_, i) => i < 500 ? i : i + 300), y = x.map(() => 1);
  const thin = thinSeries(x, y, { columns: 10, maxGap: 5 });
  assert.deepEqual(thin.y.filter((value) => value === null).length, 1);
  assert.equal(thin.x[thin.y.indexOf(null)], 499);
});

Deno.test("series of different lengths are refused, empty ones are empty", () => {
  assert.throws(() => thinSeries([1, 2], [1]), RangeError);
  assert.deepEqual(thinSeries([], []), { x: [], y: [] });
  assert.deepEqual(thinSeries([3], [4]), { x: [3], y: [4] });
});

Deno.test("few points per column remain also of holes, equal times and times that run backwards", () => {
  const n = 1e5, rising = Float64Array.from({ length: n }, (_, i) => i);
  const ones = new Float64Array(n).fill(1);
  const holes = ones.map((_, i) => i % 2 === 0 ? NaN : i);
  const many = { columns: COLUMNS, maxGap: 0.5 };
  for (
    const [what, x, y] of [
      ["holes", rising, holes],
      ["gaps", rising, rising],
      ["equal times", ones, rising],
      ["equal times and holes", ones, holes],
      ["times to and fro", rising.map((i) => i % 7), rising],
      ["times up to the largest number", rising.map((i) => i === 0 ? -1.7e308 : 1.7e308), rising],
    ] as const
  ) {
    const { x: places, y: values } = thinSeries(x, y, many);
    assert(places.length <= 5 * (COLUMNS + 1), `${what}: ${places.length} points`);
    assert(values.includes(99_999), `${what}: the largest remains`);
  }
});

Deno.test("samples whose place is not finite are left out, also the first and the last", () => {
  const n = 1000, y = Array.from({ length: n }, (_, i) => i === 500 ? 9 : 1);
  for (const odd of [NaN, Infinity, -Infinity]) {
    const x = y.map((_, i) => i === 0 || i === 400 || i === n - 1 ? odd : i);
    const thin = thinSeries(x, y, { columns: 10 });
    assert(thin.x.every(Number.isFinite) && !thin.y.includes(null), `${thin.x}`);
    assert(thin.x.length > 10 && thin.x.length <= 4 * 11, `${thin.x.length} points`);
    assert.deepEqual([thin.x[0], thin.x.at(-1), thin.x[thin.y.indexOf(9)]], [1, n - 2, 500]);
  }
  assert.deepEqual(thinSeries([0, NaN, 2], [1, 5, 3], { maxGap: 2 }), { x: [0, 2], y: [1, 3] });
});
