import assert from "node:assert/strict";
import { join } from "node:path";
import { startEngine } from "../../lib/engine/mod.ts";
import {
  disposeWeights,
  loadWeights,
  openModelFolder,
  openRandomModel,
  randomModelDigest,
  VisionLanguageModel,
  writeRandomModel,
} from "../../lib/vision_language/mod.ts";
import { widenBfloat16 } from "../../lib/formats/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("openRandomModel has the tensors of the published 3B, and reads the same numbers whole and row by row", () => {
  const { tensors, config } = openRandomModel("3b");
  assert.equal(tensors.size, 824);
  assert.equal(tensors.values().reduce((sum, { bytes }) => sum + bytes, 0), 7509245952);
  assert.equal(config.text.layers, 36);
  const name = "model.layers.7.self_attn.k_proj.weight", tensor = tensors.get(name)!;
  assert.deepEqual([...tensor.shape], [256, 2048]);
  const whole = tensor.read().data as Uint16Array;
  assert.deepEqual(tensor.readRows(100, 102), whole.subarray(100 * 2048, 102 * 2048));
  assert.notDeepEqual(whole.subarray(0, 2048), whole.subarray(2048, 4096));
  const read = new Uint16Array(256 * 2048);
  tensor.readInto(read);
  assert.deepEqual(read, whole);
  const values = widenBfloat16(read);
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  assert(2048 * variance > 0.25 && 2048 * variance < 1, `${2048 * variance}`);
  assert.throws(() => tensor.readInto(new Uint16Array(3)), /524288|1048576/);
});

Deno.test("writeRandomModel writes shards that hold what the model in memory holds, and overwrites nothing", async () => {
  const path = join(temporaryFolder(), "model"), seen: number[] = [];
  await writeRandomModel(path, "tiny", {
    seed: 5,
    shardBytes: 100_000,
    onProgress: (written, all) => seen.push(written / all),
  });
  assert(seen.length > 2 && seen.at(-1) === 1);
  {
    using folder = openModelFolder(path);
    assert.equal(folder.shards.length, seen.length);
    const { tensors } = openRandomModel("tiny", { seed: 5 });
    assert.deepEqual([...folder.tensors.keys()].sort(), [...tensors.keys()].sort());
    for (const [name, tensor] of tensors) {
      assert.deepEqual(folder.tensors.get(name)!.read().data, tensor.read().data, name);
    }
  }
  await assert.rejects(writeRandomModel(path, "tiny"), Deno.errors.AlreadyExists);
});

Deno.test("random weights differ by seed only, and bad sizes and seeds are refused", () => {
  const read = (seed: number) =>
    openRandomModel("tiny", { seed }).tensors.get("model.norm.weight")!.read().data;
  assert.deepEqual(read(3), read(3));
  assert.notDeepEqual(read(3), read(4));
  assert.equal(randomModelDigest("tiny"), randomModelDigest("tiny", { seed: 0 }));
  assert.notEqual(randomModelDigest("tiny"), randomModelDigest("3b"));
  assert.throws(() => openRandomModel("7b" as "3b"), /current value is 7b/);
  for (const seed of [-1, 0.5, 2 ** 32]) assert.throws(() => openRandomModel("tiny", { seed }));
});

Deno.test("VisionLanguageModel.random computes what a written folder of the same weights computes", async () => {
  await startEngine({ engine: "tensorflow", quiet: true });
  const path = join(temporaryFolder(), "model");
  await writeRandomModel(path, "tiny");
  const view = { height: 90, width: 160, data: new Uint8Array(90 * 160 * 3).fill(100) };
  using written = await VisionLanguageModel.open(path);
  using random = await VisionLanguageModel.random("tiny");
  const [expected] = await written.features([written.prompt([view], "Move left.")]);
  assert.deepEqual(await random.features([random.prompt([view], "Move left.")]), [expected]);
  assert(expected!.some((value) => value !== 0) && expected!.every(Number.isFinite));
  const wide = await loadWeights(openRandomModel("tiny"), { dtype: "float32" });
  disposeWeights(wide);
});
