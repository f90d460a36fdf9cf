import assert from "node:assert/strict";
import { costsOf, TimeModel } from "../../lib/features/cache/_time_model.ts";

const items = (count: number, cost: number) => Array.from({ length: count }, () => ({ cost }));
const near = (value: number, expected: number) =>
  assert(Math.abs(value - expected) < 1e-9, `${value} instead of ${expected}`);
const time = (count: number, cost: number) => count * (0.2 + 0.01 * cost);

Deno.test("the time model is exact where time is linear, and keeps compiling apart", () => {
  const model = new TimeModel();
  assert.deepEqual([model.seconds(costsOf(items(5, 100))), model.each], [0, Infinity]);
  model.add(items(1, 100), 60 + time(1, 100)); // everything starts
  assert.equal(model.each, 60 + time(1, 100));
  model.add(items(2, 500), 3 + time(2, 500));
  for (const [count, cost] of [[4, 100], [2, 500], [8, 100]] as const) {
    model.add(items(count, cost), time(count, cost));
  }
  near(model.first, 60);
  near(model.seconds(costsOf([...items(10, 500), ...items(3, 100)])), time(10, 500) + time(3, 100));
  near(model.seconds(costsOf([...items(4, 300), ...items(2, 70)])), time(4, 300) + time(2, 70) + 6);
  near(model.seconds(costsOf(items(4, 300)), 0), time(4, 300));
  near(model.seconds(new Map([[300, 0]])), 0);
});

Deno.test("the time model reckons in proportion where costs are equal, and leaves the first out", () => {
  const model = new TimeModel();
  for (const seconds of [9, 4, 4]) model.add(items(2, 100), seconds);
  near(model.seconds(costsOf(items(10, 100))), 20);
  near(model.first, 5);
});

Deno.test("the time model reckons with what there is where every measurement compiled", () => {
  const model = new TimeModel();
  model.add(items(1, 100), 30);
  near(model.seconds(costsOf(items(2, 100))), 60);
  model.add(items(1, 200), 8);
  near(model.seconds(costsOf(items(2, 100))), 8);
  assert.equal(model.first, 0);
});
