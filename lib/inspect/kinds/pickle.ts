import type { NpyArray } from "../../formats/npy_types.ts";
import { readPickle } from "../../formats/pickle_reader.ts";
import {
  isNumpyArray,
  NumpyScalar,
  PickleFloat,
  PickleTuple,
  pickleTypeName,
  type PickleValue,
} from "../../formats/pickle_values.ts";
import { describeArray } from "../_tensors.ts";
import type { Kind, TensorEntry } from "../inspection.ts";

/** Layers of dicts and lists that are looked into. */
const MAX_DEPTH = 4;
/** Members of a container that are listed. */
const LISTED = 100;

/** A Python pickle of plain values and NumPy arrays; nothing in it is executed. */
export const pickle: Kind = {
  name: "pkl",
  summary: "*.pkl: Python values and NumPy arrays, data.pkl among them; nothing is executed",
  claims: ({ name }) => /\.(pkl|pickle)$/.test(name),
  inspect: ({ path }, { stats }) => {
    const value = readPickle(path);
    const tensors: TensorEntry[] = [];
    const keys: string[] = [];
    const contents = summarize(value, "", 0, {
      seen: new Set(),
      array: (name, array) => tensors.push(describeArray(name, array, stats)),
      key: (name) => keys.push(name),
    });
    return { tensors, keys, details: { ...describeEpisode(value), contents } };
  },
};

interface Visitor {
  /** Lists and dicts that were shown: pickles hold one object in many places at no cost. */
  readonly seen: Set<PickleValue>;
  array(name: string, array: NpyArray): void;
  key(name: string): void;
}

/** Types of what is in there; values where they are short. Depth ends what holds itself. */
function summarize(value: PickleValue, name: string, depth: number, visitor: Visitor): unknown {
  if (isNumpyArray(value)) {
    visitor.array(name === "" ? "array" : name, value as NpyArray);
    return pickleTypeName(value);
  }
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof PickleFloat) return value.value;
  if (value instanceof NumpyScalar) return `${pickleTypeName(value)} ${String(value.value)}`;
  if (typeof value === "string") return value.length > 200 ? `${value.slice(0, 200)}…` : value;
  const inner = (key: string, member: PickleValue) => {
    const full = name === "" ? key : `${name}.${key}`;
    visitor.key(full);
    return summarize(member, full, depth + 1, visitor);
  };
  if (visitor.seen.has(value)) return `${pickleTypeName(value)}, shown above`;
  visitor.seen.add(value);
  if (value instanceof Map) {
    if (depth === MAX_DEPTH) return `dict of ${value.size}`;
    const members = [...value].slice(0, LISTED).map(([key, member]) => {
      const text = typeof key === "string" ? key : String(summarize(key, "", MAX_DEPTH, visitor));
      return [text, inner(text, member)];
    });
    const rest = value.size - members.length;
    return Object.fromEntries(rest > 0 ? [...members, ["…", `${rest} more`]] : members);
  }
  const isList = Array.isArray(value);
  if (!isList && !(value instanceof PickleTuple)) return pickleTypeName(value);
  const items = isList ? value : value.items;
  const isNested = items.slice(0, LISTED).some((item) => typeof item === "object" && item !== null);
  if (isNested && depth < MAX_DEPTH) {
    return items.slice(0, LISTED).map((item, index) => inner(String(index), item));
  }
  const of = [...new Set(items.map(pickleTypeName))].slice(0, 5).join(", ");
  return `${pickleTypeName(value)} of ${items.length}${of === "" ? "" : ` (${of})`}`;
}

/** What the step-0 file of the Python reference holds; empty for others. */
function describeEpisode(value: PickleValue): Record<string, unknown> {
  const members = ["action", "image", "sensor_data", "instruction", "metadata"];
  if (!(value instanceof Map) || !members.every((name) => value.has(name))) return {};
  const action = value.get("action"), image = value.get("image");
  const sensor = value.get("sensor_data");
  return {
    holds: "data.pkl of an episode",
    actions: isNumpyArray(action) ? action.shape[0] : null,
    views: image instanceof Map
      ? Object.fromEntries(
        [...image].map(([view, files]) => [view, Array.isArray(files) ? files.length : null]),
      )
      : null,
    hasSensor: sensor !== null,
    instruction: value.get("instruction"),
  };
}
