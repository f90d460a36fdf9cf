/** Lines of `metrics.jsonl`, by the names of the Python reference's metrics. */
import { countParameters, type PolicyConfig } from "../policies/mod.ts";
import type { EpochTotals } from "./epoch_totals.ts";
import type { MetricsRecord } from "./run/metrics_log.ts";
import type { StepReport } from "./step.ts";
import type { TrainingState } from "./training_state.ts";

type Rates = Readonly<Record<string, number>>;

/** Of a step. */
export function stepRecord(
  { globalStep, epoch, totals }: TrainingState,
  { loss, gradientNorm, isSkipped }: StepReport,
  rates: Rates,
): MetricsRecord {
  return {
    global_step: globalStep,
    epoch: epoch + 1,
    "train/loss_step": loss,
    "train/lr": Object.values(rates)[0] ?? null,
    "train/grad_norm": gradientNorm,
    "train/sensor_samples": totals.sensor,
    "train/nonsensor_samples": totals.noSensor,
    ...(isSkipped ? { "train/skipped": 1 } : {}),
  };
}

/** Of an epoch; `state` is that after it. */
export function epochRecord(
  state: TrainingState,
  totals: EpochTotals,
  rates: Rates,
  config: PolicyConfig,
): MetricsRecord {
  const { total } = countParameters(config);
  return {
    global_step: state.globalStep,
    epoch: state.epoch,
    "train/loss_epoch": state.trainLoss,
    "val/loss_epoch": state.validationLoss,
    "val/best_loss": state.bestLoss,
    "val/best_epoch": state.bestEpoch,
    "train/epoch_sensor_samples": totals.sensor,
    "train/epoch_nonsensor_samples": totals.noSensor,
    "train/sensor_ratio": totals.sensor / Math.max(1, totals.sensor + totals.noSensor),
    "train/epoch_skipped_steps": totals.skipped,
    "params/trainable_M": total / 1e6,
    "lr/base_lr": Object.values(rates)[0] ?? null,
    ...Object.fromEntries(Object.entries(rates).map(([name, rate]) => [`lr/${name}`, rate])),
  };
}
