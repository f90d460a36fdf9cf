import assert from "node:assert/strict";
import { formatTable } from "../../lib/cli/mod.ts";
import { openTorchCheckpoint, writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { formatInspection, inspect } from "../../lib/inspect/mod.ts";
import { checkpoint, storage, tensor } from "../formats/_torch_archive.ts";
import { temporaryPath } from "../_temporary.ts";

const at = (bytes: Uint8Array) => {
  const path = temporaryPath("model.pt");
  Deno.writeFileSync(path, bytes);
  return path;
};

Deno.test("statistics compare the CRC-32 of tensors that are read block by block", async () => {
  const path = at(new Uint8Array(0));
  const shape = [1537, 1024], data = new Float32Array(1537 * 1024).fill(1.5);
  writeTorchCheckpoint(path, { "layer.weight": { dtype: "float32", shape, data } });
  const { tensors: [whole] } = await inspect(path, { stats: true });
  assert.deepEqual([whole!.statistics!.count, whole!.statistics!.std], [data.length, 0]);
  const bytes = Deno.readFileSync(path);
  bytes[5_000_000]! ^= 1;
  const damaged = at(bytes);
  assert.equal((await inspect(damaged)).tensors[0]!.bytes, data.byteLength);
  await assert.rejects(
    inspect(damaged, { stats: true }),
    /model\.pt at byte \d+: .*data\/0 should have the CRC-32/,
  );
});

Deno.test("statistics compare the CRC-32 of a storage of which a tensor views a part", async () => {
  const bytes = checkpoint({ part: tensor(storage(1000), 0, [10, 2], [5, 1]) }, 4000);
  const path = at(bytes);
  using file = openTorchCheckpoint(path);
  assert.equal(file.tensors()[0]![1].storage.bytes, 4000);
  assert.equal((await inspect(path, { stats: true })).tensors[0]!.statistics!.count, 20);
  const raw = new TextDecoder("latin1").decode(bytes);
  bytes[raw.indexOf("x/data/0") + 3000]! ^= 1;
  await assert.rejects(inspect(at(bytes), { stats: true }), /should have the CRC-32/);
});

Deno.test("statistics of a tensor that pretends far more than it holds are refused", async () => {
  for (const [shape, strides] of [[[2 ** 45], [0]], [[2 ** 22, 2 ** 23], [0, 0]]] as const) {
    const path = at(checkpoint({ a: tensor(storage(1), 0, shape, strides) }, 4));
    assert.equal((await inspect(path)).tensors[0]!.bytes, 2 ** 47);
    await assert.rejects(
      inspect(path, { stats: true }),
      /a of .*model\.pt.*at most 1073741824 bytes, current value is 140737488355328 from 4/,
    );
  }
});

Deno.test("statistics of tensors without elements need no look at their rows", async () => {
  for (const shape of [[2 ** 50, 0], [2 ** 50, 2 ** 50, 0], [0, 2 ** 50]]) {
    const path = at(checkpoint({ a: tensor(storage(1), 0, shape, shape.map(() => 1)) }, 4));
    assert.equal((await inspect(path, { stats: true })).tensors[0]!.statistics!.count, 0);
  }
});

Deno.test("statistics of more tensors than a call takes arguments are a table", () => {
  const statistics = { count: 0, min: null, max: null, mean: null, std: null, nan: 0, infinite: 0 };
  const tensors = Array.from(
    { length: 200_000 },
    (_, k) => ({ name: `t${k}`, dtype: "float32", shape: [0], bytes: 0, statistics }),
  );
  const found = { kind: "safetensors", path: "/a", bytes: 0, tensors, keys: [], details: {} };
  const lines = formatInspection(found, formatTable).split("\n");
  assert.equal(lines.length, 2 + 1 + tensors.length);
  assert.deepEqual(lines.at(-1)!.split(/ +/).slice(0, 5), ["t199999", "float32", "0", "0", "B"]);
});
