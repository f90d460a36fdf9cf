/** One training in several processes of this machine, connected by TensorFlow's own runtime. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { hasNative } from "../engine/_native.ts";
import { readMetrics, type TrainingOutcome } from "../../lib/training/mod.ts";
import { clusterEnvironments, outcomeOf, startChild, trainChild } from "./_children.ts";
import { largestDifference, runResult, runValues } from "./_run_result.ts";
import { referencePolicy } from "../policies/_networks.ts";
import { prepare } from "./_small_run.ts";
import type { StepOutcome, StepTask } from "./_step_child.ts";
import type { ChildTask } from "./_train_child.ts";
import { temporaryFolder } from "../_temporary.ts";

const STEP_CHILD = decodeURIComponent(new URL("./_step_child.ts", import.meta.url).pathname);

function processTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: hasNative ? name : `${name} (TensorFlow is missing: deno task setup)`,
    ignore: !hasNative,
    fn,
  });
}

let prepared: string | undefined;

async function data(): Promise<string> {
  if (prepared !== undefined) return prepared;
  prepared = temporaryFolder();
  await prepare(prepared);
  return prepared;
}

/** The outcomes of all ranks; all must succeed. */
async function together<T>(size: number, task: object, script?: string): Promise<T[]> {
  const environments = size === 1 ? [{}] : await clusterEnvironments(size);
  const children = environments.map((env) =>
    startChild(task as ChildTask, { env, ...(script === undefined ? {} : { script }) })
  );
  const ended = await Promise.all(children.map((child) => outcomeOf<T>(child)));
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
  return ended.map(({ outcome }) => outcome!);
}

const steps = (size: number, task: StepTask) => together<StepOutcome>(size, task, STEP_CHILD);

for (
  const [architecture, family, accumulation] of [
    ["trocar", "diffusion", 2],
    ["reference", "regression", 1],
  ] as const
) {
  processTest(
    `a step of two processes with accumulation ${accumulation} is that of one with ${
      2 * accumulation
    }, ${architecture} ${family}, and the same bits on both`,
    async () => {
      const task = { architecture, family, updates: 4, seed: 1 } as const;
      const [a, b] = await steps(2, { ...task, accumulation });
      const [one] = await steps(1, { ...task, accumulation: 2 * accumulation });
      assert.equal(a!.digest, b!.digest);
      assert.deepEqual(a!.reports, b!.reports);
      a!.reports.forEach(({ loss, sums }, i) => {
        assert.ok(Math.abs(loss / one!.reports[i]!.loss - 1) < 1e-5, `loss of update ${i}`);
        assert.deepEqual(sums["mine"], [3]);
        for (const [name, values] of Object.entries(sums)) {
          if (name === "mine") continue;
          values.forEach((value, k) => {
            const expected = one!.reports[i]!.sums[name]![k]!;
            assert.ok(Math.abs(value - expected) <= 1e-5 * Math.abs(expected), `${name} ${i}`);
          });
        }
      });
      const of = ({ values }: StepOutcome) =>
        new Map(Object.entries(values).map(([name, all]) => [name, Float32Array.from(all)]));
      const { name, relative } = largestDifference(of(one!), of(a!));
      assert.ok(relative < 2e-3, `${name}: ${relative}`); // AdamW divides by small numbers at first
    },
  );
}

processTest("thirty steps with dropout leave the same bits on two processes", async () => {
  const task = { architecture: "reference", family: "regression", seed: 1 } as const;
  const { dropout } = referencePolicy("regression", "concat").actionExpert;
  assert.ok(dropout > 0, "the policy has dropout");
  const [a, b] = await steps(2, { ...task, accumulation: 1, updates: 30 });
  assert.equal(a!.digest, b!.digest);
  assert.deepEqual(a!.reports, b!.reports);
  const losses = a!.reports.map(({ loss }) => loss);
  assert.equal(new Set(losses).size, 30, `losses ${losses}`);
});

/** With augmentation and dropout; the epoch of 43 + 12 samples is no multiple of a step. */
const options = { augmented: true, settings: { epochs: 2, accumulation: 2, emaDecay: 0.9 } };
const train = async (size: number, name: string, more: Partial<ChildTask> = {}) => {
  const { accumulation } = options.settings;
  const task: ChildTask = {
    ...{ engine: "tensorflow", folder: await data(), name },
    options: { ...options, settings: { ...options.settings, accumulation: accumulation / size } },
    ...more,
  };
  const outcomes = await together<TrainingOutcome & { run: string }>(size, task);
  for (const { state } of outcomes) assert.deepEqual(state, outcomes[0]!.state);
  return outcomes[0]!;
};

const wholes = new Map<number, ReturnType<typeof train>>();

/** Nothing stops it; several tests compare with it. */
function whole(size: number): ReturnType<typeof train> {
  const known = wholes.get(size) ?? train(size, `whole-${size}`);
  wholes.set(size, known);
  return known;
}

processTest("train in two processes equals one with the same effective batch", async () => {
  const one = await whole(1), two = await whole(2);
  const { epoch, globalStep, samplesSeen, validationLoss, trainLoss } = one.state;
  assert.deepEqual(
    [two.state.epoch, two.state.globalStep, two.state.samplesSeen],
    [epoch, globalStep, samplesSeen],
  );
  assert.ok(Math.abs(two.state.validationLoss! / validationLoss! - 1) < 1e-4, "validation");
  assert.ok(Math.abs(two.state.trainLoss! / trainLoss! - 1) < 1e-4, "training");
  const { name, relative } = largestDifference(runValues(one.run), runValues(two.run));
  assert.ok(relative < 1e-2, `${name}: ${relative}`);
  const names = (run: string) =>
    readMetrics(join(run, "metrics.jsonl")).map((record) => [
      Object.keys(record).join(),
      record["train/sensor_samples"] ?? null,
      record["train/nonsensor_samples"] ?? null,
    ]);
  assert.deepEqual(names(two.run), names(one.run));
  assert.deepEqual(runResult(two.run).sampler, runResult(one.run).sampler);
});

processTest(
  "train stops all processes after the same step, whichever wants to, and one or two go on",
  async () => {
    const one = await whole(1);
    const stopAt = { rank: 1, step: 2 };
    const first = await train(2, "changing", { stopAt }); // seen with the next step's loss
    assert.equal(first.stopped, "interrupted");
    assert.equal(first.state.globalStep, 3);
    const second = await train(1, "changing", { stopAt: { rank: 0, step: 5 } });
    assert.deepEqual([second.resumedFrom, second.state.globalStep], [3, 5]);
    const third = await train(2, "changing");
    assert.deepEqual([third.resumedFrom, third.stopped], [5, null]);
    assert.ok(Math.abs(third.state.validationLoss! / one.state.validationLoss! - 1) < 1e-3);
    const { name, relative } = largestDifference(runValues(one.run), runValues(third.run));
    assert.ok(relative < 1e-2, `${name}: ${relative}`);
  },
);

processTest("train that was stopped in two processes goes on in two bit for bit", async () => {
  const { run } = await whole(2);
  await train(2, "stopped", { stopAt: { rank: 0, step: 3 } });
  const again = await train(2, "stopped");
  assert.equal(again.resumedFrom, 4);
  assert.deepEqual(runResult(again.run), runResult(run));
});

Deno.test("a child that fails says so", async () => {
  const task = { engine: "wasm", folder: "/nowhere", name: "x" } as const;
  await assert.rejects(trainChild(task), /exit code 1/);
});

processTest("a visual-language model learns in two processes as in one", async () => {
  const visually = (size: number) => ({
    options: {
      ...{ sensorless: true, visual: {} },
      settings: { epochs: 1, epochSamples: 16, accumulation: 2 / size },
    },
  });
  const one = await train(1, "visual-1", visually(1)),
    two = await train(2, "visual-2", visually(2));
  assert.ok(Math.abs(two.state.trainLoss! / one.state.trainLoss! - 1) < 1e-4, "training");
  const { name, relative } = largestDifference(runValues(one.run), runValues(two.run));
  assert.ok(relative < 1e-2, `${name}: ${relative}`);
});
