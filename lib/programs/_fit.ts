/** Whether data and settings fit together. */
import type { PreparedData } from "./prepare_data.ts";
import type { ResolvedTraining } from "./resolve.ts";

/** Refuses a policy with sensor where no episode has one. */
export function expectSensor({ sensorRows }: ResolvedTraining, { data }: PreparedData): void {
  if (sensorRows === null || data.statistics.force !== null) return;
  throw new RangeError(
    `Cannot train a policy with sensor: at least one training episode must have one, current ` +
      `value is none of ${data.training.dataset.episodes.length}. Train with --no-sensor, or ` +
      "with other data.",
  );
}

/** Warns of steps that take more samples than there are. */
export function warnOfRepeats(
  { settings: { batchSize, accumulation } }: ResolvedTraining,
  { data }: PreparedData,
  processes: number,
  warn: (text: string) => void,
): void {
  const step = batchSize * accumulation * processes, { length } = data.training.dataset;
  if (step <= length) return;
  warn(
    `A step takes ${step} samples, of which there are ${length}: samples repeat within it. Lower ` +
      "--batch-size or --grad-accum-steps.",
  );
}
