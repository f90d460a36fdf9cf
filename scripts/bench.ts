/**
 * `deno task bench`: how long trocar takes, and how long PyTorch, NumPy and pandas take for the same.
 *
 * @module
 */
import { resolve } from "node:path";
import {
  type BenchContext,
  BENCHMARKS,
  type BenchRecord,
  type FileBenchContext,
  startPeer,
  type StepVariant,
} from "../lib/benchmarks/mod.ts";
import {
  choiceFlag,
  engineFlag,
  type Flag,
  formatProgress,
  formatTable,
  integerFlag,
  nearest,
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { startEngine } from "../lib/engine/mod.ts";

const VARIANTS: readonly StepVariant[] = ["eager", "compiled", "xla"];

const precisionFlag: Flag<"f32" | "bf16" | undefined> = {
  ...choiceFlag("of products", ["f32", "bf16"], { default: "f32" }),
  fallback: undefined,
  fallbackText: "f32 for step, both for matmul",
};

const variantsFlag: Flag<readonly StepVariant[]> = {
  kind: "value",
  summary: "which steps, joined by commas",
  placeholder: "LIST",
  fallback: VARIANTS,
  fallbackText: VARIANTS.join(),
  parse: (name, texts) =>
    texts.at(-1)!.split(",").map((text) =>
      choiceFlag("", VARIANTS, { default: "eager" }).parse(name, [text])
    ),
};

function chosenBenchmarks(names: readonly string[]) {
  const known = Object.keys(BENCHMARKS);
  const usual = known.filter((name) => BENCHMARKS[name]!.onRequest !== true);
  const chosen = names.length === 0 ? usual : [...new Set(names)];
  return chosen.map((name) => {
    if (Object.hasOwn(BENCHMARKS, name)) return BENCHMARKS[name]!;
    const meant = nearest(name, known);
    throw new UsageError(
      `Cannot run the benchmark: its name should be one of ${
        known.join(", ")
      }, current value is "${name}".${meant === undefined ? "" : ` Did you mean "${meant}"?`}`,
    );
  });
}

if (import.meta.main) {
  await runCommand({
    name: "bench",
    summary:
      "Measures trocar, and PyTorch, NumPy and pandas in alternation where python3 has them.",
    arguments: "[NAME...]",
    details: `Benchmarks; without names all but vision-language:
${Object.entries(BENCHMARKS).map(([name, { summary }]) => `  ${name}: ${summary}`).join("\n")}

Every side runs in a process of its own, with the same threads, never two at once: five rounds in
which each has a turn. A ratio is our median time divided by the peer's, the median of the rounds, so
below 1 is faster; the range behind it is that of the rounds. Exit code 1 if the results of both disagree.`,
    flags: {
      preset: choiceFlag(
        "size of the networks and of all files; largest product of matmul",
        [
          "tiny",
          "compact",
          "reference",
        ],
        { default: "reference" },
      ),
      batch: integerFlag("samples of a step, and of the loader's small batches", {
        default: 4,
        min: 1,
      }),
      family: choiceFlag("what the policy of step learns", ["regression", "diffusion"], {
        default: "regression",
      }),
      window: integerFlag("rows of a sensor window", { default: 65, min: 1 }),
      steps: integerFlag("measured runs of each case and side", {
        min: 1,
        defaultText:
          "15 for step, 3 to 5 of what takes seconds, else as many as fit into half a second",
      }),
      model: textFlag(
        "vision-language: folder of a model, as published, instead of random weights",
        {
          placeholder: "DIR",
          defaultText: "none",
        },
      ),
      precision: precisionFlag,
      variants: variantsFlag,
      engine: engineFlag(),
      threads: integerFlag("CPU threads of every side", { min: 1, defaultText: "all" }),
      profile: switchFlag("say where the time of a compiled step goes"),
      noPeer: switchFlag("leave out PyTorch, NumPy and pandas"),
    },
    run: async (flags, { arguments: names, note, print, progress, warn }) => {
      const benchmarks = chosenBenchmarks(names);
      const { family, preset, batch, window, steps, precision, variants, profile } = flags;
      const model = flags.model === undefined ? undefined : resolve(flags.model);
      const common = {
        options: { family, preset, batch, window, steps, model, precision, variants, profile },
        onProgress: (text: string) => progress.update(text),
        note,
      };
      const warned = new Set<string>();
      const files: FileBenchContext = {
        ...common,
        threads: flags.threads ?? navigator.hardwareConcurrency,
        isPeerWanted: !flags.noPeer,
        warn: (text) => {
          if (!warned.has(text)) warn(text);
          warned.add(text);
        },
      };
      const isEngineNeeded = benchmarks.some(({ needsEngine }) => needsEngine);
      const context = isEngineNeeded ? await startContext() : undefined;
      const records: BenchRecord[] = [];
      try {
        for (const benchmark of benchmarks) {
          const found = benchmark.needsEngine
            ? await benchmark.run(context!)
            : await benchmark.run(files);
          progress.clear();
          if (found.length > 0) print(`${formatTable(benchmark.table(found))}\n`);
          for (const { problem } of found) if (problem !== undefined) warn(problem);
          records.push(...found);
        }
      } finally {
        await context?.peer?.process[Symbol.asyncDispose]();
      }
      return { document: records, exitCode: records.some(({ problem }) => problem) ? 1 : 0 };

      async function startContext(): Promise<BenchContext> {
        const { threads } = flags;
        const engine = await startEngine({
          engine: flags.engine,
          ...(threads === undefined ? {} : { threads }),
          verbose: flags.verbose,
          log: note,
          onProgress: ({ stage, item, done, total, rate }) =>
            progress.update(formatProgress(`${stage} ${item}`, { done, total, rate })),
        });
        const isOnCpu = engine.threads > 0;
        if (!isOnCpu) note("The peers compute on the CPU, so they are left out beside a GPU.");
        const { peer, missing } = flags.noPeer || !isOnCpu ? {} : await startPeer(engine.threads);
        if (missing !== undefined) warn(missing);
        return { ...common, engine, ...(peer && { peer }) };
      }
    },
  });
}
