import type { StoredTensor } from "../formats/tensor_types.ts";
import { openTorchCheckpoint } from "../formats/torch_checkpoint.ts";
import { TorchTensor, type TorchValue } from "../formats/torch_values.ts";
import { breathe } from "../episodes/_breathe.ts";
import { canonicalTensors, type TensorCopy } from "./_canonical.ts";
import { isMembers, parseConfig } from "./_config.ts";
import type { CheckpointLayout, OpenCheckpoint, VerifyFilesOptions } from "./open.ts";

type Dictionary = ReadonlyMap<TorchValue, TorchValue>;

/** Keys under which programs save the state of a whole model. */
const STATE_KEYS = ["model_state_dict", "state_dict"];
const PARTS = ["sensor_encoder", "action_expert"];
/** Deeper configurations are none. */
const MAX_DEPTH = 8;
/** Bytes compared at a time. */
const BLOCK_BYTES = 4 << 20;

/** Opens a `.pt` file of any of the layouts that the Python reference's programs write. */
export function openTorch(path: string): OpenCheckpoint {
  const file = openTorchCheckpoint(path);
  try {
    const { value } = file;
    const { layout, entries, others } = layoutOf(path, value);
    const { copies, ...found } = canonicalTensors(path, entries);
    const top: Dictionary = layout === "state_dict" ? new Map() : value as Dictionary;
    const remarks = others === 0 ? [] : [`Left out what is no tensor: ${others} of its state.`];
    const isDiffusion = [...found.tensors.keys()].some((key) => key.includes(".time_embed."));
    const epochs = epochsOf(top, layout, isDiffusion, remarks);
    return {
      path,
      layout,
      ...found,
      config: configOf(path, top, remarks),
      program: text(top, "program"),
      trainingStage: text(top, "training_stage"),
      ...epochs,
      globalStep: number(top, "global_step"),
      losses: {
        train: number(top, "train_loss") ?? number(top, "loss"),
        validation: number(top, "val_loss"),
        bestValidation: number(top, "best_val_loss"),
        bestEpoch: number(top, "best_epoch"),
      },
      remarks,
      document: null,
      value,
      training: () => null,
      verify: (options) => compareCopies(path, copies, options),
      close: () => file.close(),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

interface Layout {
  readonly layout: CheckpointLayout;
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
  const stateKey = STATE_KEYS.find((key) => value.has(key));
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
    return { layout, entries, others };
  }
  take("", "the file", value);
  if (entries.length > 0) return { layout: "state_dict", entries, others };
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
  const stored = number(top, "epoch");
  if (stored === null || !Number.isSafeInteger(stored) || stored < 0) {
    return { epoch: null, epochBase: null };
  }
  const recorded = number(top, "epoch_base");
  const isKnown = recorded === 0 || recorded === 1;
  const epochBase = isKnown ? recorded : layout === "both" || isDiffusion ? 1 : 0;
  if (!isKnown) {
    remarks.push(
      `Its epoch ${stored} is counted from ${epochBase}, as programs with this layout do.`,
    );
  }
  return { epoch: stored + 1 - epochBase, epochBase };
}

function configOf(path: string, top: Dictionary, remarks: string[]) {
  const value = plain(top.get("config"), 0);
  if (!isMembers(value)) return null;
  if (Object.hasOwn(value, "architecture")) return parseConfig(path, value);
  remarks.push("It holds a configuration of another program, which is not used.");
  return null;
}

function plain(value: TorchValue | undefined, depth: number): unknown {
  if (typeof value === "bigint") return Number(value);
  if (!(value instanceof Map) || depth > MAX_DEPTH) return value;
  return Object.fromEntries(
    [...value as Dictionary].map(([key, member]) => [String(key), plain(member, depth + 1)]),
  );
}

function number(top: Dictionary, key: string): number | null {
  const value = top.get(key);
  const found = typeof value === "bigint" ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? found : null;
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

async function compareCopies(
  path: string,
  copies: readonly TensorCopy[],
  { signal }: VerifyFilesOptions = {},
): Promise<void> {
  for (const [key, first, second] of copies) {
    const rows = first.shape[0] ?? 1;
    const step = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, first.bytes / rows)));
    for (let start = 0; start < rows; start += step) {
      const end = Math.min(rows, start + step);
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
