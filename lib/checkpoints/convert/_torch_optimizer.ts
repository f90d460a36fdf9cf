import type { JsonValue } from "../../features/canonical_json.ts";
import { PickleFloat, PickleTuple, pickleTypeName } from "../../formats/pickle_values.ts";
import type { TensorInput } from "../../formats/tensor_types.ts";
import { TorchTensor } from "../../formats/torch_values.ts";
import { isSameShape } from "../match.ts";
import { type Way, waysToGroup } from "./_group_ways.ts";
import { toPlain } from "./_plain_value.ts";
import type { OptimizerRecord } from "./optimizer.ts";

/** Settings that AdamW's groups may lack, as PyTorch 2.13 writes them. */
export const DEFAULTS: Readonly<Record<string, JsonValue>> = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weight_decay: 0.01,
  amsgrad: false,
  maximize: false,
  foreach: null,
  capturable: false,
  differentiable: false,
  fused: null,
  decoupled_weight_decay: true,
};
/** Settings that every AdamW has; groups that have them are whole. */
export const ESSENTIAL = ["lr", "betas", "eps", "weight_decay"];
/** With those that schedules add, and the names of parameters. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(DEFAULTS),
  ...["initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "param_names", "name"],
]);

/** As PyTorch orders what it keeps for a parameter. */
export const ORDER = ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"];

type Shapes = ReadonlyMap<string, readonly number[]>;
/** An entry of `state`, by its number. */
type States = ReadonlyMap<number, ReadonlyMap<unknown, unknown>>;

/** An optimiser's state with names for numbers. */
export interface NamedState {
  readonly record: OptimizerRecord;
  /** `exp_avg.KEY`, `exp_avg_sq.KEY`, `step.KEY`, …: what each parameter has, by name. */
  readonly state: ReadonlyMap<string, TensorInput>;
  readonly remarks: readonly string[];
}

/**
 * Gives names to the numbered state of PyTorch's AdamW. Which number is which parameter follows from
 * how the programs of the Python reference group parameters: every group's size and every moment's
 * shape must agree with one of their ways.
 *
 * @param path for messages
 * @param value `optimizer_state_dict`, floats tagged
 * @param shapes of all parameters, in the order of the state dictionary
 * @throws {SyntaxError} when no way fits
 */
export function readTorchOptimizer(path: string, value: unknown, shapes: Shapes): NamedState {
  const place = `${path} optimizer_state_dict`;
  const { groups, states } = parse(place, value);
  const sizes = groups.map(({ numbers }) => numbers);
  const named = waysToName(groups, shapes).find((way) => fits(way, sizes, states, shapes));
  if (named === undefined) {
    throw new SyntaxError(
      `Cannot convert ${place}: its groups should hold the parameters of the policy in an order ` +
        `that a training program has, current value is groups of ${
          sizes.map(({ length }) => length).join(", ")
        } for ${shapes.size} parameters. Convert without it: --weights-only`,
    );
  }
  const state = new Map<string, TensorInput>();
  const remarks = new Set<string>();
  named.forEach(({ keys }, g) =>
    keys.forEach((key, i) => {
      for (const [name, item] of states.get(sizes[g]![i]!) ?? []) {
        state.set(`${String(name)}.${key}`, stateTensor(place, String(name), item, remarks));
      }
    })
  );
  const type = isAdamW(groups, states) ? "AdamW" : "unknown";
  if (type === "unknown") {
    remarks.add(
      `${place}: it is not AdamW's; it is kept as it is, by the names of its parameters.`,
    );
  }
  const record = {
    type,
    groups: named.map(({ name, keys }, g) => {
      const { settings, exact } = groups[g]!;
      return { name, keys, settings: type === "AdamW" ? settings : exact };
    }),
  } as const;
  return { record, state, remarks: [...remarks] };
}

/** Whether settings and states are those of AdamW, whose groups always have these. */
function isAdamW(groups: readonly TorchGroup[], states: States): boolean {
  return groups.every(({ settings }) =>
    ESSENTIAL.every((name) => Object.hasOwn(settings, name)) &&
    settings.decoupled_weight_decay !== false &&
    Object.keys(settings).every((name) => KNOWN.has(name))
  ) && [...states.values()].every((state) =>
    [...state.keys()].every((key) =>
      ORDER.includes(key as string)
    )
  );
}

/** Older PyTorch counts steps as `int`; newer ones make the same tensor of it when they load it. */
function stateTensor(
  place: string,
  name: string,
  item: unknown,
  remarks: Set<string>,
): TensorInput {
  if (item instanceof TorchTensor) return item;
  const number = item instanceof PickleFloat ? item.value : item;
  if (typeof number === "number" && Math.fround(number) === number) {
    remarks.add(`${place}: ${name} is a number there and becomes a float32 tensor.`);
    return { dtype: "float32", shape: [], data: Float32Array.of(number) };
  }
  throw new SyntaxError(
    `Cannot convert ${place}: ${name} should be a tensor or a number of float32, current value is ` +
      `${pickleTypeName(item)}. Convert without it: --weights-only`,
  );
}

interface TorchGroup {
  readonly numbers: readonly number[];
  /** Names of the parameters, which PyTorch keeps if it was given them. */
  readonly names: readonly string[] | undefined;
  readonly settings: Readonly<Record<string, JsonValue>>;
  /** These with Python's types: which numbers are `float` is known of AdamW's only. */
  readonly exact: Readonly<Record<string, JsonValue>>;
}

function parse(place: string, value: unknown): { groups: TorchGroup[]; states: States } {
  const refuse = (what: string, should: string, found: unknown): never => {
    throw new SyntaxError(
      `Cannot convert ${place}: ${what} should be ${should}, current value is ` +
        `${pickleTypeName(found)}. Convert without it: --weights-only`,
    );
  };
  const dict = (what: string, found: unknown): ReadonlyMap<unknown, unknown> =>
    found instanceof Map ? found : refuse(what, "a dict", found);
  const list = (what: string, found: unknown): readonly unknown[] =>
    Array.isArray(found) ? found : refuse(what, "a list", found);
  const top = dict("it", value);
  const numbered = new Set<number>();
  const groups = list("param_groups", top.get("param_groups")).map((item, g): TorchGroup => {
    const what = `param_groups[${g}]`, group = dict(what, item);
    const numbers = list(`${what}.params`, group.get("params")).map((number) => {
      if (typeof number !== "number" || numbered.has(number)) {
        return refuse(`${what}.params`, "a list of numbers, each once", number);
      }
      numbered.add(number);
      return number;
    });
    const names = group.get("param_names");
    const settings = [...group].filter(([key]) => key !== "params");
    return {
      numbers,
      names: names === undefined ? undefined : list(`${what}.param_names`, names).map(String),
      settings: Object.fromEntries(
        settings.map(([key, setting]) => [
          String(key),
          plainSetting(`${place} ${what}.${key}`, setting),
        ]),
      ),
      exact: Object.fromEntries(
        settings.map(([key, setting]) => [
          String(key),
          toPlain(`${place} ${what}.${key}`, setting),
        ]),
      ),
    };
  });
  const states = new Map<number, ReadonlyMap<unknown, unknown>>();
  for (const [number, state] of dict("state", top.get("state"))) {
    if (typeof number !== "number" || !numbered.has(number)) {
      refuse("state", "numbered as the groups are", number);
    }
    states.set(number as number, dict(`state[${number}]`, state));
  }
  return { groups, states };
}

/** Ways to name the parameters: as the file does, and as programs group them. */
function* waysToName(groups: readonly TorchGroup[], shapes: Shapes): Generator<Way> {
  const known = [...shapes.keys()];
  if (groups.every(({ names }) => names !== undefined)) {
    yield groups.map(({ names }, g) => ({
      name: `group ${g}`,
      keys: names!.map((name) =>
        known.find((key) => name === key || name.endsWith(`.${key}`)) ?? name
      ),
    }));
  }
  yield* waysToGroup(shapes, groups.map(({ numbers }) => numbers.length));
}

function fits(
  way: readonly { readonly keys: readonly string[] }[],
  numbers: readonly (readonly number[])[],
  states: States,
  shapes: Shapes,
): boolean {
  return way.length === numbers.length &&
    way.every(({ keys }, g) =>
      keys.length === numbers[g]!.length && keys.every((key, i) => {
        const shape = shapes.get(key);
        if (shape === undefined) return false;
        return [...states.get(numbers[g]![i]!) ?? []].every(([name, item]) =>
          name === "step" || (item instanceof TorchTensor && isSameShape(item.shape, shape))
        );
      })
    );
}

function plainSetting(place: string, value: unknown): JsonValue {
  if (place.endsWith(".betas") && value instanceof PickleTuple) {
    return value.items.map((beta, i) => plainSetting(`${place}.lr[${i}]`, beta));
  }
  return value instanceof PickleFloat && Number.isFinite(value.value)
    ? value.value
    : toPlain(place, value);
}
