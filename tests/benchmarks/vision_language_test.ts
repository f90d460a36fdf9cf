import assert from "node:assert/strict";
import type { BenchRecord } from "../../lib/benchmarks/mod.ts";
import { engineName, runBench } from "./_run_bench.ts";

const FLAGS = ["vision-language", "--preset", "tiny", "--steps", "1", "--engine", engineName];

Deno.test("bench vision-language reports time, memory, loading and first call of one view and of five", async () => {
  const { code, stdout, stderr } = await runBench([...FLAGS, "--no-peer", "--json"]);
  assert.equal(code, 0, stderr);
  const records = JSON.parse(stdout) as BenchRecord[];
  assert.deepEqual(records.map(({ config }) => config.views), [1, 5]);
  assert.deepEqual(records.map(({ config }) => config.tokens), [62, 166]);
  for (const record of records) {
    const { median, peakRss, loadSeconds, firstCallSeconds, peers } = record;
    assert([median, peakRss, loadSeconds, firstCallSeconds].every((value) => value! > 0));
    assert.deepEqual(peers, []);
  }
});
