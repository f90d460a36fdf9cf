import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint, type PointerName, readPointer } from "../../lib/checkpoints/mod.ts";
import { policyShapes, preset } from "../../lib/policies/mod.ts";
import {
  type CheckpointSubject,
  FIRST_STATE,
  RunCheckpoints,
  type TrainingSnapshot,
  type TrainingState,
} from "../../lib/training/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const config = preset("tiny", { fusion: "none", visionDim: 16 });
const subject: CheckpointSubject = {
  ...{ config, program: "test", trainingStage: "stage1", actionRepresentation: null, seed: 1 },
  ...{ statisticsDigest: "0".repeat(64), splitDigest: "0".repeat(64), features: null },
  ...{ optimizer: null, schedule: null },
};

function snapshot(value: number): TrainingSnapshot {
  const model = Object.fromEntries(
    policyShapes(config).map(({ key, shape, dtype }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const data = dtype === "int64" ? new BigInt64Array(size) : new Float32Array(size).fill(value);
      return [key, { dtype, shape: [...shape], data }];
    }),
  );
  return { model, training: {} } as unknown as TrainingSnapshot;
}

const at = (globalStep: number): TrainingState => ({ ...FIRST_STATE, globalStep });
const valueAt = (run: string, which: PointerName) => {
  using checkpoint = openCheckpoint(run, { which });
  const [tensor] = [...checkpoint.tensors.values()];
  return tensor!.read().data[0];
};

Deno.test("RunCheckpoints writes beside the loop, in order, and drops no best or final", async () => {
  const run = temporaryFolder();
  const events: string[] = [];
  {
    await using checkpoints = new RunCheckpoints(run, subject);
    const save = async (step: number, ...pointers: PointerName[]) => {
      await checkpoints.save(at(step), () => {
        events.push(`copy ${step}`);
        assert.ok(!checkpoints.isWriting, "more than one copy");
        return Promise.resolve(snapshot(step));
      }, pointers);
      assert.ok(checkpoints.isWriting, "it is written later");
    };
    await save(1, "latest", "best");
    await save(2, "latest", "best");
    await save(3, "latest");
    await save(3, "latest", "final"); // nothing new to copy
    assert.deepEqual(events, ["copy 1", "copy 2", "copy 3"]);
    await checkpoints.drain();
    assert.ok(!checkpoints.isWriting);
  }
  assert.deepEqual((["latest", "best", "final"] as const).map((name) => valueAt(run, name)), [
    ...[3, 2, 3],
  ]);
  assert.equal([...Deno.readDirSync(join(run, "checkpoints"))].length, 2);
});

Deno.test("RunCheckpoints removes its own folders only", async () => {
  const run = temporaryFolder(), place = join(run, "checkpoints");
  const others = ["notes.txt", "step-1", "step-00000001.bak", "best of mine"];
  const leftovers = [".step-00000001.partial-1-abc", ".step-00000001.previous", "step-00000007"];
  for (const name of [...others, ...leftovers]) {
    Deno.mkdirSync(join(place, name), { recursive: true });
  }
  {
    await using checkpoints = new RunCheckpoints(run, subject);
    await checkpoints.save(at(2), () => Promise.resolve(snapshot(2)), ["latest"]);
  }
  const found = [...Deno.readDirSync(place)].map(({ name }) => name);
  assert.deepEqual(new Set(found), new Set([...others, "step-00000002"]));
});

Deno.test("RunCheckpoints writes what it was given although nobody waits", async () => {
  const run = temporaryFolder();
  {
    await using checkpoints = new RunCheckpoints(run, subject);
    await checkpoints.save(at(5), () => Promise.resolve(snapshot(5)), ["latest", "best"]);
  }
  assert.equal(valueAt(run, "best"), 5);
});

Deno.test("RunCheckpoints tells of a write that failed, and keeps what was there", async () => {
  const run = temporaryFolder();
  await using checkpoints = new RunCheckpoints(run, subject);
  await checkpoints.save(at(1), () => Promise.resolve(snapshot(1)), ["latest"]);
  await checkpoints.drain();
  const broken = { ...snapshot(2), training: { "exp_avg.nothing": snapshot(2).model } };
  await checkpoints.save(at(2), () => Promise.resolve(broken as never), ["latest", "best"])
    .catch(() => {}); // such an array cannot even be handed over
  await checkpoints.save(at(3), () => Promise.resolve({ ...snapshot(3), model: {} }), ["latest"])
    .catch(() => {});
  await assert.rejects(
    checkpoints.drain(),
    /Cannot write checkpoint .*step-00000003.*The checkpoint before it is whole/s,
  );
  assert.throws(() => checkpoints.check(), /step-00000003/);
  assert.equal(valueAt(run, "latest"), 1);
  assert.equal(readPointer(run, "latest"), join(run, "checkpoints", "step-00000001"));
});
