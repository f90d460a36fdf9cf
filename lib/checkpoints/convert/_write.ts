import type { JsonValue } from "../../features/canonical_json.ts";
import { PickleFloat } from "../../formats/pickle_values.ts";
import { writeSafetensors } from "../../formats/safetensors_writer.ts";
import type { TensorInput } from "../../formats/tensor_types.ts";
import { type TorchInput, writeTorchCheckpoint } from "../../formats/torch_checkpoint_writer.ts";
import { policyShapes } from "../../policies/shapes.ts";
import { isMembers } from "../_config.ts";
import { listNames } from "../_describe_mismatch.ts";
import { ASSUMED } from "../_tensor_file.ts";
import { writeCheckpoint } from "../write.ts";
import { fromPlain } from "./_plain_value.ts";
import type { PortableCheckpoint } from "./_portable.ts";
import { CONTENTS, contentsOf } from "./_read_ours.ts";
import { compareModules } from "./_module_order.ts";
import { EMA, PARTS } from "./_torch_members.ts";
import { ungrouped, writeTorchOptimizer } from "./_torch_optimizer_writer.ts";
import { type OptimizerGroup, readOptimizer, referenceGroups } from "./optimizer.ts";

/** What a writer reports: tensors in what it wrote, and remarks of its own. */
export interface Written {
  readonly tensors: number;
  readonly remarks: readonly string[];
}

/** Writes a folder; what belongs to no policy goes into a file of its own in it. */
export async function writeFolder(
  path: string,
  { contents, tensors, others, training }: PortableCheckpoint,
): Promise<Written> {
  const isOurs = (name: string) =>
    name === "step" || (/^(step|exp_avg|exp_avg_sq|ema)\./.test(name) &&
      tensors.has(name.slice(name.indexOf(".") + 1)));
  const moments = new Map([...training].filter(([name]) => isOurs(name)));
  const rest = new Map([...training].filter(([name]) => !isOurs(name)));
  await writeCheckpoint(path, {
    ...{ contents, tensors },
    ...(moments.size > 0 ? { training: moments } : {}),
    ...(others.size + rest.size > 0 ? { others: { tensors: others, training: rest } } : {}),
  });
  return { tensors: tensors.size + training.size + others.size, remarks: [] };
}

/** Writes the weights as one file, and as texts in it all that is no tensor. */
export function writeTensorFile(
  path: string,
  { contents, tensors, others, training }: PortableCheckpoint,
): Written {
  const { config, assumed = [], optimizer: _optimizer, schedule: _schedule, ...rest } = contents;
  const { metadata, ...extra } = rest.extra ?? {};
  const texts = isMembers(metadata) ? metadata as Record<string, string> : {};
  writeSafetensors(path, new Map([...tensors, ...others]), {
    format: "pt",
    config: JSON.stringify(config),
    ...(assumed.length > 0 ? { [ASSUMED]: JSON.stringify(assumed) } : {}),
    [CONTENTS]: JSON.stringify(contentsOf({ ...rest, extra, config })),
    ...texts,
  });
  const averages = [...training.keys()].filter((name) => name.startsWith("ema.")).length;
  const remarks = training.size === 0 ? [] : [
    `${path} holds weights only: ${training.size} tensors of the optimiser's state are left out. A ` +
    "folder or a .pt file keeps them.",
  ];
  if (averages > 0) {
    remarks.push(
      `${path}: ${averages} of these are running averages of the parameters, which predict where ` +
        "they are there; from this file the last parameters themselves predict.",
    );
  }
  return { tensors: tensors.size + others.size, remarks };
}

/**
 * Writes a `.pt` file as the regression programs of the Python reference do: a state dictionary for
 * each part, AdamW's state numbered by their groups. Models saved beside the policy add
 * `model_state_dict`, which shares its memory with the two.
 */
export function writeTorch(path: string, checkpoint: PortableCheckpoint): Written {
  const { contents, tensors, others, training } = checkpoint;
  const remarks: string[] = [];
  const state = new Map<string, TorchInput>();
  const ordered = [...others].sort(([a], [b]) => compareModules(a, b));
  const full = new Map<string, TorchInput>([...tensors, ...ordered]);
  const part = (name: string) => {
    const prefix = `${name}.`;
    const own = [...tensors].filter(([key]) => key.startsWith(prefix));
    return own.length === 0 ? null : new Map(own.map(([key, t]) => [key.slice(prefix.length), t]));
  };
  const losses = contents.losses ?? {};
  const { assumed = [], extra = {} } = contents;
  const values: [key: string, value: TorchInput][] = [
    ["epoch", contents.epoch ?? null],
    ...(others.size > 0 ? [["model_state_dict", full] as [string, TorchInput]] : []),
    ...PARTS.map((name) => [name, part(name)] as [string, TorchInput]),
    ["optimizer_state_dict", optimizerState(path, checkpoint, remarks)],
    ["scheduler_state_dict", fromPlain("schedule", contents.schedule ?? null)],
    // Some programs call it train_loss, and keep their name for it.
    ["loss", Object.hasOwn(extra, "train_loss") ? null : float(losses.train)],
    ["val_loss", float(losses.validation)],
    ["training_stage", contents.trainingStage ?? null],
    ["epoch_base", contents.epoch === undefined || contents.epoch === null ? null : 1],
    ["global_step", contents.globalStep ?? null],
    ["consumed_samples", contents.consumedSamples ?? null],
    ["best_val_loss", float(losses.bestValidation)],
    ["best_epoch", losses.bestEpoch ?? null],
    ["program", contents.program ?? null],
    ["config", fromPlain("config", contents.config as unknown as JsonValue)],
    ["assumed", assumed.length > 0 ? [...assumed] : null],
    ["action_representation", plain(contents.actionRepresentation)],
    ["statistics_digest", contents.statisticsDigest ?? null],
    ["split_digest", contents.splitDigest ?? null],
    ["features", plain(contents.features)],
    ["sampler", plain(contents.sampler)],
    ["rng", plain(contents.random)],
    [EMA, averages(training)],
  ];
  for (const [key, value] of values) {
    if (value !== null || (PARTS as readonly string[]).includes(key)) state.set(key, value);
  }
  const clashing = new Map<string, TorchInput>();
  for (const [key, value] of Object.entries(extra)) {
    const target = (state.get(key) ?? null) === null ? state : clashing;
    target.set(key, fromPlain(`extra.${key}`, value));
  }
  if (clashing.size > 0) state.set("extra", clashing);
  writeTorchCheckpoint(path, state);
  const { epoch, config: { family } } = contents;
  if (epoch !== undefined && epoch !== null && epoch > 0 && family !== "diffusion") {
    remarks.push(
      `${path}: its epoch ${epoch} is the number of completed epochs (epoch_base 1); programs that ` +
        `count from 0 write ${epoch - 1} for it.`,
    );
  }
  if (contents.config.architecture !== "reference") {
    remarks.push(
      `${path}: its architecture is ${contents.config.architecture}: PyTorch opens the file, but ` +
        "the modules of the Python reference cannot load it.",
    );
  }
  return { tensors: tensors.size + others.size + training.size, remarks };
}

function optimizerState(
  path: string,
  { contents, tensors, training }: PortableCheckpoint,
  remarks: string[],
): TorchInput {
  const state = new Map([...training].filter(([name]) => !name.startsWith("ema.")));
  const recorded = readOptimizer(path, contents.optimizer ?? null);
  if (recorded === undefined && state.size === 0) return null;
  const { type, groups: found } = recorded ??
    { type: "AdamW", groups: defaultGroups(path, contents, tensors, remarks) };
  const groups = found.map((group) => ({ ...group, keys: [...group.keys].sort(compareModules) }));
  const lost = ungrouped(groups, state);
  if (lost.length > 0) {
    throw new SyntaxError(
      `Cannot convert to ${path}: the optimiser's groups should hold every parameter that has a ` +
        `state, current value is ${lost.length} without: ${
          listNames(lost, { hint: "inspect names all" })
        }. Convert ` +
        "without it: --weights-only",
    );
  }
  return writeTorchOptimizer("optimizer.groups", { type, groups }, state);
}

function defaultGroups(
  path: string,
  { config }: PortableCheckpoint["contents"],
  tensors: ReadonlyMap<string, TensorInput>,
  remarks: string[],
): OptimizerGroup[] {
  remarks.push(
    `${path}: the checkpoint records no groups of its optimiser; they are those of the Python ` +
      "reference, with PyTorch's learning rate. Set it after load_state_dict.",
  );
  const specs = policyShapes(config).filter(({ trainable }) => trainable);
  return referenceGroups(new Map(specs.map(({ key }) => [key, tensors.get(key)!.shape])));
}

function averages(training: ReadonlyMap<string, TensorInput>): TorchInput {
  const found = [...training].filter(([name]) => name.startsWith("ema."));
  return found.length === 0
    ? null
    : new Map(found.map(([name, tensor]) => [name.slice("ema.".length), tensor]));
}

function float(value: number | null | undefined): TorchInput {
  return value === null || value === undefined ? null : new PickleFloat(value);
}

function plain(value: unknown): TorchInput {
  return fromPlain("checkpoint.json", (value ?? null) as JsonValue);
}
