import assert from "node:assert/strict";
import { join } from "node:path";
import { openPolicy } from "../../lib/control/mod.ts";
import { demonstrationPolicy, openRunData, openSeen } from "../../lib/demonstration/mod.ts";
import { startEngine } from "../../lib/engine/mod.ts";
import { evaluateChunks, policyPredictions } from "../../lib/evaluation/mod.ts";
import { hasNative } from "../engine/_native.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("a policy is trained once, its run opens, and it predicts the same each time", async () => {
  const root = temporaryFolder();
  await startEngine({ engine: hasNative ? "tensorflow" : "wasm", quiet: true });
  const options = {
    ...{ folder: join(root, "data"), features: join(root, "features") },
    ...{ trainEpisodes: 2, valEpisodes: 1, epochs: 2, family: "diffusion" as const },
  };
  const { run } = await demonstrationPolicy(options);
  const made = Deno.statSync(join(run, "summary.json")).mtime!.getTime();
  assert.equal((await demonstrationPolicy(options)).run, run);
  assert.equal(Deno.statSync(join(run, "summary.json")).mtime!.getTime(), made, "trained again");

  using data = await openRunData(run);
  assert.deepEqual([data.training.length, data.validation.length], [2, 1]);
  const predict = async () => {
    using policy = await openPolicy(run);
    using seen = await openSeen(policy, data.validation, data);
    return await policyPredictions(policy, seen, {
      ...{ meanAction: data.statistics.action!.mean, draws: 2 },
    });
  };
  const { draws, flags } = await predict();
  assert.notDeepEqual(draws[0]!.predicted, draws[1]!.predicted);
  assert.deepEqual((await predict()).draws, draws);
  assert(Number.isFinite(evaluateChunks(draws[0]!, flags).model.rmse));

  const other = await demonstrationPolicy({
    ...options,
    sensor: false,
    views: ["View5"],
    epochs: 1,
  });
  assert.notEqual(other.run, run);
  await assert.rejects(demonstrationPolicy({ ...options, views: ["View9"] }), RangeError);
});
