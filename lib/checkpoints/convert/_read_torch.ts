import type { JsonValue } from "../../features/canonical_json.ts";
import { plural } from "../../episodes/_plural.ts";
import type { TensorInput } from "../../formats/tensor_types.ts";
import { openTorchCheckpoint } from "../../formats/torch_checkpoint.ts";
import { PickleFloat } from "../../formats/pickle_values.ts";
import { TorchTensor, type TorchValue } from "../../formats/torch_values.ts";
import { policyShapes } from "../../policies/shapes.ts";
import { isMembers } from "../_config.ts";
import type { CheckpointContents } from "../document.ts";
import { type OpenCheckpoint, openCheckpoint } from "../open.ts";
import { toPlain } from "./_plain_value.ts";
import { type PortableCheckpoint, type ReadOptions, splitTensors } from "./_portable.ts";
import { EMA, isNumber, isText, PARTS, TEXTS, WRITTEN } from "./_torch_members.ts";
import { readTorchOptimizer } from "./_torch_optimizer.ts";

type Dictionary = ReadonlyMap<TorchValue, TorchValue>;

/** Reads a `.pt` file of any layout. */
export async function readTorch(path: string, options: ReadOptions): Promise<PortableCheckpoint> {
  const source = openCheckpoint(path);
  try {
    // Copies of one tensor must be equal, or one of them would be lost.
    await source.verify(options.signal === undefined ? {} : { signal: options.signal });
    const file = openTorchCheckpoint(path, { floats: "tagged" });
    try {
      const close = () => {
        source.close();
        file.close();
      };
      const top = source.layout === "state_dict" ? new Map() : file.value as Dictionary;
      return { ...portable(source, top, options), [Symbol.dispose]: close };
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    source.close();
    throw error;
  }
}

function portable(
  source: OpenCheckpoint,
  top: Dictionary,
  options: ReadOptions,
): Omit<PortableCheckpoint, typeof Symbol.dispose> {
  const { path } = source;
  const { config, tensors, others, remarks } = splitTensors(source, statesOf(source), options);
  const notes = [...source.remarks.map((remark) => `${path}: ${remark}`), ...remarks];
  notes.push(...sharedRemark(path, [...tensors.values()]));
  const training = new Map<string, TensorInput>(averagesOf(path, top));
  let optimizer: JsonValue = null;
  const state = top.get("optimizer_state_dict");
  if (state !== undefined && state !== null) {
    if (options.weightsOnly) {
      notes.push(`${path}: the state of the optimiser is left out, as --weights-only says.`);
    } else {
      const isTrained = new Map(policyShapes(config).map(({ key, trainable }) => [key, trainable]));
      const shapes = new Map(
        [...tensors, ...others].filter(([key]) => isTrained.get(key) ?? true)
          .map(([key, { shape }]) => [key, shape]),
      );
      const named = readTorchOptimizer(path, state, shapes);
      for (const [name, tensor] of named.state) training.set(name, tensor);
      optimizer = named.record as unknown as JsonValue;
      notes.push(...named.remarks);
    }
  }
  const { program, trainingStage, epoch, globalStep, losses } = source;
  const contents: CheckpointContents = {
    ...recorded(path, top),
    ...{ program, trainingStage, epoch, globalStep, losses, config, optimizer },
    schedule: options.weightsOnly ? null : plain(path, top, "scheduler_state_dict"),
    extra: extraOf(source, top),
  };
  return { contents, tensors, others, training, remarks: notes };
}

/** Every tensor of the states of modules, of other models too. */
function statesOf({ value, layout }: OpenCheckpoint): [string, TorchTensor][] {
  const top = value as Dictionary;
  const whole = layout === "state_dict"
    ? top
    : top.get("model_state_dict") ?? top.get("state_dict");
  const states: [prefix: string, state: unknown][] = [["", whole]];
  if (layout !== "state_dict") {
    states.push(...PARTS.map((part) => [`${part}.`, top.get(part)] as [string, unknown]));
  }
  return states.flatMap(([prefix, state]) =>
    state instanceof Map
      ? [...state as Dictionary].flatMap(([key, tensor]): [string, TorchTensor][] =>
        tensor instanceof TorchTensor ? [[`${prefix}${String(key)}`, tensor]] : []
      )
      : []
  );
}

function averagesOf(path: string, top: Dictionary): [string, TensorInput][] {
  const averages = top.get(EMA);
  if (!(averages instanceof Map)) return [];
  return [...averages as Dictionary].map(([key, tensor]) => {
    if (tensor instanceof TorchTensor) return [`ema.${String(key)}`, tensor];
    throw new SyntaxError(`Cannot convert ${path}: ${EMA} should hold tensors only.`);
  });
}

/** What only our own `.pt` files hold. */
function recorded(path: string, top: Dictionary): Partial<CheckpointContents> {
  const texts = TEXTS.filter(([key]) => typeof top.get(key) === "string")
    .map(([key, member]) => [member, top.get(key)]);
  const consumed = top.get("consumed_samples");
  const action = plain(path, top, "action_representation");
  return {
    ...Object.fromEntries(texts),
    consumedSamples: typeof consumed === "number" ? consumed : null,
    ...(isMembers(action)
      ? { actionRepresentation: action as unknown as CheckpointContents["actionRepresentation"] }
      : {}),
    features: plain(path, top, "features"),
    sampler: plain(path, top, "sampler"),
    random: plain(path, top, "rng"),
  } as Partial<CheckpointContents>;
}

/** All other members, so that nothing is lost. */
function extraOf({ path, config }: OpenCheckpoint, top: Dictionary): Record<string, JsonValue> {
  const own = plain(path, top, "extra");
  const rest = [...top].filter(([key, value]) => key !== "extra" && !isRead(top, key, value));
  const foreign = config === null && top.has("config") ? [["config", top.get("config")]] : [];
  return {
    ...(isMembers(own) ? own as Record<string, JsonValue> : {}),
    ...Object.fromEntries(
      [...rest, ...foreign].map(([key, value]) =>
        [String(key), toPlain(`${path} ${String(key)}`, value)] as const
      ),
    ),
  };
}

/** Whether a member has found its place; an infinite loss, for instance, has none. */
function isRead(top: Dictionary, key: TorchValue, value: TorchValue): boolean {
  if (typeof key !== "string" || !WRITTEN.has(key)) return false;
  if (key === "state_dict" && top.has("model_state_dict")) return false;
  if (key === "loss" && top.has("train_loss")) return false;
  if (value === null) return true;
  if (isText(key)) return typeof value === "string";
  if (!isNumber(key)) return true;
  return Number.isFinite(value instanceof PickleFloat ? value.value : value);
}

function plain(path: string, top: Dictionary, key: string): JsonValue {
  return toPlain(`${path} ${key}`, top.get(key) ?? null);
}

/** Tensors that view one memory become tensors of their own. */
function sharedRemark(path: string, tensors: readonly unknown[]): string[] {
  const storages = tensors.flatMap((each) => each instanceof TorchTensor ? [each.storage] : []);
  const shared = storages.length - new Set(storages).size;
  return shared === 0
    ? []
    : [`${path}: ${plural(shared + 1, "tensor")} or more share memory; each gets its own.`];
}
