import type { JsonValue } from "../../features/canonical_json.ts";
import { plural } from "../../episodes/_plural.ts";
import type { TensorInput } from "../../formats/tensor_types.ts";
import { openTorchCheckpoint } from "../../formats/torch_checkpoint.ts";
import { TorchTensor, type TorchValue } from "../../formats/torch_values.ts";
import { policyShapes } from "../../policies/shapes.ts";
import { isMembers } from "../_config.ts";
import { stateKeyOf } from "../_torch.ts";
import { countOf, isUnderstood } from "../_torch_numbers.ts";
import type { CheckpointContents } from "../document.ts";
import { type OpenCheckpoint, openCheckpoint } from "../open.ts";
import { toPlain } from "./_plain_value.ts";
import { type PortableCheckpoint, type ReadOptions, splitTensors } from "./_portable.ts";
import { EMA, isText, PARTS, TEXTS, WRITTEN } from "./_torch_members.ts";
import { readTorchOptimizer } from "./_torch_optimizer.ts";

type Dictionary = ReadonlyMap<TorchValue, TorchValue>;

/** Reads a `.pt` file of any layout. */
export async function readTorch(path: string, options: ReadOptions): Promise<PortableCheckpoint> {
  const source = openCheckpoint(path);
  try {
    // Copies of one tensor must be equal, or one of them would be lost.
    await source.verify({
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      weightsOnly: options.weightsOnly ?? false,
    });
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
  const { config, assumed, tensors, others, remarks } = splitTensors(
    source,
    statesOf(source),
    options,
  );
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
  const plain = plainMembers(path, options, notes);
  const contents: CheckpointContents = {
    ...recorded(top, plain),
    ...{ program, trainingStage, epoch, globalStep, losses, config, assumed, optimizer },
    schedule: options.weightsOnly
      ? null
      : plain("scheduler_state_dict", top.get("scheduler_state_dict"))!,
    extra: extraOf(source, top, plain),
  };
  return { contents, tensors, others, training, remarks: notes };
}

/** Every tensor of the states of modules, of other models too. */
function statesOf({ value, layout }: OpenCheckpoint): [string, TorchTensor][] {
  const top = value as Dictionary;
  const whole = layout === "state_dict" ? top : top.get(stateKeyOf(top) ?? "");
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
function recorded(top: Dictionary, plain: Plain): Partial<CheckpointContents> {
  const texts = TEXTS.filter(([key]) => typeof top.get(key) === "string")
    .map(([key, member]) => [member, top.get(key)]);
  const member = (key: string) => plain(key, top.get(key));
  const action = member("action_representation");
  return {
    ...Object.fromEntries(texts),
    consumedSamples: countOf(top.get("consumed_samples")),
    ...(isMembers(action)
      ? { actionRepresentation: action as unknown as CheckpointContents["actionRepresentation"] }
      : {}),
    features: member("features"),
    sampler: member("sampler"),
    random: member("rng"),
  } as Partial<CheckpointContents>;
}

/** All other members, so that nothing is lost. */
function extraOf(
  source: OpenCheckpoint,
  top: Dictionary,
  plain: Plain,
): Record<string, JsonValue> {
  const own = plain("extra", top.get("extra"));
  const hasOwn = own === undefined || isMembers(own);
  const rest = [...top].filter(([key, value]) =>
    !(key === "extra" && hasOwn) && !isRead(source, top, key, value)
  );
  return {
    ...(hasOwn ? own as Record<string, JsonValue> : {}),
    ...Object.fromEntries(
      rest.map(([key, value]) => [String(key), value === null ? null : plain(String(key), value)])
        .filter(([, value]) => value !== undefined),
    ),
  };
}

/** Whether a member has found its place; an infinite loss, for instance, has none, nor has None. */
function isRead(
  { config, assumed, epochBase }: OpenCheckpoint,
  top: Dictionary,
  key: TorchValue,
  value: TorchValue,
): boolean {
  if (typeof key !== "string") return false;
  if (key === stateKeyOf(top) || (PARTS as readonly string[]).includes(key)) return true;
  if (!WRITTEN.has(key) || value === null) return false;
  if (key === "config") return config !== null;
  if (key === "epoch_base") return value === epochBase;
  if (key === "assumed") return assumed.length > 0;
  if (key === "loss") return !top.has("train_loss") && isUnderstood(key, value);
  return isText(key) ? typeof value === "string" : isUnderstood(key, value);
}

/** A member as JSON; null where there is none, undefined where it is left out. */
type Plain = (key: string, value: TorchValue | undefined) => JsonValue | undefined;

/** What is too large for JSON is an error, or left out where weights are all that is asked for. */
function plainMembers(path: string, { weightsOnly }: ReadOptions, notes: string[]): Plain {
  return (key, value) => {
    try {
      return toPlain(`${path} ${key}`, value ?? null);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      if (!weightsOnly) {
        throw new SyntaxError(`${error.message} Convert without it: --weights-only`);
      }
      notes.push(`${path}: ${key} is left out. ${error.message}`);
      return undefined;
    }
  };
}

/** Tensors that view one memory become tensors of their own. */
function sharedRemark(path: string, tensors: readonly unknown[]): string[] {
  const storages = tensors.flatMap((each) => each instanceof TorchTensor ? [each.storage] : []);
  const shared = storages.length - new Set(storages).size;
  return shared === 0
    ? []
    : [`${path}: ${plural(shared + 1, "tensor")} or more share memory; each gets its own.`];
}
