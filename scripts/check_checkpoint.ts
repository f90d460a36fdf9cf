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
  runCommand,
  switchFlag,
  textFlag,
  UsageError,
} from "../lib/cli/mod.ts";
import { POINTER_NAMES, type PointerName } from "../lib/checkpoints/pointer.ts";
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

What no file says, such as heads, is assumed and listed with its value; deno task convert --config
settles it.

Families: ${FAMILIES.join(", ")}. Fusions: ${FUSIONS.join(", ")}. A family alone leaves the
fusion open. For example:
  deno task check:checkpoint checkpoints/qwen_vla_sensor_best.pt --against regression:concat
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
      which: choiceFlag("which checkpoint of a run", POINTER_NAMES, { default: "latest" }),
      stats: switchFlag(
        "compare digests and read all values: NaN, tensors of zeros, tensors that are copies",
      ),
    },
    run: async (flags, context) => {
      expectChoice(flags.against);
      try {
        return await check(flags, context);
      } catch (error) {
        if (!flags.json || context.signal.aborted) throw error;
        const { arguments: [path = ""], progress, warn } = context;
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
  readonly which: PointerName;
  readonly stats: boolean;
  readonly verbose: boolean;
}

async function check(
  { against, preset, which, stats, verbose }: CheckFlags,
  { arguments: [path = ""], print, progress, signal }: CommandContext,
): Promise<CommandResult> {
  const found = await checkCheckpoint(path, {
    ...(against === undefined ? {} : { against }),
    ...(preset === undefined ? {} : { preset }),
    ...{ which, stats, signal },
    onProgress: (done, total) => progress.update(`${done} of ${total} tensors`),
  });
  progress.clear();
  const text = formatCheck(found, formatTable, { all: verbose });
  const [verdict = "", ...rest] = text.split("\n");
  print([colour(found.ok ? "green" : "red", verdict, Deno.stdout), ...rest].join("\n"));
  return { document: found, exitCode: found.ok ? 0 : 1 };
}

function expectChoice(against: string | undefined): void {
  try {
    if (against !== undefined) parsePolicyChoice(against);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`Flag --against: ${error.message}`);
  }
}
