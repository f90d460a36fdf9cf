import type { JsonValue } from "../features/canonical_json.ts";
import { rowBlocks } from "../formats/_row_blocks.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { verifyStorage } from "../formats/_torch_record.ts";
import { openTorchCheckpoint, type TorchCheckpoint } from "../formats/torch_checkpoint.ts";
import { type TorchStorage, TorchTensor, type TorchValue } from "../formats/torch_values.ts";
import { breathe } from "../episodes/_breathe.ts";
import { plural } from "../episodes/_plural.ts";
import { toPlain } from "./convert/_plain_value.ts";
import { EMA } from "./convert/_torch_members.ts";
import { canonicalTensors, type TensorCopy } from "./_canonical.ts";
import { parseConfig } from "./_config.ts";
import { isTextList } from "./_document.ts";
import { notesOf } from "./_notes.ts";
import { countOf, oddMembers, realOf } from "./_torch_numbers.ts";
import { VISUAL_MEMBER } from "./document.ts";
import type { CheckpointLayout, OpenCheckpoint, VerifyFilesOptions } from "./open.ts";

type Dictionary = ReadonlyMap<TorchValue, TorchValue>;

/** Keys under which programs save the state of a whole model. */
const STATE_KEYS = ["model_state_dict", "state_dict"];
/** Keys under which other programs do; believed where nothing else is there. */
const OTHER_STATE_KEYS = ["model", "network", "net"];
const PARTS = ["sensor_encoder", "action_expert"];
/** A policy's configuration has two levels of a few dozen settings. */
const MOST_LEVELS = 2, MOST_SETTINGS = 1000;

/** Opens a `.pt` file of any of the layouts that the Python reference's programs write. */
export function openTorch(path: string): OpenCheckpoint {
  const file = openPickle(path);
  try {
    const { value } = file;
    const { layout, stateKey, entries, others } = layoutOf(path, value);
    const { copies, others: ignored, ...found } = canonicalTensors(path, entries);
    const top: Dictionary = layout === "state_dict" ? new Map() : value as Dictionary;
    const remarks = others === 0 ? [] : [`Left out what is no tensor: ${others} of its state.`];
    if (OTHER_STATE_KEYS.includes(stateKey ?? "")) {
      remarks.push(`The state of its model is its member \`${stateKey}\`.`);
    }
    remarks.push(...oddMembers(top));
    const isDiffusion = [...found.tensors.keys()].some((key) => key.includes(".time_embed."));
    const epochs = epochsOf(top, layout, isDiffusion, remarks);
    const config = configOf(path, top, remarks);
    const assumed = top.get("assumed");
    return {
      path,
      layout,
      ...found,
      config,
      assumed: config !== null && isTextList(assumed) ? assumed : [],
      program: text(top, "program"),
      trainingStage: text(top, "training_stage"),
      ...epochs,
      globalStep: countOf(top.get("global_step")),
      losses: {
        train: realOf(top.get("train_loss")) ?? realOf(top.get("loss")),
        validation: realOf(top.get("val_loss")),
        bestValidation: realOf(top.get("best_val_loss")),
        bestEpoch: countOf(top.get("best_epoch")),
      },
      remarks,
      document: null,
      notes: notesOf(plainMember(top, "features"), plainMember(top, VISUAL_MEMBER)),
      value,
      training: () => averagesOf(path, top),
      others: () =>
        ignored.size === 0 ? null : { tensors: ignored, training: otherAverages(path, top) },
      verify: async (options = {}) => {
        await verifyStorages(file, found.tensors, entries, options);
        await compareCopies(path, copies, options);
      },
      close: () => file.close(),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens the file; what is not on the list of allowed names is refused with what to write instead. */
function openPickle(path: string) {
  try {
    return openTorchCheckpoint(path);
  } catch (error) {
    const [, name] = error instanceof SyntaxError ? REFUSED.exec(error.message) ?? [] : [];
    if (name === undefined) throw error;
    throw new SyntaxError(
      `Cannot read ${path}: a checkpoint should hold tensors and plain data, current value is also ` +
        `${name}. Nothing was executed. ${SAVE_STATE}`,
      { cause: error },
    );
  }
}

const REFUSED = /not on the list of allowed names, current value is (\S+)\. Nothing was executed/;

/** What to run in Python instead of saving a module, arguments or paths. */
export const SAVE_STATE = "Save only the model's state, in Python:\n" +
  '  torch.save({"model_state_dict": model.state_dict()}, "policy.pt")';

/**
 * The key of a `.pt` file's top level under which the state of the whole model lies.
 *
 * @returns undefined where there is none
 */
export function stateKeyOf(value: Dictionary): string | undefined {
  const usual = STATE_KEYS.find((key) => value.has(key));
  if (usual !== undefined || PARTS.some((part) => value.has(part))) return usual;
  return OTHER_STATE_KEYS.find((key) => holdsTensors(value.get(key)));
}

function holdsTensors(value: TorchValue | undefined): boolean {
  return value instanceof Map && [...value.values()].some((item) => item instanceof TorchTensor);
}

interface Layout {
  readonly layout: CheckpointLayout;
  readonly stateKey: string | undefined;
  readonly entries: readonly (readonly [string, StoredTensor])[];
  /** Entries that are no tensors. */
  readonly others: number;
}

function layoutOf(path: string, value: TorchValue): Layout {
  if (!(value instanceof Map)) {
    throw new SyntaxError(
      `Cannot read ${path}: a checkpoint should be a dictionary, current value is ${
        kindOf(value)
      }. ` +
        "Save the model's state_dict().",
    );
  }
  const stateKey = stateKeyOf(value);
  const hasParts = PARTS.some((part) => value.get(part) instanceof Map);
  const isStage1 = hasParts || PARTS.every((part) => value.has(part));
  const entries: (readonly [string, StoredTensor])[] = [];
  let others = 0;
  const take = (prefix: string, key: string | undefined, state: TorchValue | undefined) => {
    if (state === null || state === undefined) return; // a program without a sensor
    if (!(state instanceof Map)) {
      throw new SyntaxError(
        `Cannot read ${path}: ${key} should be a dictionary of tensors, current value is ` +
          `${kindOf(state)}.`,
      );
    }
    for (const [name, tensor] of state as Dictionary) {
      if (tensor instanceof TorchTensor) entries.push([`${prefix}${name}`, tensor]);
      else others++;
    }
  };
  if (stateKey !== undefined) take("", stateKey, value.get(stateKey));
  if (isStage1) { for (const part of PARTS) take(`${part}.`, part, value.get(part)); }
  if (stateKey !== undefined || isStage1) {
    const layout = stateKey === undefined ? "stage1" : hasParts ? "both" : "model_state_dict";
    return { layout, stateKey, entries, others };
  }
  take("", "the file", value);
  if (entries.length > 0) return { layout: "state_dict", stateKey, entries, others };
  const [inner] = [...value].find(([, member]) => holdsTensors(member)) ?? [];
  if (inner !== undefined) {
    throw new SyntaxError(
      `Cannot read ${path}: a checkpoint should hold sensor_encoder and action_expert, or ` +
        `model_state_dict, current value is tensors in \`${String(inner)}\` only. If that is the ` +
        "model to be used, save its value under `model_state_dict`, in Python:\n" +
        `  torch.save({"model_state_dict": torch.load("FILE.pt")[${
          JSON.stringify(inner)
        }]}, "policy.pt")`,
    );
  }
  const keys = [...value.keys()].slice(0, 8).map(String).join(", ");
  throw new SyntaxError(
    `Cannot read ${path}: a checkpoint should hold sensor_encoder and action_expert, or ` +
      `model_state_dict, or tensors by name, current value is a dictionary of ${
        keys || "nothing"
      }.`,
  );
}

/**
 * The Python reference's regression programs count epochs from 0, its diffusion programs and the one
 * that writes all of the layouts at once from 1; files that say so themselves are believed.
 */
function epochsOf(
  top: Dictionary,
  layout: CheckpointLayout,
  isDiffusion: boolean,
  remarks: string[],
): Pick<OpenCheckpoint, "epoch" | "epochBase"> {
  const stored = countOf(top.get("epoch"));
  if (stored === null) return { epoch: null, epochBase: null };
  const recorded = countOf(top.get("epoch_base"));
  const isKnown = recorded === 0 || recorded === 1;
  const epochBase = isKnown ? recorded : layout === "both" || isDiffusion ? 1 : 0;
  if (!isKnown) {
    remarks.push(
      `Its epoch ${stored} is counted from ${epochBase}, as programs with this layout do: ` +
        `${plural(stored + 1 - epochBase, "epoch")} completed.`,
    );
  }
  return { epoch: stored + 1 - epochBase, epochBase };
}

function configOf(path: string, top: Dictionary, remarks: string[]) {
  const value = top.get("config");
  if (!(value instanceof Map)) return null;
  if (value.has("architecture")) return parseConfig(path, settings(path, value));
  remarks.push("It holds a configuration of another program, which is not used.");
  return null;
}

/** The averages of a training as `ema.KEY`; what an optimiser keeps has no names here. */
function averagesOf(path: string, top: Dictionary): ReadonlyMap<string, StoredTensor> | null {
  const entries = averagedTensors(top);
  return entries === null ? null : named(canonicalTensors(path, entries).tensors);
}

/** The averages of what was trained of other models, likewise. */
function otherAverages(path: string, top: Dictionary): ReadonlyMap<string, StoredTensor> {
  return named(canonicalTensors(path, averagedTensors(top) ?? []).others);
}

function averagedTensors(top: Dictionary): (readonly [string, TorchTensor])[] | null {
  const state = top.get(EMA);
  if (!(state instanceof Map)) return null;
  return [...state as Dictionary].flatMap(([key, tensor]) =>
    tensor instanceof TorchTensor ? [[String(key), tensor] as const] : []
  );
}

function named(tensors: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor> {
  return new Map([...tensors].map(([key, tensor]) => [`ema.${key}`, tensor]));
}

/** A member as JSON; undefined where it is none, as it may be in a file of another program. */
function plainMember(top: Dictionary, key: string): JsonValue | undefined {
  try {
    return toPlain(key, top.get(key) ?? null);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Dictionaries as objects; one may stand in many places of a pickle at no cost. */
function settings(path: string, value: Dictionary, level = 1, found = { settings: 0 }): object {
  found.settings += value.size;
  if (found.settings > MOST_SETTINGS) {
    throw new SyntaxError(
      `Cannot read ${path}: its policy configuration should have at most ${MOST_SETTINGS} settings, ` +
        "current value is more. The file is damaged, or of another program.",
    );
  }
  return Object.fromEntries(
    [...value].map(([key, member]) => {
      const inner = member instanceof Map && level < MOST_LEVELS;
      if (inner) return [String(key), settings(path, member, level + 1, found)];
      return [String(key), typeof member === "bigint" ? Number(member) : member];
    }),
  );
}

function text(top: Dictionary, key: string): string | null {
  const value = top.get(key);
  return typeof value === "string" ? value : null;
}

function kindOf(value: TorchValue): string {
  if (value === null) return "None";
  if (value instanceof TorchTensor) return "one tensor";
  return Array.isArray(value) ? `a list of ${value.length}` : `a ${typeof value}`;
}

/** Compares the checksums of what the tensors in question view. */
async function verifyStorages(
  file: TorchCheckpoint,
  tensors: ReadonlyMap<string, StoredTensor>,
  entries: Layout["entries"],
  { modelOnly, weightsOnly, signal }: VerifyFilesOptions,
): Promise<void> {
  if (!modelOnly && !weightsOnly) return await file.verify({ signal });
  const wanted = modelOnly ? tensors.values() : entries.map(([, tensor]) => tensor);
  const storages = new Set<TorchStorage>();
  for (const tensor of wanted) if (tensor instanceof TorchTensor) storages.add(tensor.storage);
  for (const storage of storages) await verifyStorage(storage, signal);
}

async function compareCopies(
  path: string,
  copies: readonly TensorCopy[],
  { signal }: VerifyFilesOptions,
): Promise<void> {
  for (const [key, first, second] of copies) {
    for (const [start, end] of rowBlocks(key, first)) {
      if (!isSameBytes(first.readRows(start, end), second.readRows(start, end))) {
        throw new SyntaxError(
          `Cannot read ${path}: ${key} is there twice and should be the same, current value is ` +
            "different numbers. The file was put together from two models; save it again.",
        );
      }
      await breathe(signal);
    }
  }
}

function isSameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [left, right] = [a, b].map(({ buffer, byteOffset, byteLength }) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  ) as [Uint8Array, Uint8Array];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}
