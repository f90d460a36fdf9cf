/**
 * `deno task simulate`: a policy in the phantom, in closed loop.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import {
  choiceFlag,
  type CommandContext,
  engineFlag,
  type Flag,
  formatTable,
  integerFlag,
  listFlag,
  runCommand,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import {
  BUILT_IN_POLICIES,
  closedLoopBaselines,
  type ClosedLoopPolicy,
  type ClosedLoopReport,
  closedLoopRows,
  closedLoopVerdict,
  evaluateClosedLoop,
  replanActions,
} from "../lib/evaluation/closed_loop/mod.ts";
import { openPolicy, type Policy } from "../lib/control/open_policy.ts";
import { policyExtractor } from "../lib/control/predict_chunk.ts";
import { startEngine } from "../lib/engine/mod.ts";
import { plural } from "../lib/episodes/_plural.ts";
import type { FeatureExtractor } from "../lib/features/mod.ts";
import { CHUNK_ACTIONS, PHANTOM_TASKS, PHANTOM_VIEWS } from "../lib/phantom/mod.ts";
import { extractorOptions, RUN_ADAPTER } from "../lib/programs/feature_flags.ts";
import { runModel } from "../lib/programs/run_model.ts";
import { runOf } from "../lib/programs/run_of.ts";
import type { VisionUse } from "../lib/programs/vision_use.ts";
import { runVision } from "../lib/programs/run_vision.ts";
import {
  policySampling,
  refuseSamplingOf,
  SAMPLING_FLAGS,
  samplingText,
} from "../lib/programs/sampling_flags.ts";

const replanFlag: Flag<readonly number[]> = {
  ...listFlag(
    "ms until the policy is asked again, whole actions of 100; several are tried in turn",
    {
      placeholder: "N",
    },
  ),
  fallback: [800],
  fallbackText: "800; 100 of a policy whose visual features are reused",
  parse: (name, texts) =>
    texts.flatMap((text) => text.split(",")).map((text) => {
      const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
      if (value >= 50 && value <= 10_000) return value;
      throw new UsageError(
        `Cannot use ${name}: it should be from 50 to 10000 ms, rounded to whole actions of 100 ms, ` +
          `current value is "${text}".`,
      );
    }),
};

/** How often and how late visual features come: as flags say, else as in the training. */
function visionOf(
  { vlmReuseCount, vlmLatencyMs }: {
    vlmReuseCount?: number | undefined;
    vlmLatencyMs?: number | undefined;
  },
  run: string | null,
): VisionUse {
  const usual = runVision(run);
  const visionReuse = vlmReuseCount ?? usual.visionReuse;
  const isUsual = visionReuse === usual.visionReuse;
  const visionLatencyMs = vlmLatencyMs ?? (isUsual ? usual.visionLatencyMs : 0);
  if (visionLatencyMs % 10 === 0 && visionLatencyMs <= 100 * visionReuse) {
    return { visionReuse, visionLatencyMs };
  }
  throw new UsageError(
    `Cannot use --vlm-latency-ms ${visionLatencyMs}: it should be a multiple of 10 and at most ` +
      `${100 * visionReuse}, since the model looks again after --vlm-reuse-count ${visionReuse} ` +
      "actions of 100 ms.",
  );
}

/** The intervals in ms as they are executed, each once; says which are others than were asked for. */
function wholeActions(
  replanMs: readonly number[],
  horizon: number | undefined,
  note: (text: string) => void,
): number[] {
  const whole = replanMs.map((asked) => {
    const replan = 100 * replanActions(asked, horizon);
    const isLong = Math.round(asked / 100) * 100 > replan;
    const reason = isLong
      ? `a plan has ${horizon ?? CHUNK_ACTIONS} actions of 100 ms`
      : "whole actions of 100 ms";
    if (replan !== asked) note(`--replan-ms ${asked} is taken as ${replan}: ${reason}.`);
    return replan;
  });
  return [...new Set(whole)];
}

/** What makes a policy's features of pictures; undefined for pixel-2048, which the simulator makes. */
async function simulatedFeatures(
  policy: Policy,
  { model, adapter }: { model: string | undefined; adapter: string | undefined },
  context: CommandContext,
): Promise<FeatureExtractor | undefined> {
  const given = extractorOptions({ model }, context);
  const options = runModel(runOf(policy.path), given, adapter);
  const extractor = await policyExtractor(policy, options);
  const isPixels = extractor?.name === "pixel-2048" &&
    extractor.identity.views.join() === PHANTOM_VIEWS.join();
  return extractor === null || isPixels ? undefined : extractor;
}

if (import.meta.main) {
  await runCommand({
    name: "simulate",
    summary: "Lets a policy insert needles in the simulated phantom, and judges how it went.",
    details: `Every --replan-ms the policy sees five pictures and the newest of the sensor, and
plans 8 actions of 0.1 s, or as many as it was trained to plan. A run of 10 s
succeeds if the tip touches the membrane within 0.5 mm of the axis at 3.0 mm/s or
less, punctures it, is never deeper than 2.3 mm, and holds 2.0 ± 0.3 mm in the last
second. The expert knows the truth and steers every 0.01 s; hold goes on as in the
last 0.1 s; zero does not move. Failed runs count once, by the first of: no-contact,
lateral, contact-speed, no-puncture, overshoot, depth. Of a run the final checkpoint
is tried, of one that stopped early the best one; expert, hold and zero stand beside
it, at the first --replan-ms. With --json the document is that of the first
--replan-ms, with all of them in settings, and these three in baselines.`,
    flags: {
      run: textFlag("folder of a training run, or a checkpoint", { placeholder: "DIR" }),
      policy: choiceFlag("one that needs no training", BUILT_IN_POLICIES),
      episodes: integerFlag("scenes", { default: 40, min: 1, max: 10_000 }),
      replanMs: replanFlag,
      latencyMs: integerFlag("a plan takes effect so late, in steps of 10 ms", {
        default: 0,
        min: 0,
        max: 10_000,
      }),
      vlmReuseCount: integerFlag("the cameras are looked at for every so many actions only", {
        min: 1,
        max: 100,
        defaultText: "the run's, else 1",
      }),
      vlmLatencyMs: integerFlag("what they saw is known so late, in steps of 10 ms", {
        min: 0,
        max: 10_000,
        defaultText: "the run's, else 0",
      }),
      sceneSeed: integerFlag("seed of the first scene; the next one has the next", {
        default: 9000,
        min: 0,
        max: 2 ** 32 - 1,
      }),
      task: choiceFlag("task", PHANTOM_TASKS, { default: "Blue_point" }),
      model: textFlag("folder of the model that makes the features qwen2.5-vl-3b", {
        placeholder: "DIR",
        defaultText: "the run's",
      }),
      adapter: RUN_ADAPTER,
      engine: engineFlag(),
      ...SAMPLING_FLAGS,
      jpegQuality: integerFlag("of the pictures; 0 leaves them as they are rendered", {
        default: 90,
        min: 0,
        max: 100,
      }),
    },
    run: async (flags, context) => {
      const { print, note, progress, signal, given: flagsGiven } = context;
      const { run, episodes, sceneSeed, task, latencyMs } = flags;
      const given = [run, flags.policy].filter((value) => value !== undefined).length;
      if (given !== 1) {
        throw new UsageError(
          given === 0
            ? "Cannot simulate: name a training run with --run DIR, or a policy with --policy NAME."
            : "Cannot simulate: only one of --run and --policy can be used, current value is both. " +
              "With --run, the policies that need no training stand beside it anyway.",
        );
      }
      if (latencyMs % 10 !== 0) {
        throw new UsageError(
          `Cannot use --latency-ms: it should be a multiple of 10, current value is "${latencyMs}".`,
        );
      }
      using stack = new DisposableStack();
      let trained: Policy | undefined;
      refuseSamplingOf(run === undefined ? "policies that need no training" : null, flags);
      if (run !== undefined) {
        await startEngine({ engine: flags.engine, quiet: flags.quiet, log: note });
        const sampling = policySampling(run, flags);
        trained = stack.use(await openPolicy(run, sampling));
        note(`checkpoint: ${trained.path}`);
        if (trained.config.family === "diffusion") note(`sampling: ${samplingText(sampling)}`);
      }
      const extractor = trained && await simulatedFeatures(trained, flags, context);
      const name = flags.policy ?? basename(resolve(run!));
      const plan: ClosedLoopPolicy = ({ scenes, ...seen }) =>
        trained!.predict({ size: scenes, ...seen });
      const { sensorEncoder, actionExpert } = trained?.config ?? {};
      const vision = visionOf(flags, trained === undefined ? null : runOf(trained.path));
      const isFresh = vision.visionReuse === 1 && vision.visionLatencyMs === 0;
      const isAsked = flagsGiven.has("replanMs") || isFresh;
      const replanMs = isAsked ? flags.replanMs : [100];
      const options = (replanMs: number, name: string) => ({
        ...vision,
        ...{ episodes, sceneSeed, task, latencyMs, replanMs, signal },
        ...(extractor && { extractor }),
        quality: flags.jpegQuality === 0 ? null : flags.jpegQuality,
        horizon: actionExpert?.horizon ?? CHUNK_ACTIONS,
        sensorRows: sensorEncoder?.temporalLength ?? 65,
        onProgress: (done: number, total: number) =>
          progress.update(
            `${name}, every ${replanMs} ms: ${plural(episodes, "insertion")} at once, ` +
              `simulated second ${done.toFixed(1)} of ${total}`,
          ),
      });
      const intervals = wholeActions(replanMs, actionExpert?.horizon, note);
      const settings: ClosedLoopReport[] = [];
      for (const each of intervals) {
        settings.push(await evaluateClosedLoop(flags.policy ?? plan, options(each, name)));
      }
      const baselines = trained === undefined
        ? undefined
        : await closedLoopBaselines(options(intervals[0]!, "baselines"));
      progress.clear();
      print(formatTable(closedLoopRows([
        ...settings.map((report) => [name, report] as const),
        ...Object.entries(baselines ?? {}),
      ])));
      print(closedLoopVerdict(name, settings));
      return {
        document: {
          ...{ policy: flags.policy ?? run, ...settings[0], settings },
          ...(baselines === undefined ? {} : { baselines }),
        },
      };
    },
  });
}
