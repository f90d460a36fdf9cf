import assert from "node:assert/strict";
import { ONE_PROCESS, startEngine, tf, variables } from "trocar/engine";
import { intoBuckets } from "../../lib/engine/collectives/_buckets.ts";
import { instanceKey } from "../../lib/engine/collectives/_instance_key.ts";
import { localPlaces, tfConfig } from "../../lib/launch/place.ts";
import { cluster, clusterTest, type End } from "./_cluster.ts";

for (const size of [2, 3]) {
  clusterTest(
    `a cluster of ${size} processes sums, broadcasts and waits, the same bits on each`,
    async () => {
      const ends = await cluster(size, "everything");
      assert.deepEqual(ends.map(({ code }) => code), Array(size).fill(0));
      const [first, ...others] = ends.map(({ document }) => document);
      assert.deepEqual(first!.rank, 0);
      for (const [i, other] of others.entries()) {
        assert.deepEqual({ ...other, rank: 0 }, first);
        assert.equal(other.rank, i + 1);
      }
      const total = size * (size - 1) / 2;
      assert.deepEqual(first!.variables, [[5, 5, 5], [0, 2], [], [0]]);
      assert.equal(first!.isNegativeZero, true);
      const [exact, huge, tenths] = first!.sum as number[];
      assert.equal(exact, total + size / 2);
      assert.equal(huge, size * 1e300);
      assert.ok(Math.abs(tenths! - size / 10) < 1e-15);
      assert.deepEqual(first!.together, [[size], 0, [2 * size]]);
      assert.deepEqual(first!.value, { text: "nädel", from: 0 });
      assert.equal(first!.nothing, null);
      assert.deepEqual(first!.atOnce, [total, size]);
      // Σ over ranks of the mean of [i, rank], six times, and of rank + 1.
      const means = [0, 1, 2].map((i) => (size * i + total) / 2);
      (first!.steps as number[][]).slice(0, 3).forEach((values, i) => {
        assert.deepEqual(values, [...Array(6).fill(means[i]), total + size]);
      });
      assert.equal(first!.traces, 2);
      assert.equal(first!.termination, "heard");
    },
  );
}

clusterTest("allReduce() refuses XLA and dtypes that cannot be summed", async () => {
  const [{ document }] = await cluster(2, "refused") as [End, End];
  const [xla, flag] = document.messages as string[];
  assert.match(xla!, /Cannot compile "sum": XLA cannot/);
  assert.match(flag!, /Cannot sum "flag" over processes.*current value is bool\[\]/);
});

Deno.test("startEngine() refuses engines that compute in one process only", async () => {
  Deno.env.set("TF_CONFIG", tfConfig(localPlaces(2)[0]!));
  try {
    for (const engine of ["wasm", "webgpu"] as const) {
      await assert.rejects(
        startEngine({ engine, quiet: true }),
        /only tensorflow computes in several/,
      );
    }
    const alone = await startEngine({ engine: "wasm", cluster: null, quiet: true });
    assert.equal(alone.cluster, ONE_PROCESS);
  } finally {
    Deno.env.delete("TF_CONFIG");
  }
});

Deno.test("ONE_PROCESS gives back what it is given", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const tensors = { a: tf.scalar(1) };
  assert.equal(ONE_PROCESS.allReduce(tensors), tensors);
  assert.deepEqual(await ONE_PROCESS.sum([1, 2]), [1, 2]);
  assert.equal(await ONE_PROCESS.broadcast("text"), "text");
  await ONE_PROCESS.broadcastVariables(variables({ a: tf.scalar(1) }));
  await ONE_PROCESS.barrier();
});

Deno.test("intoBuckets() keeps every tensor, last first, within the limit", async () => {
  await startEngine({ engine: "wasm", quiet: true });
  const sizes = [10, 600_000, 0, 20, 30, 700_000, 5, 40];
  const tensors = Object.fromEntries(sizes.map((size, i) => [`t${i}`, tf.zeros([size])]));
  tensors.count = tf.scalar(1, "int32");
  const names = intoBuckets(tensors, 200).map((bucket) => bucket.map(([name]) => name));
  assert.deepEqual(
    names,
    [["count"], ["t7", "t6"], ["t5"], ["t4", "t3"], ["t1"], ["t0"]].toSorted(
      (a, b) => names.findIndex(([x]) => x === a[0]) - names.findIndex(([x]) => x === b[0]),
    ),
  );
  assert.deepEqual(
    names.flat().toSorted(),
    Object.keys(tensors).filter((n) => n !== "t2").toSorted(),
  );
});

Deno.test("instanceKey() is a positive int32 and tells labels apart", () => {
  const keys = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    const key = instanceKey(`in a function ${i % 50} float32[${i}]`);
    assert.ok(Number.isInteger(key) && key > 0 && key < 2 ** 31);
    keys.add(key);
  }
  assert.equal(keys.size, 2000);
});
