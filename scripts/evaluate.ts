/**
 * `deno task evaluate`: how good predictions are, beside baselines that need no policy.
 *
 * @module
 */
import {
  choiceFlag,
  engineFlag,
  listFlag,
  runCommand,
  seedFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { startEngine } from "../lib/engine/mod.ts";
import {
  evaluateChunks,
  formatEvaluation,
  readPredictionsFile,
  reportPage,
} from "../lib/evaluation/mod.ts";
import { FEATURE_EXTRACTORS } from "../lib/features/mod.ts";
import { writeFileAtomic } from "../lib/formats/mod.ts";
import { CACHE_MODE, extractorOptions, RUN_ADAPTER } from "../lib/programs/feature_flags.ts";
import { type EvaluatedPolicy, evaluatePolicy } from "../lib/programs/evaluate_policy.ts";
import {
  policySampling,
  refuseSamplingOf,
  SAMPLING_FLAGS,
} from "../lib/programs/sampling_flags.ts";

if (import.meta.main) {
  await runCommand({
    name: "evaluate",
    summary: "Open-loop evaluation: errors of predicted action chunks beside three baselines.",
    details: `One of --predictions, --run, --checkpoint says what is evaluated:
  deno task evaluate --predictions results.json --report report.html
  deno task evaluate --run runs/<run>
  deno task evaluate --checkpoint best.pt --data episodes

Of a run the final checkpoint is judged, of one that stopped early the best one, on the episodes that
validated it, or on those of --data that did not train it. Their features must be in the cache, by
default the one that the run was trained with.

Baselines: no motion; always the mean action (of the training episodes; of the file itself with
--predictions); hold the last action executed before the window.
Of recordings rmse is over the three translations, in mm. With --predictions it is over all
dimensions as they are in the file: samples[].gt_delta_actions and samples[].pred_delta_actions, one
window per action; hold-last takes the first true action of the window before.
Exit code 0 also where a baseline is better: the verdict is in beatsBaselines and the warnings.`,
    flags: {
      predictions: textFlag("JSON file with predictions of another program", {
        placeholder: "FILE",
      }),
      run: textFlag("folder of a training run: its policy on its validation episodes", {
        placeholder: "DIR",
      }),
      checkpoint: textFlag("checkpoint, evaluated on all episodes of --data", {
        placeholder: "PATH",
      }),
      data: listFlag("episodes, or folders of them", { placeholder: "ROOT" }),
      features: choiceFlag("where the checkpoint does not say", Object.keys(FEATURE_EXTRACTORS), {
        default: "pixel-2048",
      }),
      model: textFlag("folder of the model that makes the features qwen2.5-vl-3b", {
        placeholder: "DIR",
        defaultText: "the run's",
      }),
      adapter: RUN_ADAPTER,
      cache: textFlag("folder of the feature cache", {
        placeholder: "DIR",
        defaultText: "the run's, else features in trocar's cache folder",
      }),
      cacheMode: CACHE_MODE,
      engine: engineFlag(),
      ...SAMPLING_FLAGS,
      report: textFlag("write a page with figures to this file too", { placeholder: "FILE.html" }),
      seed: seedFlag(),
    },
    run: async ({ predictions, run, checkpoint, data, report, seed, ...flags }, context) => {
      const { print, warn, note } = context;
      const { name, path } = chosenFlag({ predictions, run, checkpoint });
      let source: EvaluatedPolicy;
      if (name === "predictions") {
        refuseSamplingOf("a file of --predictions", flags);
        source = fromFile(path, data);
      } else {
        await startEngine({ engine: flags.engine, quiet: flags.quiet, log: note });
        const { cache, features, cacheMode, adapter } = flags;
        const model = extractorOptions({ model: flags.model }, context);
        const sampling = { ...policySampling(path, flags), seed };
        source = await evaluatePolicy(
          { path, data, cache, cacheMode, features, model, adapter, sampling },
          context,
        );
        note(`checkpoint: ${Object.fromEntries(source.about).checkpoint}`);
      }
      const { title, about, chunks, meanSource } = source;
      const evaluation = evaluateChunks(chunks, source.flags, { meanSource, seed });
      const warnings = [...source.warnings, ...evaluation.warnings];
      print(formatEvaluation(evaluation));
      warnings.forEach((warning) => warn(warning));
      if (report !== undefined) {
        const input = { title, subject: about, evaluation, chunks, warnings: source.warnings };
        writeFileAtomic(report, reportPage(input));
        note(`report: ${report}`);
      }
      return { document: { ...evaluation, warnings, about: Object.fromEntries(about) } };
    },
  });
}

/** Exactly one of the flags that say what is evaluated. */
function chosenFlag(
  flags: Readonly<Record<"predictions" | "run" | "checkpoint", string | undefined>>,
) {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const [[name, path] = [undefined, undefined]] = given;
  if (given.length === 1) return { name: name!, path: path! };
  throw new UsageError(
    "Cannot evaluate: exactly one of --predictions, --run, --checkpoint must be given, current " +
      `value is ${given.map(([name]) => `--${name}`).join(" and ") || "none"}.`,
  );
}

function fromFile(path: string, data: readonly string[]): EvaluatedPolicy {
  if (data.length > 0) {
    throw new UsageError("Cannot use --data: a file of --predictions holds its own truth.");
  }
  const { about, ...rest } = readPredictionsFile(path);
  return { ...rest, title: "Audit of predictions", about: [["file", path], ...about] };
}
