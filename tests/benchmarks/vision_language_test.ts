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

Deno.test("bench vision-language measures the model of a folder, and refuses what is none", async () => {
  const of = (model: string) => runBench([...FLAGS, "--no-peer", "--json", "--model", model]);
  const { code, stdout, stderr } = await of("data-fixtures/vision_language/model");
  assert.equal(code, 0, stderr);
  const records = JSON.parse(stdout) as BenchRecord[];
  assert.deepEqual(records.map(({ config }) => config.model), ["model", "model"]);
  const refused = await of("data-fixtures");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Cannot open the model .*data-fixtures.*config\.json/);
});
