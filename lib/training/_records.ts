/**
 * Every number that a training reports, by the names of the Python reference's metrics. `metrics.jsonl`
 * has a line per step and one per epoch; what is null did not exist (no sample counted, no validation).
 *
 * A diffusion policy's `loss` is the error of what its architecture predicts, of the velocity for
 * `trocar` and of the noise for `reference`; `noise_loss` is the squared error of the noise for both.
 *
 * Units: losses and norms have none (standard deviations of an action, squared for `mse`; of noise and
 * velocity, whose variance is 1, for diffusion); learning rates have none; `_M` are millions of parameters; `_ratio` are shares from 0
 * to 1; `%` are percent; `_GB` are 10⁹ bytes; `train/diffusion_t` is a diffusion step, from 0;
 * `train/vl_reuse_counter` is a number of actions; all others are counts of steps, epochs (the one in
 * progress, from 1) or samples, of which `train/sensor_samples` and `train/nonsensor_samples` count
 * from the beginning of the epoch.
 */
import { countParameters, type PolicyConfig, trainedKeys } from "../policies/mod.ts";
import { policyShapes } from "../policies/mod.ts";
import type { EpochTotals } from "./epoch_totals.ts";
import type { MetricsRecord } from "./run/metrics_log.ts";
import type { StepReport } from "./step.ts";
import type { TrainingState } from "./training_state.ts";

/** What all lines follow from. */
interface Subject {
  readonly config: PolicyConfig;
  /** After the step or epoch. */
  readonly state: TrainingState;
  /** Learning rates by the names of the groups. */
  readonly rates: Readonly<Record<string, number>>;
  /** Trained numbers of a visual-language model. */
  readonly visualParameters: number;
}

/** What the line of a step follows from. */
export interface StepFacts extends Subject {
  readonly report: StepReport;
  /** Actions that share one image at most, R. */
  readonly visionReuse: number;
}

/** What the line of an epoch follows from. */
export interface EpochFacts extends Subject {
  /** Of the epoch. */
  readonly totals: EpochTotals;
  /** As validation gave it, which may not be finite; null without validation. */
  readonly validationLoss: number | null;
  /** Of the diffusion family; null without validation. */
  readonly noiseLoss: number | null;
}

/** Values by name; undefined where the name does not apply. */
type Table<Facts> = Readonly<
  Record<string, (facts: Facts) => number | null | undefined>
>;

const base = ({ rates }: Subject) => Object.values(rates)[0] ?? null;
const ofDiffusion = <F extends Subject>(value: (facts: F) => number | null) => (facts: F) =>
  facts.config.family === "diffusion" ? value(facts) : undefined;
const mean = (sum: Float32Array | undefined, count: number) =>
  sum === undefined || count === 0 ? null : sum[0]! / count;
const samplesOf = ({ sums }: StepReport) => sums["sensor"]![0]! + sums["noSensor"]![0]!;
const noiseMean = (name: string) =>
  ofDiffusion(({ report: { sums } }: StepFacts) => mean(sums[name], sums["samples"]?.[0] ?? 0));

const STEP: Table<StepFacts> = {
  global_step: ({ state }) => state.globalStep,
  epoch: ({ state }) => state.epoch + 1,
  "train/loss_step": ({ report }) => report.loss,
  "train/loss": ofDiffusion(({ report }: StepFacts) => report.loss),
  "train/noise_loss": noiseMean("noiseLoss"), // not weighted, squared
  "train/diffusion_t": noiseMean("steps"),
  "train/lr": base,
  "train/grad_norm": ({ report }) => report.gradientNorm, // before it is bounded
  "train/epoch": ofDiffusion(({ state }: StepFacts) => state.epoch + 1),
  "train/step": ofDiffusion(({ state }: StepFacts) => state.globalStep),
  "train/sensor_samples": ({ state }) => state.totals.sensor,
  "train/nonsensor_samples": ({ state }) => state.totals.noSensor,
  "train/vl_reuse_counter": ({ report, visionReuse }) =>
    visionReuse > 1 ? mean(report.sums["reuse"], samplesOf(report)) : undefined,
  "train/skipped": ({ report }) => report.isSkipped ? 1 : undefined,
};

const EPOCH: Table<EpochFacts> = {
  global_step: ({ state }) => state.globalStep,
  epoch: ({ state }) => state.epoch,
  "train/loss_epoch": ({ state }) => state.trainLoss,
  "val/loss_epoch": ({ validationLoss }) => validationLoss,
  "val/loss": ofDiffusion(({ validationLoss }: EpochFacts) => validationLoss),
  "val/noise_loss": ofDiffusion(({ noiseLoss }: EpochFacts) => noiseLoss), // as in training
  "val/epoch": ofDiffusion(({ state }: EpochFacts) => state.epoch),
  "val/best_loss": ({ state }) => state.bestLoss,
  "val/best_epoch": ({ state }) => state.bestEpoch,
  "epoch/avg_loss": ofDiffusion(({ state }: EpochFacts) => state.trainLoss),
  "epoch/train_loss": ofDiffusion(({ state }: EpochFacts) => state.trainLoss),
  "epoch/val_loss": ofDiffusion(({ validationLoss }: EpochFacts) => validationLoss),
  "epoch/sensor_samples": ofDiffusion(({ totals }: EpochFacts) => totals.sensor),
  "epoch/nonsensor_samples": ofDiffusion(({ totals }: EpochFacts) => totals.noSensor),
  "train/epoch_sensor_samples": ({ totals }) => totals.sensor,
  "train/epoch_nonsensor_samples": ({ totals }) => totals.noSensor,
  "train/sensor_ratio": ({ totals }) =>
    totals.sensor / Math.max(1, totals.sensor + totals.noSensor),
  "train/epoch_skipped_steps": ({ totals }) => totals.skipped,
  "params/trainable_M": ({ config, visualParameters }) =>
    (trainable(config) + visualParameters) / 1e6,
  "params/frozen_M": ({ config }) => frozen(config) / 1e6,
  "params/frozen_ratio": ({ config }) => frozen(config) / countParameters(config).total,
  "lr/base_lr": base,
};

/** The line of a step. */
export function stepRecord(facts: StepFacts): MetricsRecord {
  return recordOf(STEP, facts);
}

/** The line of an epoch; besides the table the learning rate of each group, `lr/GROUP`. */
export function epochRecord(facts: EpochFacts): MetricsRecord {
  const rates = Object.entries(facts.rates).map(([name, rate]) => [`lr/${name}`, rate]);
  return { ...recordOf(EPOCH, facts), ...Object.fromEntries(rates) };
}

/**
 * What differs from machine to machine: not for `metrics.jsonl`, which equal runs have equal. The memory
 * of a GPU is not known here.
 */
export function systemRecord(): MetricsRecord {
  const { total, available } = Deno.systemMemoryInfo();
  return { "system/cpu_mem_%": 100 * (1 - available / total) };
}

function recordOf<Facts>(table: Table<Facts>, facts: Facts): MetricsRecord {
  const record: Record<string, number | null> = {};
  for (const [name, of] of Object.entries(table)) {
    const value = of(facts);
    if (value !== undefined) record[name] = value;
  }
  return record;
}

function trainable(config: PolicyConfig): number {
  const trained = new Set(trainedKeys(config));
  return policyShapes(config).filter(({ key }) => trained.has(key))
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

/** Of the policy, without a visual-language model. */
function frozen(config: PolicyConfig): number {
  return countParameters(config).total - trainable(config);
}
