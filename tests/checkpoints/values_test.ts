import assert from "node:assert/strict";
import { checkCheckpoint, formatCheck, openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { writeSafetensors, writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

const format = (check: Awaited<ReturnType<typeof checkCheckpoint>>) =>
  formatCheck(check, (rows) => rows.map((row) => row.join("  ")).join("\n"));

Deno.test("a variance below zero is a fault", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`, tensors = tensorsOf(smallPolicy());
    const key = "sensor_encoder.conv_backbone.1.running_var";
    (tensors[key]!.data as Float32Array)[2] = -1e-9;
    writeSafetensors(path, tensors);
    assert((await checkCheckpoint(path)).ok);
    const check = await checkCheckpoint(path, { stats: true });
    assert.deepEqual([check.ok, check.negative], [false, [key]]);
    assert.match(format(check), new RegExp(`✗ 1 variance below zero: ${key}`));
  }));

Deno.test("copies are no fault and do not look like one", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`, tensors = tensorsOf(smallPolicy());
    const layer = (i: number) => `action_expert.temporal_decoder.layers.${i}.linear1.weight`;
    tensors[layer(1)] = tensors[layer(0)]!;
    writeSafetensors(path, tensors);
    const check = await checkCheckpoint(path, { stats: true });
    assert.deepEqual([check.ok, check.duplicated.length], [true, 1]);
    const text = format(check);
    assert.match(text, /^! 1 group of tensors with the same numbers/m);
    assert.doesNotMatch(text, /✗/);
  }));

Deno.test("a .pt file whose storage was damaged is found, also one that is read in parts", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.pt`, tensors = tensorsOf(smallPolicy());
    const large = new Float32Array(3 << 20).fill(1.5); // three blocks
    const state = {
      ...tensors,
      "action_expert.large": { dtype: "float32", shape: [3 << 10, 1 << 10], data: large } as const,
    };
    const beside = { dtype: "float32", shape: [4], data: Float32Array.of(1, 2, 3, 4.75) } as const;
    writeTorchCheckpoint(path, { model_state_dict: state, momentum: beside });
    const bytes = Deno.readFileSync(path);
    const flip = (place: Uint8Array) => {
      const damaged = bytes.slice(), at = indexOf(bytes, place);
      damaged[at] = damaged[at]! ^ 1;
      Deno.writeFileSync(path, damaged);
    };
    flip(new Uint8Array(Float32Array.of(1.5, 1.5, 1.5, 1.5).buffer));
    await assert.rejects(checkCheckpoint(path, { stats: true }), /CRC-32/);
    using damaged = openCheckpoint(path);
    await assert.rejects(damaged.verify({ modelOnly: true }), /CRC-32/);

    flip(new Uint8Array(beside.data.buffer));
    await assert.rejects(checkCheckpoint(path, { stats: true }), /CRC-32/);
    using model = openCheckpoint(path);
    await model.verify({ modelOnly: true });
    await model.verify({ weightsOnly: true });
  }));

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return assert.fail("not there");
}
