/**
 * `deno task phantom`: simulated recordings in any on-disk layout, with faults whose truth is known.
 *
 * @module
 */
import {
  choiceFlag,
  type Flag,
  formatTable,
  integerFlag,
  listFlag,
  nearest,
  numberFlag,
  runCommand,
  seedFlag,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import {
  FALLBACK_VIEW,
  type Fault,
  FAULT_SETS,
  FAULTS,
  type FaultTraits,
  parseFaults,
  PHANTOM_LAYOUT_TRAITS,
  PHANTOM_LAYOUTS,
  PHANTOM_TASKS,
  recordPhantom,
  type WrittenRecording,
} from "../lib/phantom/mod.ts";

/** Divisors of both 640 and 360. */
const RASTERS = ["1", "2", "4", "5", "8", "10", "20", "40"] as const;

const injectFlag: Flag<readonly Fault[]> = {
  ...listFlag("faults, name[=value][:count], joined by commas", { placeholder: "LIST" }),
  fallback: [],
  parse: (name, texts) => {
    const known = [...Object.keys(FAULTS), ...Object.keys(FAULT_SETS)];
    const list = texts.join();
    for (const word of list.split(",").map((text) => text.trim().split(/[=:]/)[0]!)) {
      const meant = word === "" || known.includes(word) ? undefined : nearest(word, known);
      if (meant !== undefined) {
        throw new UsageError(`Unknown fault "${word}" of ${name}; did you mean ${meant}?`);
      }
    }
    try {
      return parseFaults(list);
    } catch (error) {
      throw error instanceof RangeError ? new UsageError(error.message) : error;
    }
  },
};

const rasterFlag: Flag<number> = {
  ...choiceFlag("factor by which pictures are smaller than 640x360", RASTERS, { default: "1" }),
  fallback: 1,
  parse: (name, texts) => {
    const text = texts.at(-1)!;
    const found = RASTERS.find((raster) => raster === text);
    if (found !== undefined) return Number(found);
    // No "did you mean": the nearest in spelling is far off in size.
    throw new UsageError(
      `Cannot use ${name}: it should be one of ${RASTERS.join(", ")}, current value is "${text}".`,
    );
  },
};

function describeFaults(): string {
  const rows = Object.entries(FAULTS).map(([name, traits]: [string, FaultTraits]) => {
    const value = traits.value === "view"
      ? `=${FALLBACK_VIEW}`
      : traits.value === undefined
      ? ""
      : `=${traits.value.fallback}`;
    const count = traits.count === undefined ? "" : `:${traits.count.fallback}`;
    const unit = typeof traits.value === "object" ? ` (${traits.value.meaning})` : "";
    return `  ${`${name}${value}${count}`.padEnd(28)}${traits.summary}${unit}`;
  });
  return [
    ...rows,
    "  golden                      gap=0.3:3,duplicates:2,angle-wrap:1,clock-offset=0.04",
  ]
    .join("\n");
}

function tableOf(episodes: readonly WrittenRecording[]): string {
  return formatTable([
    ["recording", "seed", "task", "robot rows", "sensor rows", "images", "faults"],
    ...episodes.map(({ path, seed, task, rows, injected }) => [
      path,
      String(seed),
      task,
      rows.robot,
      rows.sensor,
      rows.images,
      Object.entries(injected).map(([name, { count }]) => count ? `${name}:${count}` : name)
        .join(" ") || "none",
    ]),
  ]);
}

if (import.meta.main) {
  await runCommand({
    name: "phantom",
    summary: "Writes simulated recordings of needle insertions, as the real recorders do.",
    details: `Layouts:
${
      PHANTOM_LAYOUTS.map((name) => `  ${name.padEnd(16)}${PHANTOM_LAYOUT_TRAITS[name].summary}`)
        .join("\n")
    }

Faults of --inject, with their defaults; the ground truth is in the recording (truth.json, or
truth in metadata.json) and in the document of --json:
${describeFaults()}

The same seed gives the same files. Example:
  deno task phantom --output recordings --layout all --inject gap=0.5:2,duplicates`,
    flags: {
      output: textFlag("folder below which the recordings are written", { placeholder: "DIR" }),
      layout: choiceFlag("how the files are laid out", [...PHANTOM_LAYOUTS, "all"], {
        default: "new-dataset",
      }),
      episodes: integerFlag("recordings of each layout", { default: 1, min: 1, max: 100_000 }),
      seed: {
        ...seedFlag(1000),
        summary: "seed of the first recording; the next one has the next",
      },
      task: {
        ...choiceFlag("what is inserted into; each: the tasks in turn", [
          "layout",
          "each",
          ...PHANTOM_TASKS,
        ], { default: "layout" }),
        fallbackText: "what the layout's recordings show",
      },
      inject: injectFlag,
      clock: choiceFlag(
        "clocks of cameras and sensor: the robot's, offset, or offset, drift, losses",
        [
          "true",
          "offset",
          "full",
        ],
        { default: "true" },
      ),
      noClockOffsets: switchFlag("do not record the measured clock offsets"),
      seconds: numberFlag("record only the first so many seconds of each episode", {
        min: 0.3,
        defaultText: "all of it",
      }),
      noSensor: switchFlag("record no sensor"),
      raster: rasterFlag,
      quality: integerFlag("JPEG quality", { default: 75, min: 1, max: 100 }),
      force: switchFlag("replace folders that this command did not write"),
    },
    run: async (flags, { print, warn, progress, signal }) => {
      if (flags.output === undefined) {
        throw new UsageError("Flag --output is missing: name the folder to write to.");
      }
      const layouts = flags.layout === "all" ? PHANTOM_LAYOUTS : [flags.layout];
      for (const { name } of flags.inject) {
        const without = layouts.filter((layout) => !FAULTS[name].appliesTo(layout));
        if (without.length === layouts.length) {
          throw new UsageError(`Cannot inject ${name}: ${without.join(", ")} cannot show it.`);
        }
        if (without.length > 0) warn(`${name} is left out of ${without.join(", ")}.`);
      }
      const episodes: WrittenRecording[] = [];
      const total = layouts.length * flags.episodes;
      const recordings = recordPhantom({
        ...flags,
        output: flags.output,
        layouts,
        faults: flags.inject,
        hasSensor: !flags.noSensor,
        recordsClockOffsets: !flags.noClockOffsets,
        signal,
        onProgress: ({ layout, done, images }) =>
          progress.update(
            `recording ${episodes.length + 1} of ${total}: ${layout}, ` +
              `${done} of ${images} pictures`,
          ),
      });
      for await (const recording of recordings) episodes.push(recording);
      progress.done(`${episodes.length} of ${total} recordings written`);
      print(tableOf(episodes));
      return { document: { episodes } };
    },
  });
}
