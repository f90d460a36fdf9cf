import assert from "node:assert/strict";
import fc from "fast-check";
import { SequentialOrder } from "../../lib/datasets/mod.ts";
import { RankOrder } from "../../lib/training/_rank_order.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

Deno.test("RankOrder shares every step between the ranks: each sample once, in order within a rank", () => {
  const size = fc.integer({ min: 1, max: 4 });
  fc.assert(fc.property(size, size, size, fc.integer(), (ranks, part, steps, cut) => {
    const whole = new SequentialOrder(ranks * part * steps);
    const taken = Array.from({ length: ranks }, (_, rank) => {
      const order = new RankOrder(whole, part, { ranks, rank });
      assert.equal(order.length, part * steps);
      const at = Math.abs(cut) % (order.length + 1);
      const first = new Int32Array(at), rest = new Int32Array(order.length - at);
      order.read(0, 0, first); // read in two pieces, it is the same
      order.read(0, at, rest);
      return [...first, ...rest];
    });
    for (let step = 0; step < steps; step++) {
      // As one process would number the micro-batches: rank r has those from r · accumulation on.
      const all = taken.flatMap((samples) => samples.slice(step * part, (step + 1) * part));
      assert.deepEqual(all, all.map((_, i) => step * ranks * part + i));
    }
  }));
});

Deno.test("RankOrder refuses positions beyond the epoch", () => {
  const order = new RankOrder(new SequentialOrder(12), 3, { ranks: 2, rank: 1 });
  assert.throws(() => order.read(0, 6, new Int32Array(1)), RangeError);
  order.read(0, 6, new Int32Array(0));
});
