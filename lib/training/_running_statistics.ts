import type { Cluster, NamedTensors, Variables } from "../engine/mod.ts";
import { tf } from "../engine/mod.ts";
import { MOMENTUM } from "../policies/layers/batch_norm.ts";
import { type PolicyConfig, policyShapes } from "../policies/mod.ts";

const TRACKED = /\.(running_mean|running_var|num_batches_tracked)$/;

/** The running statistics among a policy's tensors; empty without batch normalisation. */
export function runningStatistics(config: PolicyConfig, policy: Variables): Variables {
  const keys = policyShapes(config).map(({ key }) => key).filter((key) => TRACKED.test(key));
  return Object.fromEntries(keys.map((key) => [key, policy[key]!]));
}

/**
 * What a process adds to running statistics: they forget by a factor with every batch, so that those of
 * one process with all batches follow from the old ones and a sum over the processes, in the order of
 * their ranks.
 *
 * @param before the old ones, the same on all ranks
 * @param after as this process's batches have left them
 * @param batches of each process
 * @returns what is to be summed, float32
 */
export function statisticsShare(
  before: NamedTensors,
  after: NamedTensors,
  { size, rank }: Pick<Cluster, "size" | "rank">,
  batches: number,
): NamedTensors {
  return Object.fromEntries(
    Object.entries(after).map(([key, value]) => {
      const kept = keptBy(key, batches);
      const added = value.cast("float32").sub(before[key]!.cast("float32").mul(kept));
      return [key, added.mul(kept ** (size - 1 - rank))];
    }),
  );
}

/** The new running statistics, from the sums of {@link statisticsShare} over all processes. */
export function joinedStatistics(
  before: NamedTensors,
  sums: NamedTensors,
  size: number,
  batches: number,
): NamedTensors {
  return Object.fromEntries(
    Object.entries(sums).map(([key, sum]) => {
      const old = before[key]!, kept = keptBy(key, batches) ** size;
      return [key, tf.cast(old.cast("float32").mul(kept).add(sum), old.dtype)];
    }),
  );
}

/** What is left of an old value after some batches; numbers of batches forget nothing. */
function keptBy(key: string, batches: number): number {
  return key.endsWith(".num_batches_tracked") ? 1 : (1 - MOMENTUM) ** batches;
}
