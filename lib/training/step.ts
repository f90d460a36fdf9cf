import {
  adamw,
  compile,
  type CompileOptions,
  type NamedTensors,
  Random,
  read,
  tf,
  valueAndGradients,
  type Variables,
  variables,
} from "../engine/mod.ts";
import {
  type LossOptions,
  type Parameters,
  type PolicyBatch,
  type PolicyConfig,
  policyLossTerms,
  training,
} from "../policies/mod.ts";
import type { BatchTree } from "./_batch_tree.ts";
import { createAccumulator } from "./_accumulator.ts";
import { clipOf, type Contribution } from "./_clip.ts";
import { optimizerGroups, type TrainingGroup } from "./groups.ts";
import { assignUpdates, average, copies, rateTensors } from "./_updates.ts";
import { readState, type TrainingSnapshot, writeState } from "./_state.ts";

export type { TrainingSnapshot } from "./_state.ts";

/** Settings of {@link createTrainingStep}. */
export interface TrainingStepOptions {
  /** The policy. */
  readonly config: PolicyConfig;
  /** First values of all tensors of `policyShapes`, in the engine's layout; stay the caller's. */
  readonly parameters: Parameters;
  /** What is trained, with which weight decay. */
  readonly groups: readonly TrainingGroup[];
  /** Seed of dropout, noise and augmentation; of each rank another. */
  readonly seed: number;
  /** Error, weights of dimensions, normalisation. @default {mean squared error, global} */
  readonly loss?: LossOptions;
  /** The most batches whose gradients are added before an update. @default {1} */
  readonly accumulation?: number;
  /** Bound of the norm of all gradients together; `Infinity` only measures it. @default {1} */
  readonly maxNorm?: number;
  /** Decay rates of AdamW's moments. @default {[0.9, 0.999]} */
  readonly betas?: readonly [number, number];
  /** Decay of a running average of the trained tensors; null keeps none. @default {null} */
  readonly ema?: number | null;
  /** Changes what the policy sees in training. @default {nothing} */
  readonly augment?: (batch: PolicyBatch, random: Random) => PolicyBatch;
  /** How the step is compiled. */
  readonly compile?: Pick<CompileOptions, "executor" | "precision" | "onTrace">;
}

/** What an update was. */
export interface StepReport {
  /** Loss of the effective batch, before the update. */
  readonly loss: number;
  /** Norm of all gradients together, before the bound. */
  readonly gradientNorm: number;
  /** Whether nothing was changed, because the loss or a gradient was not finite. */
  readonly isSkipped: boolean;
  /** What the loss was divided by: with normalisation `global` the sum of the samples' weights. */
  readonly weight: number;
}

/** When an update is. */
export interface StepPosition {
  /** Number of the update, from 0; random numbers depend on it and the seed only. */
  readonly index: number;
  /** Learning rate of each group by its name, see `learningRates`. */
  readonly learningRates: Readonly<Record<string, number>>;
}

/** A policy in training. */
export interface TrainingStep {
  /** All tensors of the policy by their keys; an update changes them in place. */
  readonly variables: Variables;
  /** Running averages of the trained ones by the same keys; null without. */
  readonly averages: Variables | null;
  /**
   * One update of the optimiser from all given batches, as if they were one: loss and gradients are
   * divided by what all of them weigh. A group that is smaller than the others, at the end of an epoch,
   * thus counts right.
   *
   * @param batches At least one, at most `accumulation`; stay the caller's. A generator may dispose of
   * each when it is asked for the next.
   * @param position Number of the update, learning rates.
   * @returns Loss and norm.
   * @throws {RangeError} If there are no or too many batches, or one does not fit the policy.
   */
  update(
    batches: Iterable<PolicyBatch> | AsyncIterable<PolicyBatch>,
    position: StepPosition,
  ): Promise<StepReport>;
  /**
   * Copies everything that the next update depends on besides its arguments.
   *
   * @returns Arrays in the layout of checkpoints.
   */
  snapshot(): Promise<TrainingSnapshot>;
  /**
   * Goes on from a snapshot, bit for bit.
   *
   * @param snapshot Of a step with the same policy and settings.
   * @throws {RangeError} If arrays are missing, unexpected, or of another shape or type; all are named,
   * and nothing has changed.
   */
  restore(snapshot: TrainingSnapshot): void;
  /** Frees the memory. */
  dispose(): void;
}

/**
 * Puts a policy in training: forward pass, gradients, bound of their norm, AdamW by groups, guarded
 * against values that are not finite, compiled into one function. With accumulation there are two: one
 * adds the gradients of a batch, one updates.
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
  expectOptions(options);
  const policy = variables(parameters);
  const trained = Object.fromEntries(
    groups.flatMap(({ keys }) => keys.map((key) => [key, policy[key]!])),
  );
  const { betas = [0.9, 0.999] } = options;
  const optimizer = adamw({ betas, groups: optimizerGroups(groups) });
  const moments = optimizer.init(trained);
  const averages = ema === null ? null : copies(trained);
  const state = { config, policy, moments, averages };

  /** Loss terms and gradients of a batch, before their division. */
  const contribute = (batch: PolicyBatch, counter: tf.Tensor): Contribution => {
    const random = new Random({ seed: options.seed, counter });
    const seen = options.augment?.(batch, random) ?? batch;
    const context = training(random);
    const all = read(policy);
    const { value, gradients, metrics } = valueAndGradients((p) => {
      const { sum, weight } = policyLossTerms(
        { ...all, ...p },
        config,
        seen,
        context,
        options.loss,
      );
      return { loss: sum, metrics: { ...context.updates, [WEIGHT]: weight } };
    }, read(trained));
    const { [WEIGHT]: weight, ...updates } = metrics;
    return { sum: value, weight: weight as tf.Scalar, gradients, updates };
  };

  /** Changes parameters, moments and averages; what is not finite changes nothing. */
  const apply = ({ sum, weight, gradients }: Contribution, rates: NamedTensors): tf.Tensor => {
    const divisor = tf.where(weight.greater(0), weight, tf.onesLike(weight)) as tf.Scalar;
    const loss = sum.div<tf.Scalar>(divisor);
    const { norm, scale, isFinite } = clipOf(gradients, loss, divisor, options.maxNorm ?? 1);
    optimizer.update(gradients, moments, trained, {
      ...{ schedule: rates, gradientScale: scale, enabled: isFinite },
    });
    if (averages !== null) average(averages, trained, ema!, moments["step"]!, isFinite);
    return tf.stack([loss, norm, isFinite.cast("float32"), weight]); // (4)
  };

  const accumulator = accumulation === 1 ? null : createAccumulator(trained);
  const direct = compile((batch: BatchTree, counter: tf.Tensor, rates: NamedTensors) => {
    const contribution = contribute(batch, counter);
    const report = apply(contribution, rates);
    assignUpdates(policy, contribution.updates, report.slice([2], [1]).reshape([]).cast("bool"));
    return report;
  }, { name: "training step", ...options.compile });
  const add = compile((batch: BatchTree, counter: tf.Tensor) => {
    const contribution = contribute(batch, counter);
    accumulator!.add(contribution);
    assignUpdates(policy, contribution.updates, tf.isFinite(contribution.sum));
    return [];
  }, { name: "gradient accumulation", ...options.compile });
  const finish = compile((rates: NamedTensors) => {
    const report = apply(accumulator!.read(), rates);
    accumulator!.clear();
    return report;
  }, { name: "accumulated update", ...options.compile });

  const update: TrainingStep["update"] = async (batches, { index, learningRates }) => {
    const rates = rateTensors(groups, learningRates);
    let report: tf.Tensor | undefined;
    let count = 0;
    try {
      for await (const batch of batches) {
        if (count === accumulation) refuseBatches(accumulation, `more than ${count}`);
        const counter = tf.scalar(index * accumulation + count, "int32");
        if (accumulator === null) report = direct(batch, counter, rates) as tf.Tensor;
        else add(batch, counter);
        counter.dispose();
        count++;
      }
      if (count === 0) refuseBatches(accumulation, "none");
      report ??= finish(rates) as tf.Tensor;
      const [loss, gradientNorm, isFinite, weight] = await report.data();
      return {
        loss: loss!,
        gradientNorm: gradientNorm!,
        isSkipped: isFinite === 0,
        weight: weight!,
      };
    } catch (error) {
      accumulator?.clear();
      throw error;
    } finally {
      tf.dispose([rates, report ?? []]);
    }
  };

  return {
    variables: policy,
    averages,
    update,
    snapshot: () => readState(state),
    restore: (snapshot) => {
      writeState(state, snapshot);
      accumulator?.clear();
    },
    dispose: () => {
      [direct, add, finish].forEach((compiled) => compiled.dispose());
      accumulator?.dispose();
      [policy, moments, averages ?? {}].flatMap((all) => Object.values(all))
        .forEach((variable) => variable.dispose());
    },
  };
}

/** Key of the weight among the running statistics. */
const WEIGHT = "loss weight";

function expectOptions({ groups, parameters, accumulation = 1, ema = null }: TrainingStepOptions) {
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

function refuseBatches(accumulation: number, found: string): never {
  throw new RangeError(
    `Cannot update parameters: an update takes 1 to ${accumulation} batches, current value is ${found}`,
  );
}
