import assert from "node:assert/strict";
import { type Block, interleave, measureBlock, spreadRuns } from "../../lib/benchmarks/mod.ts";

Deno.test("spreadRuns gives every round its share and leaves out empty rounds", () => {
  assert.deepEqual(spreadRuns(15, 5), [3, 3, 3, 3, 3]);
  assert.deepEqual(spreadRuns(7, 5), [2, 2, 1, 1, 1]);
  assert.deepEqual(spreadRuns(3, 5), [1, 1, 1]);
  assert.deepEqual(spreadRuns(1, 5), [1]);
});

Deno.test("interleave gives each contender one turn a round, every other round backwards", async () => {
  const order: string[] = [];
  let busy = 0;
  const contender = (name: string) => ({
    measure: async ({ runs, milliseconds }: Block) => {
      assert.equal(busy++, 0, "never two at once");
      await new Promise((done) => setTimeout(done, 1));
      busy--;
      order.push(`${name}${runs}`);
      assert.equal(milliseconds, 50);
      return Array.from({ length: runs }, () => name === "a" ? 1 : 2);
    },
  });
  const rounds: number[] = [];
  const times = await interleave([contender("a"), contender("b")], {
    rounds: 3,
    runs: [2, 1, 1],
    milliseconds: 50,
    onRound: (round) => rounds.push(round),
  });
  assert.deepEqual(order, ["a2", "b2", "b1", "a1", "a1", "b1"]);
  assert.deepEqual(times, [[[1, 1], [1], [1]], [[2, 2], [2], [2]]]);
  assert.deepEqual(rounds, [0, 1, 2]);
});

Deno.test("measureBlock does not count its first run, unless it is to be measured, and ends after the runs or the time", async () => {
  let calls = 0;
  assert.equal((await measureBlock(() => void calls++, { runs: 4, milliseconds: 1e9 })).length, 4);
  assert.equal(calls, 5);
  await measureBlock(() => void calls++, { runs: 4, milliseconds: 1e9, warmUp: false });
  assert.equal(calls, 9);
  const slow = () => new Promise<void>((done) => setTimeout(done, 15));
  const times = await measureBlock(slow, { runs: 1000, milliseconds: 1 });
  assert.equal(times.length, 1);
  assert.ok(times[0]! >= 10, String(times[0]));
});
