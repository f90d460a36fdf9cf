import assert from "node:assert/strict";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { PickleFloat, type TorchInput, writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { convert, membersOf } from "./_convert.ts";
import { smallPolicy, tensorsOf, withFolder } from "./_policies.ts";

const state = tensorsOf(smallPolicy());
const zeros = (size: number) =>
  ({ dtype: "float32", shape: [size], data: new Float32Array(size) }) as const;

Deno.test("numbers that are not what their names say are kept, and said", () =>
  withFolder(async (folder) => {
    const odd: Record<string, TorchInput> = {
      epoch: -1,
      epoch_base: 5,
      global_step: new PickleFloat(2.5),
      consumed_samples: new PickleFloat(0.5),
      best_epoch: zeros(1),
    };
    writeTorchCheckpoint(`${folder}/a.pt`, { model_state_dict: state, ...odd });
    const { remarks } = await convert(`${folder}/a.pt`, `${folder}/a`);
    for (const name of Object.keys(odd).filter((name) => name !== "epoch_base")) {
      assert(remarks.some((text) => text.includes(`Its ${name} should be a count`)), name);
    }
    using checkpoint = openCheckpoint(`${folder}/a`);
    const { epoch, globalStep, document } = checkpoint;
    assert.deepEqual([epoch, globalStep, document!.consumedSamples], [null, null, null]);
    assert.deepEqual(Object.keys(document!.extra).toSorted(), Object.keys(odd).toSorted());

    await convert(`${folder}/a`, `${folder}/b.pt`);
    const members = membersOf(`${folder}/b.pt`);
    assert.deepEqual(
      ["epoch", "epoch_base", "global_step"].map((name) => members.get(name)),
      [-1, 5, odd.global_step],
    );
  }));

Deno.test("whole floats are counts too", () =>
  withFolder(async (folder) => {
    const consumed = new PickleFloat(1000);
    writeTorchCheckpoint(`${folder}/a.pt`, { model_state_dict: state, consumed_samples: consumed });
    await convert(`${folder}/a.pt`, `${folder}/a`);
    using checkpoint = openCheckpoint(`${folder}/a`);
    assert.equal(checkpoint.document!.consumedSamples, 1000);
  }));

Deno.test("tensors of other models that share a name but for a wrapper are refused", () =>
  withFolder(async (folder) => {
    const twice = { ...state, "module.vl_model.x": zeros(2), "vl_model.x": zeros(3) };
    writeTorchCheckpoint(`${folder}/a.pt`, { model_state_dict: twice });
    await assert.rejects(convert(`${folder}/a.pt`, `${folder}/a`), /vl_model\.x twice/);
  }));

Deno.test("members that are too large for JSON are left out with --weights-only", () =>
  withFolder(async (folder) => {
    const large = { rows: Array.from({ length: 100_001 }, (_, i) => i), image: zeros(20_000) };
    writeTorchCheckpoint(`${folder}/a.pt`, { model_state_dict: state, ...large, note: "kept" });
    await assert.rejects(convert(`${folder}/a.pt`, `${folder}/a`), /--weights-only/);
    const { remarks } = await convert(`${folder}/a.pt`, `${folder}/a`, { weightsOnly: true });
    for (const name of Object.keys(large)) {
      assert(remarks.some((text) => text.includes(`${name} is left out`)), name);
    }
    using checkpoint = openCheckpoint(`${folder}/a`);
    assert.deepEqual(checkpoint.document!.extra, { note: "kept" });
  }));
