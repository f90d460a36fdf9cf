import type { StoredTensor } from "../formats/tensor_types.ts";
import { TorchTensor } from "../formats/torch_values.ts";
import type { IgnoredTensors } from "./open.ts";

/** Modules that wrap a model: data parallelism, compilation, a trainer. */
const OUTER = ["module", "_orig_mod", "model"];
/** Those that may also wrap a part of it. */
const INNER = ["module", "_orig_mod"];
const PARTS = ["sensor_encoder", "action_expert"];
const VISION = "vl_model";

/** A tensor that the file holds twice, with different memory. */
export type TensorCopy = readonly [key: string, first: StoredTensor, second: StoredTensor];

/** Tensors under the names that `policyShapes` gives them. */
export interface CanonicalTensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly wrappers: readonly string[];
  readonly ignored: readonly IgnoredTensors[];
  /** Those that are ignored, by their keys in the file. */
  readonly others: ReadonlyMap<string, StoredTensor>;
  readonly copies: readonly TensorCopy[];
}

/**
 * Takes wrappers off the keys, and sets the tensors of the visual-language model aside.
 *
 * @throws {SyntaxError} when two keys mean one tensor and differ in shape or dtype
 */
export function canonicalTensors(
  path: string,
  entries: Iterable<readonly [key: string, tensor: StoredTensor]>,
): CanonicalTensors {
  const tensors = new Map<string, StoredTensor>(), copies: TensorCopy[] = [];
  const others = new Map<string, StoredTensor>();
  const wrappers = new Set<string>();
  const ignored = new Map<IgnoredTensors["name"], { tensors: number; bytes: number }>();
  for (const [key, tensor] of entries) {
    const { name, group, wrapper } = canonicalKey(key);
    if (wrapper !== "") wrappers.add(wrapper);
    if (group !== undefined) {
      const { tensors: count, bytes } = ignored.get(group) ?? { tensors: 0, bytes: 0 };
      ignored.set(group, { tensors: count + 1, bytes: bytes + tensor.bytes });
      others.set(name, tensor);
      continue;
    }
    const other = tensors.get(name);
    if (other === undefined) tensors.set(name, tensor);
    else if (!isSameMemory(other, tensor)) {
      if (describe(other) !== describe(tensor)) disagree(path, name, other, tensor);
      copies.push([name, other, tensor]);
    }
  }
  const groups = [...ignored].map(([name, count]) => ({ name, ...count }));
  return { tensors, wrappers: [...wrappers], ignored: groups, others, copies };
}

function canonicalKey(key: string) {
  const segments = key.split(".");
  const start = segments.findIndex((segment) => !OUTER.includes(segment));
  const first = start < 0 ? undefined : segments[start];
  const wrapper = segments.slice(0, start).map((segment) => `${segment}.`).join("");
  if (first !== undefined && PARTS.includes(first)) {
    const rest = segments.slice(start), inner = rest.filter((segment) => !INNER.includes(segment));
    const removed = rest.length === inner.length ? "" : "module.";
    return { name: inner.join("."), wrapper: wrapper || removed };
  }
  if (segments.some((segment) => segment.startsWith("lora_"))) {
    return { name: key, group: "lora", wrapper: "" } as const;
  }
  if (first === VISION) return { name: key, group: VISION, wrapper } as const;
  return { name: key, wrapper: "" };
}

/** Whether PyTorch saved one tensor under two keys. */
function isSameMemory(a: StoredTensor, b: StoredTensor): boolean {
  return a instanceof TorchTensor && b instanceof TorchTensor && a.storage === b.storage &&
    a.offset === b.offset && describe(a) === describe(b) && String(a.strides) === String(b.strides);
}

function describe({ dtype, shape }: StoredTensor): string {
  return `${dtype} (${shape.join(", ")})`;
}

function disagree(path: string, name: string, a: StoredTensor, b: StoredTensor): never {
  throw new SyntaxError(
    `Cannot read ${path}: ${name} is there twice and should be the same, current value is ` +
      `${describe(a)} and ${describe(b)}. Remove one of them, or save the checkpoint again.`,
  );
}
