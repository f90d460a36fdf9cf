/**
 * `deno task simulate`: a policy in the phantom, in closed loop.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import {
  choiceFlag,
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
import { startEngine } from "../lib/engine/mod.ts";
import { plural } from "../lib/episodes/_plural.ts";
import { CHUNK_ACTIONS, PHANTOM_TASKS } from "../lib/phantom/mod.ts";

const replanFlag: Flag<readonly number[]> = {
  ...listFlag(
    "ms until the policy is asked again, whole actions of 100; several are tried in turn",
    {
      placeholder: "N",
    },
  ),
  fallback: [800],
  fallbackText: "800",
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
      sceneSeed: integerFlag("seed of the first scene; the next one has the next", {
        default: 9000,
        min: 0,
        max: 2 ** 32 - 1,
      }),
      task: choiceFlag("task", PHANTOM_TASKS, { default: "Blue_point" }),
      engine: engineFlag(),
      jpegQuality: integerFlag("of the pictures; 0 leaves them as they are rendered", {
        default: 90,
        min: 0,
        max: 100,
      }),
    },
    run: async (flags, { print, note, progress, signal }) => {
      const { run, episodes, sceneSeed, task, latencyMs, replanMs } = flags;
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
      if (run !== undefined) {
        await startEngine({ engine: flags.engine, quiet: flags.quiet, log: note });
        trained = stack.use(await openPolicy(run));
        note(`checkpoint: ${trained.path}`);
      }
      const name = flags.policy ?? basename(resolve(run!));
      const plan: ClosedLoopPolicy = ({ scenes, vision, sensor, sensorMask }) =>
        trained!.predict({ size: scenes, vision, sensor, sensorMask });
      const { sensorEncoder, actionExpert } = trained?.config ?? {};
      const options = (replanMs: number, name: string) => ({
        ...{ episodes, sceneSeed, task, latencyMs, replanMs, signal },
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
