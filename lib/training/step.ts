import { adamw, compile, Random, read, tf, valueAndGradients, variables } from "../engine/mod.ts";
import { type NamedTensors, ONE_PROCESS } from "../engine/mod.ts";
import { lossMetricShapes, policyLossTerms, training } from "../policies/mod.ts";
import { createAccumulator } from "./_accumulator.ts";
import type { BatchTree, TrainingBatch } from "./_batch_tree.ts";
import { clipOf, type Contribution } from "./_clip.ts";
import { sumOverProcesses } from "./_reduce.ts";
import { runningStatistics } from "./_running_statistics.ts";
import { readState, writeState } from "./_state.ts";
import { assignIf, average, copies, rateTensors } from "./_updates.ts";
import { SHAPES, withTokens } from "./_visual.ts";
import { optimizerGroups } from "./groups.ts";
import type { StepReport, TrainingStep, TrainingStepOptions } from "./training_step.ts";

export type { TrainingSnapshot } from "./_state.ts";
export type * from "./training_step.ts";

/**
 * Puts a policy in training: forward pass, gradients, their sum over the processes, bound of their norm,
 * AdamW by groups, guarded against values that are not finite, compiled into one function. With
 * accumulation there are two: one adds the gradients of a batch, one updates.
 *
 * @param options The policy, its first values, what is trained and how.
 * @returns The step.
 * @throws {RangeError} If a setting is out of range, or a group names an unknown tensor.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine, tf } from "../engine/mod.ts";
 * import { initialise, preset } from "../policies/mod.ts";
 * import { parameterGroups } from "./groups.ts";
 * import { learningRates } from "./schedule.ts";
 * import { createTrainingStep } from "./step.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const config = preset("tiny", { fusion: "none", visionDim: 32 });
 * const groups = parameterGroups(config, { learningRate: 1e-3 });
 * const step = createTrainingStep({
 *   ...{ config, groups, seed: 1, parameters: initialise(config, { seed: 1 }) },
 *   loss: { kind: "smooth-l1", beta: 0.1 },
 * });
 * const batch = { vision: tf.ones([2, 1, 32]), actions: tf.ones([2, 8, 7]) };
 * const losses: number[] = [];
 * for (let index = 0; index < 5; index++) {
 *   const position = { index, learningRates: learningRates(groups, index, { total: 5 }) };
 *   losses.push((await step.update([batch], position)).loss);
 * }
 * assert(losses[4]! < losses[0]!);
 * ```
 */
export function createTrainingStep(options: TrainingStepOptions): TrainingStep {
  const { config, parameters, groups, accumulation = 1, ema = null } = options;
  const { cluster = ONE_PROCESS, visual = null } = options;
  expectOptions(options);
  const policy = variables({ ...parameters, ...visual?.parameters });
  const trained = Object.fromEntries(
    groups.flatMap(({ keys }) => keys.map((key) => [key, policy[key]!])),
  );
  const statistics = runningStatistics(config, policy);
  const { betas = [0.9, 0.999] } = options;
  const optimizer = adamw({ betas, groups: optimizerGroups(groups) });
  const moments = optimizer.init(trained);
  const averages = ema === null ? null : copies(trained);
  const state = { config, policy, moments, averages, visual: visual?.tensors ?? [] };
  const shapes = lossMetricShapes(config);
  // Batches of other images are other functions: processes add up in one that they share.
  const isDirect = accumulation === 1 && (visual === null || cluster.size === 1);
  const accumulator = isDirect ? null : createAccumulator(trained, statistics, shapes);

  /** Loss terms and gradients of a batch, before their division. */
  const contribute = (batch: TrainingBatch, counter: tf.Tensor): Contribution => {
    const random = new Random({ seed: options.seed, counter });
    const draw = () => new Random({ seed: options.seed, counter });
    const given = batch.visual === undefined ? withTokens(batch, null, {}) : null;
    const cached = given && (options.augment?.(given, random) ?? given);
    const context = training(random);
    const all = { ...read(policy), ...read(accumulator?.statistics ?? {}) };
    const { value, gradients, metrics } = valueAndGradients((p) => {
      const now = { ...all, ...p }, seen = cached ?? withTokens(batch, visual, now, draw);
      const terms = policyLossTerms(now, config, seen, context, options.loss);
      const { sum, weight, metrics: sums = {} } = terms;
      return { loss: sum, metrics: { ...context.updates, ...sums, [WEIGHT]: weight } };
    }, read(trained));
    const pick = (names: readonly string[]) =>
      Object.fromEntries(names.map((name) => [name, metrics[name]!]));
    return {
      ...{ sum: value, weight: metrics[WEIGHT] as tf.Scalar, gradients },
      statistics: pick(Object.keys(context.updates)),
      metrics: pick(Object.keys(shapes)),
    };
  };

  /** Changes parameters, statistics, moments and averages; what is not finite changes nothing. */
  const apply = (contribution: Contribution, counts: tf.Tensor, rates: NamedTensors) => {
    const total = sumOverProcesses(cluster, contribution, counts, read(statistics), accumulation);
    const { sum, weight, gradients } = total;
    const divisor = tf.where(weight.greater(0), weight, tf.onesLike(weight)) as tf.Scalar;
    const loss = sum.div<tf.Scalar>(divisor);
    const { norm, scale, isFinite } = clipOf(gradients, loss, divisor, options.maxNorm ?? 1);
    optimizer.update(gradients, moments, trained, {
      ...{ schedule: rates, gradientScale: scale, enabled: isFinite },
    });
    if (averages !== null) average(averages, trained, ema!, moments["step"]!, isFinite);
    assignIf(isFinite, policy, total.statistics);
    const report = tf.stack([loss, norm, isFinite.cast("float32"), weight]); // (4)
    return { report, counts: total.counts, metrics: total.metrics };
  };

  const signatures = visual === null ? {} : { maxSignatures: SHAPES };
  const direct = compile(
    (batch: BatchTree, counter: tf.Tensor, counts: tf.Tensor, rates: NamedTensors) =>
      apply(contribute(batch, counter), counts, rates),
    { name: "training step", ...signatures, ...options.compile },
  );
  const add = compile((batch: BatchTree, counter: tf.Tensor) => {
    accumulator!.add(contribute(batch, counter));
    return [];
  }, { name: "gradient accumulation", ...signatures, ...options.compile });
  const finish = compile((counts: tf.Tensor, rates: NamedTensors) => {
    const report = apply(accumulator!.read(), counts, rates);
    accumulator!.clear();
    return report;
  }, { name: "accumulated update", ...options.compile });

  const update: TrainingStep["update"] = async (batches, position) => {
    const { index, learningRates, counts = () => ({}) } = position;
    const rates = rateTensors(groups, learningRates);
    let found: Report | undefined, counted: Readonly<Record<string, number>> = {};
    const countsTensor = () => tf.tensor1d(Object.values<number>(counted = counts()));
    let count = 0;
    try {
      for await (const batch of batches) {
        if (count === accumulation) refuseBatches(options, `more than ${count}`);
        const number = (index * cluster.size + cluster.rank) * accumulation + count;
        const counter = tf.scalar(number, "int32");
        if (accumulator !== null) add(batch, counter);
        else found = call((sums) => direct(batch, counter, sums, rates), countsTensor());
        counter.dispose();
        count++;
      }
      if (count === 0 || (cluster.size > 1 && count < accumulation)) {
        refuseBatches(options, count === 0 ? "none" : `${count}`);
      }
      found ??= call((sums) => finish(sums, rates), countsTensor());
      return await readReport(found, Object.keys(counted));
    } catch (error) {
      accumulator?.clear();
      throw error;
    } finally {
      tf.dispose([rates, (found ?? []) as tf.TensorContainer]);
    }
  };

  const all = [policy, moments, averages ?? {}];
  return {
    variables: policy,
    averages,
    update,
    snapshot: () => readState(state),
    restore: (snapshot) => {
      writeState(state, snapshot);
      accumulator?.clear();
    },
    synchronise: async () => {
      for (const each of all) await cluster.broadcastVariables(each);
      accumulator?.clear();
    },
    dispose: () => {
      [direct, add, finish].forEach((compiled) => compiled.dispose());
      accumulator?.dispose();
      all.flatMap((each) => Object.values(each)).forEach((variable) => variable.dispose());
    },
  };
}

/** Key of the weight among what a loss reports. */
const WEIGHT = "loss weight";

/** What an update returns: loss, norm, finite or not, weight; sums. */
type Report = {
  readonly report: tf.Tensor;
  readonly counts: tf.Tensor;
  readonly metrics: Record<string, tf.Tensor>;
};

function call(run: (counts: tf.Tensor) => Report, counts: tf.Tensor): Report {
  try {
    return run(counts);
  } finally {
    counts.dispose();
  }
}

async function readReport(
  { report, counts, metrics }: Report,
  names: readonly string[],
): Promise<StepReport> {
  const sums: Record<string, Float32Array> = {};
  const numbers = await counts.data();
  names.forEach((name, i) => sums[name] = Float32Array.of(numbers[i]!));
  for (const [name, tensor] of Object.entries(metrics)) {
    sums[name] = await tensor.data() as Float32Array;
  }
  const [loss, gradientNorm, isFinite, weight] = await report.data() as Float32Array;
  return {
    ...{ loss: loss!, gradientNorm: gradientNorm!, weight: weight!, sums },
    isSkipped: isFinite === 0,
  };
}

function expectOptions(options: TrainingStepOptions) {
  const { groups, accumulation = 1, ema = null } = options;
  const parameters = { ...options.parameters, ...options.visual?.parameters };
  if (!(Number.isSafeInteger(accumulation) && accumulation > 0)) {
    refuse("accumulation must be a positive integer", accumulation);
  }
  if (ema !== null && !(ema >= 0 && ema < 1)) refuse("ema must be from 0 to below 1", ema);
  const unknown = groups.flatMap(({ keys }) => keys).find((key) => !(key in parameters));
  if (unknown !== undefined) refuse("groups must name tensors of the policy", unknown);
  if (groups.length === 0) refuse("there must be groups of parameters", "none");
}

function refuse(expected: string, value: unknown): never {
  throw new RangeError(
    `Cannot make training step: ${expected}, current value is ${JSON.stringify(value)}`,
  );
}

function refuseBatches({ accumulation = 1, cluster }: TrainingStepOptions, found: string): never {
  const takes = (cluster?.size ?? 1) > 1 ? `${accumulation}` : `1 to ${accumulation}`;
  throw new RangeError(
    `Cannot update parameters: an update takes ${takes} batches, current value is ${found}`,
  );
}
