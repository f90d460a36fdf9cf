import type { StoredTensor } from "../formats/tensor_types.ts";
import { describeStored } from "./_stored.ts";
import type { InspectOptions, TensorEntry } from "./inspection.ts";

/** Runs a check that speaks by errors: what is damaged or missing becomes a problem. */
export function attempt<T>(problems: string[], check: () => T): T | undefined {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof Deno.errors.NotFound)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

/** Every tensor, as {@linkcode describeStored} does. */
export async function describeAll(
  tensors: Iterable<readonly [string, StoredTensor]>,
  options: InspectOptions,
): Promise<TensorEntry[]> {
  const entries: TensorEntry[] = [];
  for (const [name, tensor] of tensors) entries.push(await describeStored(name, tensor, options));
  return entries;
}

/** Numbers in tensors, as their shapes say. */
export function countNumbers(tensors: readonly TensorEntry[]): number {
  const count = ({ shape }: TensorEntry) => shape.reduce((product, size) => product * size, 1);
  return tensors.reduce((sum, tensor) => sum + count(tensor), 0);
}

/** How many tensors have each dtype. */
export function countDtypes(tensors: readonly TensorEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { dtype } of tensors) counts[dtype] = (counts[dtype] ?? 0) + 1;
  return counts;
}
