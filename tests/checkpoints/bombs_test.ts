import assert from "node:assert/strict";
import { checkCheckpoint, openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { rowBlocks } from "../../lib/formats/_row_blocks.ts";
import {
  type TorchInput,
  type TorchStorage,
  TorchTensor,
  writeTorchCheckpoint,
} from "../../lib/formats/mod.ts";
import { convert } from "./_convert.ts";
import { partOf, smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

/** What would take for ever ends with an error. */
const signal = () => AbortSignal.timeout(10_000);

/** 60 places in each of 8 levels: 60⁸ values of a few kilobytes. */
function bomb(): Map<string, TorchInput> {
  let level = new Map<string, TorchInput>();
  for (let depth = 0; depth < 8; depth++) {
    const inner = level;
    level = new Map(Array.from({ length: 60 }, (_, i) => [`k${i}`, inner]));
  }
  return level;
}

Deno.test("configurations whose parts stand in many places are refused or ignored", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.pt`, tensors = tensorsOf(smallPolicy());
    const parts = {
      sensor_encoder: partOf(tensors, "sensor_encoder"),
      action_expert: partOf(tensors, "action_expert"),
    };
    writeTorchCheckpoint(path, { ...parts, config: bomb() });
    assert((await checkCheckpoint(path)).ok);
    const remark = "It holds a configuration of another program, which is not used.";
    using checkpoint = openCheckpoint(path);
    assert(checkpoint.remarks.includes(remark), checkpoint.remarks.join("\n"));
    await assert.rejects(convert(path, `${folder}/a`), /a\.pt config.*--weights-only/);
    const { remarks } = await convert(path, `${folder}/a`, { weightsOnly: true });
    assert(remarks.some((text) => /config is left out/.test(text)), remarks.join("\n"));

    const own = new Map<string, TorchInput>([["architecture", "reference"], ...bomb()]);
    writeTorchCheckpoint(path, { ...parts, config: own });
    assert.throws(() => openCheckpoint(path), /at most 1000 settings/);
  }));

Deno.test("tensors without elements have any number of rows at no cost", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.pt`, shape = [2 ** 50, 0];
    const empty = () => ({ dtype: "float32", shape, data: new Float32Array() }) as const;
    writeTorchCheckpoint(path, {
      model_state_dict: { "action_expert.x": empty() },
      action_expert: { x: empty(), y: empty() },
      sensor_encoder: {},
    });
    const check = await checkCheckpoint(path, { stats: true, signal: signal() });
    assert.deepEqual(check.unexpected, ["action_expert.x", "action_expert.y"]);
  }));

Deno.test("views that repeat a few bytes without end are refused, not read", async () => {
  const storage: TorchStorage = {
    ...{ path: "a.pt, record data/0", key: "0", dtype: "float32", bytes: 4, location: "cpu" },
    readInto: (target) => void target.fill(0),
    pieces: () => [],
  };
  const view = (rows: number, strides: number[]) =>
    new TorchTensor(storage, {
      ...{ dtype: "float32", shape: [rows], strides, offset: 0 },
      ...{ requiresGrad: false, isParameter: false },
    });
  assert.throws(() => [...rowBlocks("x", view(2 ** 42, [0]))], /x of a\.pt.* at most 1073741824/);
  assert.equal([...rowBlocks("x", view(3 << 20, [0]))].length, 3);

  await withFolder(async (folder) => {
    const path = `${folder}/a.pt`;
    const copy = () => view(2 ** 42, [0]);
    const other: TorchStorage = { ...storage, key: "1" };
    const second = new TorchTensor(other, copy());
    const whole = { ...storage, pieces: () => [new Uint8Array(4)] };
    writeTorchCheckpoint(path, {
      model_state_dict: { "action_expert.x": new TorchTensor(whole, copy()) },
      action_expert: { x: new TorchTensor({ ...other, pieces: whole.pieces }, second) },
      sensor_encoder: {},
    });
    const stats = { stats: true, signal: signal() };
    await assert.rejects(
      checkCheckpoint(path, stats),
      /action_expert\.x of .*repeats its elements/,
    );
  });
});

Deno.test("blocks cover the rows of a tensor, each row once", () => {
  const tensor = (shape: number[]) => ({
    shape,
    bytes: 4 * shape.reduce((product, size) => product * size, 1),
  });
  assert.deepEqual([...rowBlocks("x", tensor([]))], [[0, 1]]);
  assert.deepEqual([...rowBlocks("x", tensor([0, 3]))], []);
  assert.deepEqual([...rowBlocks("x", tensor([7, 3]), 25)], [[0, 2], [2, 4], [4, 6], [6, 7]]);
  assert.deepEqual([...rowBlocks("x", tensor([2, 100]), 25)], [[0, 1], [1, 2]]);
});
