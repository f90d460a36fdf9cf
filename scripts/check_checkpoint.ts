/**
 * `deno task check:checkpoint PATH`: are the keys, shapes and values of a checkpoint those that a policy
 * needs.
 *
 * @module
 */
import { parsePolicyChoice } from "../lib/checkpoints/against.ts";
import { checkCheckpoint } from "../lib/checkpoints/check.ts";
import { formatCheck } from "../lib/checkpoints/format_check.ts";
import {
  choiceFlag,
  colour,
  type CommandContext,
  type CommandResult,
  formatTable,
  printable,
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { POINTER_NAMES, type PointerName } from "../lib/checkpoints/pointer.ts";
import {
  checkModelFiles,
  checkpointAdapterProblems,
  formatModelFiles,
  type ModelFilesCheck,
  modelFilesLayout,
} from "../lib/inspect/mod.ts";
import { type PresetName, PRESETS } from "../lib/policies/presets.ts";
import { FAMILIES, FUSIONS } from "../lib/policies/reference/config.ts";

/** What is said of a file that cannot be read. */
const UNREADABLE = {
  ok: false,
  path: "",
  layout: null,
  stage: null,
  architecture: null,
  missing: [],
  unexpected: [],
  mismatched: [],
  nonFinite: [],
  negative: [],
};

if (import.meta.main) {
  await runCommand({
    name: "check:checkpoint",
    summary: "Checks that a checkpoint is, as a whole, the policy that it should be.",
    arguments: "PATH",
    details:
      `PATH is a checkpoint's folder, a run's folder, a .safetensors file, or a .pt file of any of the
Python reference's programs: with sensor_encoder and action_expert (stage 1), with model_state_dict,
with all three, or the bare state of a model (also under model, network or net); prefixes of wrappers (module., _orig_mod., model.) are
taken off. Headers are read only, unless --stats is given, so files of many gigabytes take no time.
Nothing in a file is executed.

It may also be the folder of a Qwen2.5-VL model as published, or of an adapter as peft saves it, such
as a run's adapter/: are all tensors there, in their shapes, and only these. --model compares an
adapter, there or in a checkpoint of stage 2, with the layers of its model.

What no file says, such as heads, is assumed and listed with its value; deno task convert --config
settles it.

Families: ${FAMILIES.join(", ")}. Fusions: ${FUSIONS.join(", ")}. A family alone leaves the
fusion open. For example:
  deno task check:checkpoint checkpoints/qwen_vla_sensor_best.pt --against regression:concat
  deno task check:checkpoint runs/2025-11-03-stage2/adapter --model models/Qwen2.5-VL-3B-Instruct
  deno task check:checkpoint runs/2025-11-03-stage1 --which best --stats

When stage 2 cannot load a stage 1 checkpoint:
  sensor_encoder missing  Stage 1 ran without --sensor-enabled: train it with the sensor, or use
                          --against FAMILY:none.
  action_expert missing   It holds a sensor encoder or a visual-language model alone: name the file
                          that stage 1 wrote, e.g. qwen_vla_sensor_best.pt.
  all keys unexpected     It holds no policy: look at its keys with deno task inspect PATH --keys.
  another shape           It has another fusion, preset or feature width: the last lines say what it
                          looks like.

Exit code 0 if it fits, 1 if it does not or is damaged, 2 for wrong usage.`,
    flags: {
      against: textFlag(
        "what it must be; reference/ or trocar/ before it names the architecture",
        { placeholder: "FAMILY[:FUSION]", defaultText: "what it says it is, or looks like" },
      ),
      preset: choiceFlag("sizes that it must have", PRESETS, { defaultText: "its own" }),
      model: textFlag("model that an adapter belongs to", {
        placeholder: "DIR",
        defaultText: "its layers are not compared",
      }),
      which: choiceFlag("which checkpoint of a run", POINTER_NAMES, { default: "latest" }),
      stats: switchFlag(
        "compare digests and read all values: NaN, tensors of zeros, tensors that are copies",
      ),
    },
    run: async (flags, context) => {
      expectChoice(flags.against);
      const { arguments: [path = ""] } = context;
      expectUse(flags, modelFilesLayout(path));
      try {
        return await check(flags, context);
      } catch (error) {
        if (!flags.json || context.signal.aborted) throw error;
        const { progress, warn } = context;
        progress.clear();
        const { message } = error as Error;
        warn(message);
        return { document: { ...UNREADABLE, path, error: message }, exitCode: 1 };
      }
    },
  });
}

interface CheckFlags {
  readonly against: string | undefined;
  readonly preset: PresetName | undefined;
  readonly model: string | undefined;
  readonly which: PointerName;
  readonly stats: boolean;
  readonly verbose: boolean;
}

async function check(flags: CheckFlags, context: CommandContext): Promise<CommandResult> {
  const { against, preset, model, which, stats, verbose } = flags;
  const { arguments: [path = ""], print, progress, signal } = context;
  const files = await checkModelFiles(path, {
    ...(model === undefined ? {} : { model }),
    ...{ stats, signal },
    onProgress: (name) => progress.update(printable(name)),
  });
  if (files !== null) {
    progress.clear();
    printVerdict(files.ok, formatModelFiles(files, formatTable, { all: verbose }), print);
    return { document: files, exitCode: files.ok ? 0 : 1 };
  }
  const found = await checkCheckpoint(path, {
    ...(against === undefined ? {} : { against }),
    ...(preset === undefined ? {} : { preset }),
    ...{ which, stats, signal },
    onProgress: (done, total) => progress.update(`${done} of ${total} tensors`),
  });
  const problems = model === undefined ? [] : checkpointAdapterProblems(path, model, { which });
  const ok = found.ok && problems.length === 0;
  const remarks = [
    ...problems.slice(0, verbose ? undefined : 10).map((problem) =>
      `✗ compared with ${model}: ${problem}`
    ),
    ...found.remarks,
  ];
  progress.clear();
  const document = { ...found, ok, remarks };
  printVerdict(ok, formatCheck(document, formatTable, { all: verbose }), print);
  return { document, exitCode: ok ? 0 : 1 };
}

function printVerdict(ok: boolean, text: string, print: (text: string) => void): void {
  const [verdict = "", ...rest] = text.split("\n");
  print([colour(ok ? "green" : "red", verdict, Deno.stdout), ...rest].join("\n"));
}

function expectChoice(against: string | undefined): void {
  try {
    if (against !== undefined) parsePolicyChoice(against);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`Flag --against: ${error.message}`);
  }
}

/** Refuses flags that would say nothing. */
function expectUse(
  { against, preset, model }: CheckFlags,
  layout: ModelFilesCheck["layout"] | null,
): void {
  if (layout === null) return;
  const idle = { against, preset, model: layout === "model" ? model : undefined };
  for (const [name, value] of Object.entries(idle)) {
    if (value === undefined) continue;
    throw new UsageError(`Flag --${name}: it says nothing of this ${layout}; leave it out.`);
  }
}
