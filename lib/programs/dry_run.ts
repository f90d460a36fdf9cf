import { dataFacts } from "./_data_facts.ts";
import { type CommandContext, formatDuration, formatTable, peakRss } from "../cli/mod.ts";
import type { Engine } from "../engine/mod.ts";
import { plural } from "../episodes/_plural.ts";
import { formatBytes } from "../formats/format_bytes.ts";
import { countParameters, policyShapes } from "../policies/mod.ts";
import { type StepProgress, train, type TrainingJob } from "../training/mod.ts";
import { formatRate } from "./_format_rate.ts";
import { featuresText, tuningText } from "./_visual_words.ts";
import type { PreparedData } from "./prepare_data.ts";
import type { TrainingProgram } from "./program.ts";
import type { ResolvedTraining } from "./resolve.ts";

/** Steps that are computed to measure one; the first also compiles. */
const STEPS = 4;
/** Parameters of float32, and twice as many moments. */
const BYTES_PER_PARAMETER = 4, COPIES_IN_CHECKPOINT = 3;

/**
 * Says what a training would do: data, shares, parameters, steps, and, measured by a few real steps that
 * are thrown away, time and memory. Nothing is written.
 *
 * @param program that would train
 * @param resolved its settings
 * @param job all but the run
 * @param prepared the data
 * @param engine that computes
 * @param context of the command
 * @returns the plan
 */
export async function dryRun(
  program: TrainingProgram,
  { preset, settings, vision, tuning }: ResolvedTraining,
  { onStart: _, ...job }: Omit<TrainingJob, "run">,
  { data, cache }: PreparedData,
  engine: Engine,
  { print, progress, signal }: CommandContext,
) {
  const { config } = job, { family, fusion, architecture } = config;
  const parameters = countParameters(config);
  const numbers = policyShapes(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const trained = job.visual?.model.tensors ?? [];
  const visualNumbers = trained.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const seen: StepProgress[] = [];
  const enough = new AbortController();
  progress.update(`computing ${STEPS} steps to measure one`);
  const outcome = await train({
    ...job,
    run: null,
    signal: AbortSignal.any([signal, enough.signal]),
    onEpoch: () => {},
    onStep: (step) => {
      if (seen.push(step) >= STEPS) enough.abort();
    },
  });
  progress.clear();
  signal.throwIfAborted();
  const first = seen[0]!, last = seen.at(-1)!;
  const stepSeconds = seen.length < 2
    ? first.seconds.step
    : (last.seconds.step + last.seconds.data - first.seconds.step - first.seconds.data) /
      (seen.length - 1);
  const { epochSteps, totalSteps } = first;
  const processes = engine.cluster.size;
  const plan = {
    program: program.name,
    stage: program.stage,
    ...{ family, fusion, architecture, preset, parameters },
    engine: engine.name,
    processes,
    data: { ...dataFacts(data, outcome.shares), cache },
    ...(tuning === null ? {} : { visionLanguage: { ...tuning, parameters: visualNumbers } }),
    visionReuse: vision.visionReuse,
    effectiveBatch: settings.batchSize * settings.accumulation * processes,
    epochs: settings.epochs,
    steps: { epoch: epochSteps, total: totalSteps },
    seconds: { first: first.seconds.step, step: stepSeconds, total: stepSeconds * totalSteps },
    bytes: {
      peak: peakRss(),
      checkpoint: (numbers + visualNumbers) * BYTES_PER_PARAMETER +
        (parameters.total + visualNumbers) * BYTES_PER_PARAMETER *
          (COPIES_IN_CHECKPOINT - 1 + (settings.emaDecay === null ? 0 : 1)),
    },
    loss: first.report.loss,
    settings,
  };
  const rows = [
    ["program", `${plan.program}: ${architecture} ${family}, fusion ${fusion}, preset ${preset}`],
    ["trained parameters", parameters.total.toLocaleString("en")],
    ["features", featuresText(job.features) ?? "–"],
    ...(tuning === null ? [] : [["visual-language model", tuningText(tuning, visualNumbers)]]),
    ["effective batch", batchText(settings, processes)],
    [
      "steps",
      `${epochSteps} each epoch, ${plural(settings.epochs, "epoch")}, ${totalSteps} in all`,
    ],
    ["learning rate", rateText(settings, config.sensorEncoder !== null)],
    ["loss", lossText(settings)],
    ["first loss", first.report.loss.toFixed(6)],
    ["time of a step", `${Math.round(1000 * stepSeconds)} ms, measured on ${engine.name}`],
    ["time of all steps", `about ${formatDuration(plan.seconds.total)}, validation besides`],
    ["memory", `${formatBytes(plan.bytes.peak)} at most so far, in each process`],
    ["a checkpoint", `about ${formatBytes(plan.bytes.checkpoint)}, three are kept at most`],
  ];
  print(formatTable([["plan", ""], ...rows]));
  print("No run was written: this was a dry run.");
  return plan;
}

function batchText(
  { batchSize, accumulation }: ResolvedTraining["settings"],
  processes: number,
): string {
  const parts = [`${batchSize} samples`];
  if (accumulation > 1) parts.push(`${accumulation} micro-batches`);
  if (processes > 1) parts.push(`${processes} processes`);
  const whole = batchSize * accumulation * processes;
  return parts.length === 1 ? `${whole} samples` : `${whole} samples: ${parts.join(" × ")}`;
}

function rateText(
  { learningRate, sensorLearningRate, minLearningRate, warmupRatio, holdRatio }: ResolvedTraining[
    "settings"
  ],
  hasSensor: boolean,
): string {
  const sensor = hasSensor ? `, sensor ${formatRate(sensorLearningRate)}` : "";
  return `${formatRate(learningRate)}${sensor}; rises for ${
    100 * warmupRatio
  } % of the steps, stays for ` +
    `${100 * holdRatio} %, falls to ${formatRate(minLearningRate)}`;
}

function lossText({ loss, betas, emaDecay, weightDecay }: ResolvedTraining["settings"]): string {
  const average = emaDecay === null ? "no average of parameters" : `average ${emaDecay}`;
  return `${loss}; AdamW with betas ${
    betas.join(" and ")
  }, weight decay ${weightDecay}; ${average}`;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
