/**
 * `deno task predict`: a trained policy looks at one moment of an episode.
 *
 * @module
 */
import { formatTable, integerFlag, runCommand, textFlag, UsageError } from "../lib/cli/mod.ts";
import { openPolicy, policyExtractor, predictChunk } from "../lib/control/mod.ts";
import { EpisodeDataset } from "../lib/datasets/mod.ts";
import { startEngine } from "../lib/engine/mod.ts";
import { openEpisode } from "../lib/episodes/mod.ts";
import { runModel } from "../lib/programs/run_model.ts";
import { runOf } from "../lib/programs/run_of.ts";
import { sensorMilliseconds } from "../lib/programs/resolve.ts";
import { extractorOptions, RUN_ADAPTER } from "../lib/programs/feature_flags.ts";
import { policySampling, SAMPLING_FLAGS } from "../lib/programs/sampling_flags.ts";

if (import.meta.main) {
  await runCommand({
    name: "predict",
    summary: "Shows what a trained policy would do at a moment of an episode.",
    details:
      `The policy sees the newest image of each camera, the instruction and the sensor window of that
moment; beside its chunk stands what was recorded. A short program to begin your own with.`,
    flags: {
      run: textFlag("run, checkpoint folder, .safetensors or .pt file", { placeholder: "PATH" }),
      episode: textFlag("episode, as deno task preprocess makes it", { placeholder: "DIR" }),
      step: integerFlag("action of the episode", { default: 0, min: 0 }),
      model: textFlag("folder of the model that makes the features qwen2.5-vl-3b", {
        placeholder: "DIR",
        defaultText: "the run's",
      }),
      adapter: RUN_ADAPTER,
      ...SAMPLING_FLAGS,
    },
    run: async ({ run, episode: path, step, model, adapter, quiet, ...flags }, context) => {
      const { print } = context;
      if (run === undefined || path === undefined) {
        throw new UsageError("Cannot predict: --run and --episode should be given.");
      }
      await startEngine({ quiet });
      using policy = await openPolicy(run, policySampling(run, flags));
      using episode = openEpisode(path);
      const rows = policy.config.sensorEncoder?.temporalLength ?? null;
      const dataset = new EpisodeDataset([episode], {
        horizon: policy.config.actionExpert.horizon,
        sensorMilliseconds: rows === null ? null : sensorMilliseconds(rows),
      });
      const sample = dataset.samples.action.indexOf(step);
      if (sample < 0) {
        throw new RangeError(
          `Cannot predict: ${path} must have an action ${step}, current value is actions 0 to ` +
            `${dataset.samples.action.at(-1)}.`,
        );
      }
      const { instruction, image, sensor, sensorMask, sensorRows, actions } = dataset.readBatch([
        sample,
      ]);
      const given = extractorOptions({ model }, context);
      const options = runModel(runOf(policy.path), given, adapter);
      const extractor = await policyExtractor(policy, options);
      const views = extractor?.identity.views ?? dataset.views;
      const chunk = await predictChunk(policy, {
        views: Object.fromEntries(
          views.map((view) => [view, image[dataset.views.indexOf(view)] ?? null]),
        ),
        instruction: instruction[0]!,
        sensor: sensorRows[0]! > 0 ? sensor : null,
        sensorMask,
      }, extractor);
      const { dimensions, units } = episode.manifest.action;
      const rowsOf = (values: Float32Array) =>
        Array.from({ length: dataset.horizon }, (_, h) => [
          `${h + 1}`,
          ...Array.from(values.subarray(7 * h, 7 * h + 7), (value) => value.toFixed(3)),
        ]);
      const head = ["action", ...dimensions.map((name, d) => `${name} ${units[d]}`)];
      print(`${instruction[0]}\npredicted\n${formatTable([head, ...rowsOf(chunk)])}`);
      print(`recorded\n${formatTable([head, ...rowsOf(actions)])}`);
      const rowsIn = (values: Float32Array) =>
        rowsOf(values).map((row) => row.slice(1).map(Number));
      return {
        document: { dimensions, units, predicted: rowsIn(chunk), recorded: rowsIn(actions) },
      };
    },
  });
}
