import { formatDuration } from "../cli/mod.ts";
import type { StepProgress, ValidationProgress } from "../training/mod.ts";

/**
 * What the progress line says of a training. The first step of a process compiles; rate and time left
 * leave it out.
 *
 * @param epochs in all
 * @param visionReuse how often a visual feature serves; default 1
 * @returns writes one line after each step
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { FIRST_STATE } from "../training/mod.ts";
 * import { stepLines } from "./step_line.ts";
 *
 * const totals = { ...FIRST_STATE.totals, steps: 11, sensor: 700, noSensor: 68 };
 * const first = {
 *   state: { ...FIRST_STATE, epoch: 2, globalStep: 59, totals },
 *   report: { loss: 0.0123, gradientNorm: 0.5, isSkipped: false, weight: 128, sums: {} },
 *   epochSteps: 24,
 *   totalSteps: 960,
 *   learningRate: 1e-3,
 *   seconds: { total: 9, data: 0.01, step: 8.9, save: 0 },
 *   samples: 64,
 * };
 * const line = stepLines(40);
 * assert.match(line(first), /^epoch 3\/40 step 11\/24 loss 0.012300 .* 8900 ms with compiling$/);
 * const next = { ...first.state, globalStep: 69, totals: { ...totals, steps: 21 } };
 * const seconds = { total: 10, data: 0.11, step: 9.7, save: 0 };
 * const second = line({ ...first, state: next, seconds, samples: 704 });
 * assert.match(second, /lr 1.00e-3 grad 0.50 sensor 700\/768 /);
 * assert.match(second, /640 samples\/s, data 10 %, step 80 ms, 1 min 29 s left$/);
 * ```
 */
export function stepLines(
  epochs: number,
  visionReuse: number = 1,
): (progress: StepProgress) => string {
  let first: StepProgress | undefined;
  return (progress) => {
    const { state, report, epochSteps, learningRate } = progress;
    const { totals } = state;
    const speed = first === undefined
      ? `step ${Math.round(1000 * progress.seconds.step)} ms with compiling`
      : speedSince(first, progress);
    first ??= progress;
    return [
      `epoch ${state.epoch + 1}/${epochs} step ${totals.steps}/${epochSteps}`,
      `loss ${report.loss.toFixed(6)} lr ${learningRate.toExponential(2)}`,
      `grad ${report.gradientNorm.toFixed(2)}`,
      `sensor ${totals.sensor}/${totals.sensor + totals.noSensor}`,
      ...(visionReuse > 1 ? [`vl_reuse ${meanReuse(report)}/${visionReuse}`] : []),
      speed,
    ].join(" ");
  };
}

/**
 * What the progress line says of a validation.
 *
 * @param progress of it
 * @returns one line
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { validationLine } from "./step_line.ts";
 *
 * const line = validationLine({ done: 64, total: 230, secondsLeft: 90 });
 * assert.equal(line, "validation 64 of 230 windows, about 1 min 30 s left");
 * ```
 */
export function validationLine({ done, total, secondsLeft }: ValidationProgress): string {
  const left = secondsLeft === null || done === total
    ? ""
    : `, about ${formatDuration(secondsLeft)} left`;
  return `validation ${done} of ${total} windows${left}`;
}

/** How many actions old the visual features of a step are, on average. */
function meanReuse({ sums }: StepProgress["report"]): string {
  const sum = (name: string) => sums[name]?.[0] ?? 0;
  return (sum("reuse") / Math.max(1, sum("sensor") + sum("noSensor"))).toFixed(2);
}

function speedSince(first: StepProgress, now: StepProgress): string {
  const steps = now.state.globalStep - first.state.globalStep;
  const since = (name: keyof StepProgress["seconds"]) => now.seconds[name] - first.seconds[name];
  const rate = (now.samples - first.samples) / since("total");
  const left = (now.totalSteps - now.state.globalStep) * since("total") / steps;
  return [
    `${Math.round(rate).toLocaleString("en")} samples/s`,
    `data ${Math.round(100 * since("data") / since("total"))} %`,
    `step ${Math.round(1000 * since("step") / steps)} ms`,
    `${formatDuration(left)} left`,
  ].join(", ");
}
