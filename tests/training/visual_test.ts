/** Trainings in which a visual-language model learns with the policy. */
import assert from "node:assert/strict";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { type EngineName, startEngine } from "../../lib/engine/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { prepare, type SmallRun, smallRun } from "./_small_run.ts";

const engine: EngineName = "wasm"; // starts at once, and there is little to compute
const folder = temporaryFolder();
await prepare(folder);
await startEngine({ engine, install: false, quiet: true });

const SHORT = { epochs: 1, epochSamples: 16, batchSize: 4, accumulation: 1, emaDecay: null };

/** Losses of a run, and what of the model it trained, by keys of the checkpoint. */
async function trained(name: string, options: SmallRun) {
  const losses: number[] = [];
  const { run, state } = await smallRun(folder, name, {
    ...{ sensorless: true, onStep: ({ report }) => losses.push(report.loss) },
    ...{ ...options, settings: { ...SHORT, ...options.settings } },
  });
  using checkpoint = openCheckpoint(run, { which: "final" });
  const { tensors, training } = checkpoint.others()!;
  const values = [...tensors].map(([key, tensor]) => [key, tensor.read()] as const);
  return { run, state, losses, values: new Map(values), moments: [...training.keys()] };
}

function assertClose(a: readonly number[], b: readonly number[], tolerance: number) {
  assert.equal(a.length, b.length);
  a.forEach((value, i) =>
    assert.ok(Math.abs(value - b[i]!) <= tolerance * Math.abs(value), `${a} and ${b}`)
  );
}

Deno.test("low-rank additions learn, and a checkpoint holds them as the reference names them", async () => {
  const { values, moments, losses } = await trained("lora", { visual: {} });
  assert.equal(values.size, 3 * 4 * 2);
  const key =
    "vl_model.base_model.model.model.language_model.layers.2.self_attn.q_proj.lora_B.default.weight";
  assert.ok(values.get(key)!.data.some((value) => value !== 0), "B left zero");
  assert.equal(moments.length, 2 * values.size);
  assert.ok(losses.every(Number.isFinite), "losses are finite");
});

Deno.test("computing layers again changes nothing but the memory", async () => {
  const again = await trained("again", { visual: { parts: "full", unfreezeLastN: 2 } });
  const kept = await trained("kept", {
    visual: { parts: "full", unfreezeLastN: 2, recomputes: false },
  });
  assertClose(again.losses, kept.losses, 1e-5);
  assert.deepEqual([...again.values.keys()], [...kept.values.keys()]);
});

Deno.test("two micro-batches are one batch of twice the size", async () => {
  const lora = { rank: 2, alpha: 4, dropout: 0, targets: ["q_proj"] };
  const options = { visual: { lora } } as const; // this policy drops nothing either
  const one = await trained("one batch", options);
  const two = await trained("two batches", {
    ...options,
    settings: { batchSize: 2, accumulation: 2 },
  });
  assertClose(one.losses, two.losses, 1e-3);
});

Deno.test("all of the model can be trained, with its vision tower", async () => {
  const { values } = await trained("full", { visual: { parts: "full", unfreezeLastN: 0 } });
  assert.deepEqual(
    values.get("vl_model.model.visual.patch_embed.proj.weight")!.shape,
    [32, 3, 2, 14, 14],
  );
});
