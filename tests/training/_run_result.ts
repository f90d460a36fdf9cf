import { join } from "node:path";
import { openCheckpoint } from "../../lib/checkpoints/mod.ts";
import { readMetrics } from "../../lib/training/mod.ts";

/** Digests of the tensors of a run's final checkpoint, and its metrics: all that equal runs have equal. */
export function runResult(run: string) {
  using checkpoint = openCheckpoint(run, { which: "final" });
  const { files, losses, sampler, epoch, globalStep, extra } = checkpoint.document!;
  return {
    ...{ files, losses, sampler, epoch, globalStep, extra },
    metrics: readMetrics(join(run, "metrics.jsonl")),
    bytes: Deno.readTextFileSync(join(run, "metrics.jsonl")),
  };
}

/** Values of a run's checkpoint: parameters, moments and averages by name. */
export function runValues(run: string): Map<string, Float32Array> {
  using checkpoint = openCheckpoint(run, { which: "final" });
  const { tensors = [], training = [] } = checkpoint.others() ?? {};
  const all = [...checkpoint.tensors, ...checkpoint.training() ?? [], ...tensors, ...training];
  return new Map(
    all.map(([name, tensor]) => [name, Float32Array.from(tensor.read().data, Number)]),
  );
}

/**
 * The largest difference of two runs' values, over the largest of the first one's; by name. Biases of
 * attention are left out: those of keys have no gradient but rounding, of which AdamW makes whole steps.
 */
export function largestDifference(
  a: ReadonlyMap<string, Float32Array>,
  b: ReadonlyMap<string, Float32Array>,
): { readonly name: string; readonly relative: number } {
  let worst = { name: "", relative: 0 };
  for (const [name, values] of a) {
    if (/^(?!exp_avg).*in_proj_bias$/.test(name)) continue;
    const other = b.get(name)!;
    const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    const distance = values.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - other[i]!)),
      0,
    );
    if (!(distance / size <= worst.relative)) worst = { name, relative: distance / size };
  }
  return worst;
}
