import assert from "node:assert/strict";
import { narrowToBfloat16, writeSafetensors, writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { inspect } from "../../lib/inspect/mod.ts";
import { temporaryPath } from "../_temporary.ts";

const weight = { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, NaN) } as const;
const half = {
  dtype: "bfloat16",
  shape: [2],
  data: narrowToBfloat16(Float32Array.of(0.5, 1.5)),
} as const;
const steps = { dtype: "int64", shape: [], data: BigInt64Array.of(7n) } as const;

Deno.test("safetensors: names, dtypes and shapes; statistics on request", async () => {
  const path = temporaryPath("model.safetensors");
  writeSafetensors(path, { weight, half, steps }, { format: "pt" });
  const { kind, tensors, keys, details } = await inspect(path);
  assert.equal(kind, "safetensors");
  assert.deepEqual([...keys].sort(), ["half", "steps", "weight"]);
  assert.deepEqual(details.metadata, { format: "pt" });
  assert.equal(tensors.find(({ name }) => name === "half")!.bytes, 4);
  const { tensors: measured } = await inspect(path, { stats: true });
  const statistics = (name: string) => measured.find((each) => each.name === name)!.statistics!;
  assert.deepEqual([statistics("half").min, statistics("half").max], [0.5, 1.5]);
  assert.equal(statistics("weight").nan, 1);
  assert.equal(Number(statistics("steps").mean), 7);
});

Deno.test("pt: the keys that lead to each tensor, and the plain values beside them", async () => {
  const path = temporaryPath("latest.pt");
  writeTorchCheckpoint(path, { epoch: 3, model_state_dict: { "encoder.weight": weight, half } });
  const { kind, keys, details } = await inspect(path);
  assert.equal(kind, "pt");
  assert.deepEqual([...keys], ["model_state_dict.encoder.weight", "model_state_dict.half"]);
  assert.deepEqual(details.contents, { epoch: 3, model_state_dict: "dict of 2" });
});
