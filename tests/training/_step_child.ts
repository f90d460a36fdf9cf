/** A few updates of a training step in one process or several, and a digest of what they left. */
import { createHash } from "node:crypto";
import { Random, startEngine, tf } from "../../lib/engine/mod.ts";
import { initialise, type PolicyBatch } from "../../lib/policies/mod.ts";
import { createTrainingStep, parameterGroups } from "../../lib/training/mod.ts";
import { normal, referencePolicy, SIZES, trocarPolicy } from "../policies/_networks.ts";

/** What it is to do. */
export interface StepTask {
  readonly architecture: "trocar" | "reference";
  readonly family: "regression" | "diffusion";
  /** Micro-batches of each process. */
  readonly accumulation: number;
  /** Seed of this process's first values. */
  readonly seed: number;
  readonly updates: number;
}

/** What it found. */
export interface StepOutcome {
  readonly rank: number;
  readonly digest: string;
  readonly reports: readonly { readonly loss: number; readonly sums: Record<string, number[]> }[];
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/** Micro-batch n of all: the same whoever takes it. Sizes of weights differ, so that sums are tested. */
function microBatch(number: number): PolicyBatch {
  const size = 3;
  return {
    vision: normal([size, 1, SIZES.visionDim], 100 + number),
    sensor: normal([size, 65, SIZES.inputChannels], 200 + number),
    actions: normal([size, 8, 7], 300 + number),
    weights: { confidence: tf.tensor1d([1, 0.5, number % 3]) },
  };
}

const noisy = (batch: PolicyBatch, random: Random): PolicyBatch => ({
  ...batch,
  vision: batch.vision.add(random.normal(batch.vision.shape, "augment").mul(0.1)),
});

if (import.meta.main) {
  const task: StepTask = JSON.parse(Deno.args[0]!);
  const { architecture, family, accumulation, seed, updates } = task;
  const { cluster } = await startEngine({
    ...{ engine: "tensorflow", install: false, quiet: true, threads: 1 } as const,
  });
  const config = (architecture === "trocar" ? trocarPolicy : referencePolicy)(family, "concat");
  const groups = parameterGroups(config);
  const step = createTrainingStep({
    ...{ config, groups, cluster, accumulation, seed: 5, ema: 0.9, augment: noisy },
    parameters: initialise(config, { seed: seed + cluster.rank }),
  });
  await step.synchronise();
  const reports = [];
  const learningRates = Object.fromEntries(groups.map(({ name }) => [name, 1e-3]));
  for (let index = 0; index < updates; index++) {
    const first = (index * cluster.size + cluster.rank) * accumulation;
    const batches = Array.from({ length: accumulation }, (_, k) => microBatch(first + k));
    const counts = () => ({ mine: 1 + cluster.rank });
    const { loss, sums } = await step.update(batches, { index, learningRates, counts });
    reports.push({
      loss,
      sums: Object.fromEntries(Object.entries(sums).map(([name, all]) => [name, [...all]])),
    });
  }
  const { model, training } = await step.snapshot();
  const hash = createHash("sha256");
  const values: Record<string, number[]> = {};
  for (const [name, { data }] of Object.entries({ ...model, ...training })) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    values[name] = Array.from(data, Number);
  }
  const outcome: StepOutcome = {
    ...{ rank: cluster.rank, digest: hash.digest("hex"), reports },
    values: cluster.rank === 0 ? values : {},
  };
  console.log(JSON.stringify(outcome));
}
