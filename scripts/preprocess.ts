/**
 * `deno task preprocess`: step 0, recordings into episodes, with an alignment report.
 *
 * @module
 */
import { dirname } from "node:path";
import { clusterFromEnvironment } from "../lib/engine/collectives/tf_config.ts";
import { Gathering } from "../lib/launch/gather.ts";
import {
  choiceFlag,
  type Flag,
  formatTable,
  listFlag,
  numberFlag,
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import {
  formatReports,
  type OffsetStream,
  preprocess,
  summarizeEpisode,
  writeReports,
} from "../lib/episodes/mod.ts";

const STREAMS: readonly OffsetStream[] = ["camera", "sensor"];

const clockOffsetFlag: Flag<Partial<Record<OffsetStream, number>>> = {
  kind: "list",
  summary: "STREAM=SECONDS: how far the clock of camera or sensor is ahead of the robot's; " +
    "replaces what is recorded",
  placeholder: "OFFSET",
  fallback: {},
  fallbackText: "as recorded beside the data, else 0",
  parse: (name, texts) =>
    Object.fromEntries(texts.map((text) => {
      const [stream, seconds, ...rest] = text.split("=");
      const value = Number(seconds);
      if (
        !STREAMS.includes(stream as OffsetStream) || seconds === undefined || seconds === "" ||
        rest.length > 0 || !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(seconds) ||
        !Number.isFinite(value)
      ) {
        throw new UsageError(
          `Cannot use ${name}: it should be camera=SECONDS or sensor=SECONDS, ` +
            `current value is "${text}".`,
        );
      }
      return [stream, value];
    })),
};

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  await runCommand({
    name: "preprocess",
    arguments: "[ROOT...]",
    summary: "Turns recordings into episodes of aligned 10 Hz actions, and reports how well.",
    details:
      `A ROOT, with or without --data, is a recording, a folder of recordings at any of five depths, or a
quoted wildcard of either. Known are recv_all_*, Captures*, ZED_Captures_*th, episode_* and
data_collection_*, and CSV logs of mecademicpy. Each becomes a folder episode beside its own files
(or DIR/<its name> with --output DIR), put in place as a whole. Exit code 1 if a root holds no
recording or a recording cannot be used; the others are done all the same. deno task launch divides
the recordings over several processes.`,
    flags: {
      data: listFlag("recordings, folders of them, or wildcards", { placeholder: "ROOT" }),
      output: textFlag("folder for all episodes", {
        placeholder: "DIR",
        defaultText: "a folder episode in each recording",
      }),
      actionHz: numberFlag("actions per second", { default: 10, min: 0.1, max: 1000 }),
      toleranceMs: numberFlag("an action's end may be this far from start + 1/action-hz", {
        default: 20,
        min: 0.001,
      }),
      sensorWindowMs: numberFlag("past sensor rows that belong to an action", {
        default: 100,
        min: 1,
      }),
      format: choiceFlag("what is written", ["container", "data-pkl", "both"], {
        default: "container",
      }),
      report: textFlag("write the alignment reports to this JSON file", { placeholder: "FILE" }),
      robotClock: choiceFlag("column of the robot log that gives the time", [
        "origin",
        "send",
        "recv",
      ], { defaultText: "origin, the robot's own" }),
      clockOffset: clockOffsetFlag,
      instruction: textFlag("what the policy is told, instead of what the task's name gives", {}),
      angles: choiceFlag("angle differences reduced to [-180, 180), or not", ["wrapped", "raw"], {
        default: "wrapped",
      }),
      compat: switchFlag("the action list of the Python reference, defects included, to compare"),
      dropDamagedSensor: switchFlag("go on without a sensor file that cannot be read"),
      noImageCheck: switchFlag("do not look at every image's first and last bytes"),
    },
    run: async (flags, context) => {
      const { print, progress, signal } = context;
      const roots = [...flags.data, ...context.arguments];
      if (roots.length === 0) {
        throw new UsageError("Cannot preprocess: name recordings with --data ROOT. See --help.");
      }
      if (flags.toleranceMs >= 500 / flags.actionHz) {
        throw new UsageError(
          `Cannot use --tolerance-ms: at ${flags.actionHz} actions per second it should be below ` +
            `${500 / flags.actionHz}, current value is ${flags.toleranceMs}.`,
        );
      }
      if (flags.report !== undefined && !isFolder(dirname(flags.report))) {
        throw new UsageError(
          `Cannot write --report: its folder should exist, current value is "${flags.report}".`,
        );
      }
      const member = clusterFromEnvironment();
      using gathering = member && member.size > 1
        ? await Gathering.open(member, { signal })
        : undefined;
      const mine = await preprocess(roots, {
        ...(flags.output === undefined ? {} : { output: flags.output }),
        ...(flags.robotClock === undefined ? {} : { clock: flags.robotClock }),
        ...(flags.instruction === undefined ? {} : { instruction: flags.instruction }),
        actionHz: flags.actionHz,
        tolerance: flags.toleranceMs / 1000,
        sensorWindow: flags.sensorWindowMs / 1000,
        format: flags.format,
        angles: flags.angles,
        compat: flags.compat,
        clockOffsets: flags.clockOffset,
        damagedSensor: flags.dropDamagedSensor ? "drop" : "error",
        checkImages: !flags.noImageCheck,
        signal,
        ...(member && { share: { index: member.rank, count: member.size } }),
        onRecording: (path, done, total) => progress.update(`${done + 1} of ${total}: ${path}`),
      });
      progress.clear();
      const parts = gathering === undefined ? [mine] : await gathering.gather(mine);
      if (parts === null) return; // rank 0 tells the results of all
      const outcomes = parts.flat().toSorted((a, b) => a.path < b.path ? -1 : +(a.path > b.path));
      print(formatReports(outcomes, formatTable, { quiet: flags.quiet }));
      if (flags.report !== undefined) {
        writeReports(flags.report, outcomes);
        print(`The full report is in ${flags.report}`);
      }
      return {
        document: { episodes: outcomes.map(summarizeEpisode) },
        exitCode: outcomes.every(({ ok }) => ok) ? 0 : 1,
      };
    },
  });
}
