/**
 * `deno task convert INPUT OUTPUT`: between the files of older programs and ours.
 *
 * @module
 */
import { resolve } from "node:path";
import {
  CHECKPOINT_CONVERSIONS,
  MODEL_CONVERSIONS,
  whyNoConversion,
} from "../lib/checkpoints/convert/mod.ts";
import { POINTER_NAMES } from "../lib/checkpoints/pointer.ts";
import {
  choiceFlag,
  formatTable,
  numberFlag,
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import {
  CONVERSIONS as EPISODE_CONVERSIONS,
  type ConvertRequest,
  describeConversions,
  matchingConversions,
} from "../lib/episodes/convert/mod.ts";

const CONVERSIONS = [...EPISODE_CONVERSIONS, ...CHECKPOINT_CONVERSIONS, ...MODEL_CONVERSIONS];
const KNOWN = describeConversions(CONVERSIONS);
const TARGETS = [...new Set(CONVERSIONS.map(({ to }) => to))];

if (import.meta.main) {
  await runCommand({
    name: "convert",
    summary: "Converts between the files of older programs and ours, by extension and content.",
    arguments: "<INPUT> <OUTPUT>",
    details: `Known conversions:
${KNOWN}

For folders of recordings say what with --to; each recording's files go to the place below OUTPUT
that the recording has below INPUT, so OUTPUT may be INPUT itself:
  deno task convert data/New_dataset2 data/New_dataset2 --to windowed --metadata
Files that are there are an error for a single OUTPUT, and kept and listed for folders, unless
--overwrite is given; what is skipped is listed too. Sensor windows exist for older programs only:
nothing in trocar needs them. Rows that come back from windows end with the last window: up to 0.2 s
of rows at the end of the original recording are lost to them. robot-npz takes recorders' logs
(robot_states.csv, robot_state_*.csv, robot_rt_*.csv); logs of mecademicpy hold no poses.
Paths in interval JSON are relative to the JSON file, so that both can be moved together; programs
that expect the Python reference's absolute paths need --absolute-paths.
Checkpoints keep every bit and dtype of their tensors. A .pt file may have any layout of the Python
reference's programs; of a run's folder --which chooses. Epochs become the number of completed ones:
epoch 6 of a program that counts from 0 comes back as 7, with epoch_base 1.
Heads, dropout and a few more are in no file of the reference. They are assumed, named, and recorded
as assumed; --config names a JSON file that settles them: a configuration as config in
checkpoint.json (or a whole checkpoint.json, whose list assumed counts too). Every setting is
compared with what the checkpoint records; a contradiction is an error.
Stage 2: --to peft makes the adapter that was trained a folder that peft loads over the published
model, --to model a model's folder of its own, which --model takes and transformers loads: the base of
--model with the trained tensors in the base's dtype, so that bfloat16 rounds them; how much that moved
them is said. An adapter of peft is merged in the same way:
  deno task convert runs/RUN ADAPTER --to peft
  deno task convert runs/RUN MERGED --to model --model BASE
  deno task convert ADAPTER MERGED --to model --model BASE
A .pt file of stage 2 holds what was trained of the model; with --model BASE also the frozen rest, under
the names of the Python reference's model_state_dict. The reference's own .pt files hold all of the
model: with --model BASE its tensors are compared bit by bit, and those that were trained are kept, as
train:stage2 keeps them; --lora-alpha says the adapter's scale, which is in no file of the reference.
Exit code 1 if something could not be converted, or INPUT is not there; the rest is done all the
same. Exit code 2 for wrong usage.`,
    flags: {
      to: choiceFlag("kind of the output, where INPUT and OUTPUT leave a choice", TARGETS),
      overwrite: switchFlag("replace what is there"),
      clock: choiceFlag("column of the robot log that gives the time", ["origin", "send", "recv"], {
        defaultText: "recv for robot-npz, else origin, the robot's own",
      }),
      maxDiffMs: numberFlag("interval-json: images farther from every robot row get no record", {
        default: 10,
        min: 0,
      }),
      noIntervals: switchFlag("interval-json: records without sensor intervals"),
      absolutePaths: switchFlag("interval-json: absolute image paths"),
      compat: switchFlag(
        "interval-json: order, clocks and choice of views of the Python reference, to compare",
      ),
      metadata: switchFlag("windowed: metadata.json too"),
      which: choiceFlag("checkpoint of a run", POINTER_NAMES, { defaultText: "latest" }),
      weightsOnly: switchFlag("checkpoints: leave out the state of the optimiser"),
      model: textFlag("stage 2: folder of the model that was trained, as published", {
        placeholder: "DIR",
      }),
      loraAlpha: numberFlag("stage 2: alpha of the adapter in a .pt file that does not say it", {
        min: 1e-6,
        defaultText: "32",
      }),
      config: textFlag("checkpoints: JSON of the policy's configuration", { placeholder: "FILE" }),
    },
    run: async (flags, { arguments: [input, output], print, note, warn, signal }) => {
      const request: ConvertRequest = {
        input: resolve(input!),
        output: resolve(output!),
        ...(flags.to === undefined ? {} : { to: flags.to }),
        ...(flags.clock === undefined ? {} : { clock: flags.clock }),
        overwrite: flags.overwrite,
        intervals: !flags.noIntervals,
        maxDifference: flags.maxDiffMs / 1000,
        absolutePaths: flags.absolutePaths,
        compat: flags.compat,
        metadata: flags.metadata,
        weightsOnly: flags.weightsOnly,
        ...(flags.which === undefined ? {} : { which: flags.which }),
        ...(flags.config === undefined ? {} : { config: flags.config }),
        ...(flags.model === undefined ? {} : { model: resolve(flags.model) }),
        ...(flags.loraAlpha === undefined ? {} : { loraAlpha: flags.loraAlpha }),
        signal,
      };
      const { files, kept, failed, remarks } = await chosen(request).run(request);
      for (const remark of remarks) note(remark);
      for (const path of kept) note(`Kept ${path}; --overwrite replaces it.`);
      for (const { path, error } of failed) warn(`${path}: ${error}`);
      if (files.length > 0) {
        const rows = files.map(({ path, tensors, bytes }) => [path, tensors, bytes]);
        print(formatTable([["written", "arrays", "bytes"], ...rows]));
      }
      const total = (of: "tensors" | "bytes") => files.reduce((sum, file) => sum + file[of], 0);
      const { input: from, output: to } = request;
      return {
        document: {
          input: from,
          output: to,
          tensors: total("tensors"),
          bytes: total("bytes"),
          files,
          kept,
          failed,
          remarks,
        },
        exitCode: failed.length > 0 ? 1 : 0,
      };
    },
  });
}

function chosen(request: ConvertRequest) {
  const { input, output } = request;
  try {
    Deno.statSync(input);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
    throw new Deno.errors.NotFound(
      `Cannot convert ${input}: there is no such file or folder. Check the path.`,
    );
  }
  const [conversion, another] = matchingConversions(CONVERSIONS, request);
  if (conversion !== undefined && another === undefined) return conversion;
  const why = conversion === undefined ? whyNoConversion(request) : undefined;
  if (why !== undefined) throw new UsageError(`Cannot convert ${input} to ${output}: ${why}`);
  throw new UsageError(
    `Cannot convert ${input} to ${output}: ` +
      (conversion === undefined
        ? "no known conversion fits. Folders of recordings need --to."
        : `both ${conversion.to} and ${another!.to} are possible. Choose with --to.`) +
      `\nKnown conversions:\n${KNOWN}`,
  );
}
