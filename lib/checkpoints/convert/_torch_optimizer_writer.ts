import type { JsonValue } from "../../features/canonical_json.ts";
import { PickleFloat, PickleTuple } from "../../formats/pickle_values.ts";
import { shapeText } from "../../formats/_tensor_dtype.ts";
import type { TensorInput } from "../../formats/tensor_types.ts";
import type { TorchInput } from "../../formats/torch_checkpoint_writer.ts";
import { fromPlain } from "./_plain_value.ts";
import { DEFAULTS, ESSENTIAL, ORDER } from "./_torch_optimizer.ts";
import type { OptimizerGroup, OptimizerRecord } from "./optimizer.ts";

/** Settings that PyTorch holds as `float`, whole or not. */
const FLOATS = /^(lr|initial_lr|eps|weight_decay|momentum|dampening|max_lr|min_lr)$/;

/**
 * The state as PyTorch numbers it.
 *
 * @param place for messages
 * @param record method, and groups in their order
 * @param state as in {@linkcode NamedState}, and `step` for parameters that have none of their own
 */
export function writeTorchOptimizer(
  place: string,
  { type, groups }: OptimizerRecord,
  state: ReadonlyMap<string, TensorInput>,
): TorchInput {
  const byKey = stateByKey(groups.flatMap(({ keys }) => keys), state);
  let next = 0;
  const numbered = new Map<number, ReadonlyMap<string, TorchInput>>();
  const paramGroups = groups.map(({ keys, settings }, g) => {
    const params = keys.map((key) => {
      const number = next++, found = byKey.get(key);
      if (found !== undefined) numbered.set(number, found);
      return number;
    });
    const isAdamW = type === "AdamW";
    const isWhole = !isAdamW || ESSENTIAL.every((key) => Object.hasOwn(settings, key));
    const all = Object.entries(isWhole ? settings : { ...DEFAULTS, ...settings })
      .map(([name, value]) => {
        const at = `${place} ${g}.${name}`;
        return [name, isAdamW ? torchSetting(at, name, value) : fromPlain(at, value)] as const;
      });
    return new Map<string, TorchInput>([...all, ["params", params]]);
  });
  return { state: numbered, param_groups: paramGroups };
}

function stateByKey(keys: readonly string[], state: ReadonlyMap<string, TensorInput>) {
  const found = new Map(keys.map((key) => [key, new Map<string, TensorInput>()]));
  for (const [name, tensor] of state) {
    const dot = name.indexOf(".");
    if (dot >= 0) found.get(name.slice(dot + 1))?.set(name.slice(0, dot), tensor);
  }
  const step = state.get("step");
  const place = (name: string) => ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length;
  return new Map(
    [...found].filter(([, own]) => own.size > 0).map(([key, own]) => {
      // Each has memory of its own: PyTorch counts up in place.
      if (!own.has("step") && step !== undefined) own.set("step", stepTensor(step));
      return [key, new Map([...own].sort(([a], [b]) => place(a) - place(b)))] as const;
    }),
  );
}

function stepTensor(step: TensorInput): TensorInput {
  const { data } = "data" in step ? step : step.read();
  return { dtype: "float32", shape: [], data: Float32Array.of(Number(data[0])) };
}

function torchSetting(place: string, name: string, value: JsonValue): TorchInput {
  if (FLOATS.test(name) && typeof value === "number") return new PickleFloat(value);
  if (name === "betas" && Array.isArray(value)) {
    return new PickleTuple(value.map((beta) => new PickleFloat(Number(beta))));
  }
  return fromPlain(place, value);
}

/** What moments of parameters that are in no group would be lost with; for messages. */
export function ungrouped(
  groups: readonly OptimizerGroup[],
  state: ReadonlyMap<string, TensorInput>,
): string[] {
  const keys = new Set(groups.flatMap((group) => group.keys));
  return [...state].filter(([name]) =>
    name !== "step" && !name.startsWith("ema.") && !keys.has(name.slice(name.indexOf(".") + 1))
  ).map(([name, { shape }]) => `${name} ${shapeText(shape)}`);
}
