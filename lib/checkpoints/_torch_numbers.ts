import { PickleFloat, pickleTypeName } from "../formats/pickle_values.ts";
import { TorchTensor } from "../formats/torch_values.ts";

/** Members of a `.pt` file that count something. */
const COUNTS = ["epoch", "global_step", "consumed_samples", "best_epoch"];
/** Members that are losses. */
const LOSSES = ["train_loss", "loss", "val_loss", "best_val_loss"];

/** A finite number, tagged or not; null for anything else. */
export function realOf(value: unknown): number | null {
  const found = value instanceof PickleFloat ? value.value : value;
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}

/** A whole number from 0; null for anything else. */
export function countOf(value: unknown): number | null {
  const found = realOf(value);
  return found !== null && Number.isSafeInteger(found) && found >= 0 ? found : null;
}

/** Whether a member of a known name is what its name says; others are kept as they are. */
export function isUnderstood(key: string, value: unknown): boolean {
  if (COUNTS.includes(key)) return countOf(value) !== null;
  return !LOSSES.includes(key) || realOf(value) !== null;
}

/** Sentences about members that have a known name and are not what it says. */
export function oddMembers(top: ReadonlyMap<unknown, unknown>): string[] {
  return [...COUNTS, ...LOSSES].flatMap((key) => {
    const value = top.get(key) ?? null;
    if (value === null || isUnderstood(key, value)) return [];
    const isCount = COUNTS.includes(key);
    const hint = Number.isNaN(value)
      ? " The training diverged, or there was nothing to validate with."
      : "";
    return [
      `Its ${key} should be a ${isCount ? "count" : "finite number"}, current value is ` +
      `${brief(value)}; it counts as unknown.${hint}`,
    ];
  });
}

function brief(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return value instanceof TorchTensor ? "a tensor" : pickleTypeName(value);
}
