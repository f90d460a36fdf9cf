/** What a run tells people at its end. */
import { basename, join, relative } from "node:path";
import { kebab } from "../cli/_kebab.ts";
import { type CommandContext, formatDuration, formatTable, quote } from "../cli/mod.ts";
import {
  BASELINES,
  type ClosedLoopReport,
  closedLoopRows,
  formatEvaluation,
  reportPage,
} from "../evaluation/mod.ts";
import { BASELINE_TITLES, formatNumber } from "../evaluation/_words.ts";
import { plural } from "../episodes/_plural.ts";
import { describeReuse } from "../datasets/mod.ts";
import { readMetrics, readRunConfig } from "../training/mod.ts";
import { type RunEvaluation, trials } from "./evaluate_run.ts";
import type { TrainingValues } from "./flags.ts";
import type { PreparedData } from "./prepare_data.ts";
import { samplingText } from "./sampling_flags.ts";
import type { RunSummary } from "./summary.ts";
import { featuresText, tuningText } from "./_visual_words.ts";

/**
 * Prints errors beside baselines, and successes in the simulator.
 *
 * @param evaluation of a run
 * @param context of the command
 */
export function printResults(evaluation: RunEvaluation, { print }: CommandContext): void {
  if (evaluation.openLoop !== null) print(formatEvaluation(evaluation.openLoop));
  if (evaluation.closedLoop.length === 0) return;
  const rows = insertions(evaluation).map(({ title, report }) => [title, report] as const);
  print(`\nInsertions in the simulator\n${formatTable(closedLoopRows(rows))}`);
}

function policyTitle({ replanMs, visionReuse }: ClosedLoopReport): string {
  const vision = visionReuse !== null && visionReuse > 1
    ? `, vision every ${visionReuse / 10} s`
    : "";
  return `policy, every ${replanMs / 1000} s${vision}`;
}

/** The policy at each replanning interval, then those that need no training. */
function insertions({ closedLoop, baselines }: RunEvaluation) {
  return [
    ...closedLoop.map((report) => ({ title: "policy", report })),
    ...(baselines === null ? [] : [
      { title: "expert, knows the truth", report: baselines.expert },
      { title: "hold last action", report: baselines.hold },
      { title: "no motion", report: baselines.zero },
    ]),
  ];
}

/** What the last lines of a run are made of. */
export interface RunEnd {
  /** Its folder. */
  readonly run: string;
  /** Its summary. */
  readonly summary: RunSummary;
  /** What became of it. */
  readonly evaluation: RunEvaluation;
  /** Its data. */
  readonly prepared: PreparedData;
  /** The flags. */
  readonly values: Pick<
    TrainingValues,
    "noSensor" | "zChunk" | "wandb" | typeof FEATURE_FLAGS[number]
  >;
  /** How long everything took. */
  readonly seconds: number;
}

/**
 * Says how good the policy is, where everything is, and what to do next.
 *
 * @param end of a run
 * @param context of the command
 */
export function printEnd(end: RunEnd, { note }: CommandContext): void {
  const { summary, prepared, values, seconds } = end;
  const { checkpoints, stopped, epochs, val } = summary;
  const path = shown(end.run), run = quote(path);
  const evaluated = stopped === "early" ? "best" : "final";
  const checkpoint = (name: "best" | "final", epoch: number | null) => {
    const place = checkpoints[name];
    if (place === null) return [];
    const mark = name === evaluated ? ", the one that was evaluated" : "";
    return [[name, `${shown(place)} (epoch ${epoch}${mark})`]];
  };
  const isSecond = summary.beginsWith !== null;
  const base = summary.visionLanguage === null ? "" : modelFlag(values);
  const others = [
    ...(prepared.demonstration === null || isSecond ? [] : [["your data", "--data EPISODES"]]),
    ...(values.noSensor !== false || isSecond ? [] : [["no sensor", "--no-sensor"]]),
    ...(values.zChunk !== "zeros" || isSecond ? [] : [["the reference's mistake", "--z-chunk gt"]]),
  ];
  const intervals = new Set(trials(summary.vision).map(({ replanMs }) => replanMs));
  const rows = [
    ["run", path],
    ["report", join(path, "report.html")],
    ...checkpoint("best", val.bestEpoch),
    ...checkpoint("final", epochs),
    ...(prepared.demonstration === null ? [] : [["recordings", prepared.demonstration]]),
    ...summary.exported.map((path, i) => [i === 0 ? "export" : "", shown(path)]),
    ...(values.wandb ? [["wandb", `wandb sync ${quote(join(path, "wandb"))}/offline-run-*`]] : []),
    ["features", prepared.cache],
    ["time", `${formatDuration(seconds)} in all`],
    ["next", `deno task check:checkpoint ${run}`],
    ...simulateCommand(run, [...intervals], end),
    ["", `deno task evaluate --run ${run}`],
    ["", predictCommand(run, prepared)],
    ["", `deno task convert ${run} ${quote(`${basename(path)}.pt`)}${base}`],
    ...others.map(([what, flags], i) => [
      i === 0 ? "try" : "",
      `deno task ${summary.program}${sameFeatures(values)} ${flags}   # ${what}`,
    ]),
  ];
  const table = rows.map(([name, text]) => `${name!.padEnd(12)}${text}`).join("\n");
  note(`\n${verdict(end.evaluation)}\n\n${table}`);
}

/** Flags that choose visual features. */
const FEATURE_FLAGS = [
  ...["features", "model", "randomWeights", "adapter"] as const,
  ...["featureTap", "minPixels", "maxPixels"] as const,
] as const;
/** Of these, what they are if nobody says anything. */
const USUAL: Readonly<Record<string, string>> = { features: "pixel-2048", featureTap: "mean" };

/** The flags of the same features. */
function sameFeatures(values: RunEnd["values"]): string {
  return FEATURE_FLAGS.map((name) => {
    const value = values[name];
    if (value === undefined || value === USUAL[name]) return "";
    return ` --${kebab(name)} ${quote(String(value))}`;
  }).join("");
}

function modelFlag({ model }: RunEnd["values"]): string {
  return model === undefined ? "" : ` --model ${quote(model)}`;
}

/** A few insertions where a model looks at each picture for seconds; none where no model does. */
function simulateCommand(
  run: string,
  intervals: readonly number[],
  { prepared: { extractor }, values }: RunEnd,
): string[][] {
  if (extractor.name === "imported") return [];
  const how = extractor.name === "pixel-2048"
    ? `--replan-ms ${intervals.join(",")}`
    : `--episodes 1 --replan-ms ${Math.max(...intervals)}${modelFlag(values)}`;
  return [["", `deno task simulate --run ${run} ${how}`]];
}

/** The policy against the best baseline. */
function verdict({ openLoop }: RunEvaluation): string {
  if (openLoop === null) return "Nothing was validated: there were no validation episodes.";
  const { model, baselines, rmseUnit } = openLoop;
  const best = BASELINES.reduce((a, b) => baselines[b].rmse < baselines[a].rmse ? b : a);
  const size = (value: number) => `${formatNumber(value)}${rmseUnit === "mm" ? " mm" : ""}`;
  const { rmse } = model, other = baselines[best].rmse;
  const found = `RMSE ${size(rmse)} against ${size(other)}`;
  return rmse < other
    ? `The policy is ${(other / rmse).toFixed(2)} times better than the best baseline, ` +
      `${BASELINE_TITLES[best]}: ${found}.`
    : `The policy is no better than the best baseline, ${BASELINE_TITLES[best]}: ${found}.`;
}

function predictCommand(run: string, { data: { validation, training } }: PreparedData): string {
  const { episodes, samples } = (validation ?? training).dataset;
  const last = samples.episode.lastIndexOf(samples.episode[0]!);
  const step = samples.action[Math.min(20, last)];
  const episode = shown(episodes[samples.episode[0]!]!.path);
  return `deno task predict --run ${run} --episode ${quote(episode)} --step ${step}`;
}

function visionText({ visionReuse, visionLatencyMs }: RunSummary["vision"]): string {
  return `each serves ${visionReuse} actions (${
    describeReuse(visionReuse)
  }); in the simulator they ` +
    `come ${visionLatencyMs} ms late`;
}

/** A path as it is typed from here. */
function shown(path: string): string {
  const here = relative(Deno.cwd(), path);
  return here === "" || here.startsWith("..") ? path : here;
}

function sizeText(samples: number, episodes: number): string {
  return `${plural(samples, "sample")} of ${plural(episodes, "episode")}`;
}

/**
 * The page `report.html` of a run.
 *
 * @param run its folder
 * @param summary of the run
 * @param evaluation of its policy
 * @returns HTML
 */
export function trainingReport(
  run: string,
  summary: RunSummary,
  evaluation: RunEvaluation,
): string {
  const { preset, architecture, family, fusion, parameters, data, steps, epochs, seed } = summary;
  const features = featuresText(readRunConfig(run).settings.features);
  const { visionLanguage: tuned } = summary;
  return reportPage({
    title: `${summary.program}: ${preset}, ${fusion}`,
    subject: [
      ["run", run],
      ["policy", `${architecture} ${family}, fusion ${fusion}, preset ${preset}`],
      ["trained parameters", parameters.total.toLocaleString("en")],
      ...(features === null ? [] : [["features", features] as const]),
      ...(tuned === null
        ? []
        : [["visual-language model", tuningText(tuned, tuned.parameters)] as const]),
      ["training", `${plural(steps, "step")}, ${plural(epochs, "epoch")}, seed ${seed}`],
      ["training data", sizeText(data.samples.train, data.episodes.train)],
      ["validation data", sizeText(data.samples.val, data.episodes.val)],
      [
        "engine",
        `${summary.engine}, ${summary.precision}${
          summary.processes > 1 ? `, ${summary.processes} processes` : ""
        }`,
      ],
      ["checkpoint", evaluation.checkpoint],
      ...(summary.sampling === null ? [] : [["sampling", samplingText(summary.sampling)] as const]),
      ...(summary.vision.visionReuse > 1
        ? [["visual features", visionText(summary.vision)] as const]
        : []),
      ["date", new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC"],
    ],
    ...(evaluation.openLoop === null
      ? {}
      : { evaluation: evaluation.openLoop, chunks: evaluation.chunks! }),
    closedLoop: insertions(evaluation).map(({ title, report }) => ({
      name: title === "policy" ? policyTitle(report) : title,
      report,
    })),
    metrics: readMetrics(join(run, "metrics.jsonl")),
    shares: data.groups,
    warnings: summary.warnings,
  });
}
