import type { Cluster, NamedTensors, tf } from "../engine/mod.ts";
import type { Contribution } from "./_clip.ts";
import { joinedStatistics, statisticsShare } from "./_running_statistics.ts";

/** What all processes together add to an update. */
export interface Total extends Contribution {
  /** Sums of the numbers that each process counted. */
  readonly counts: tf.Tensor;
}

/**
 * Adds up over the processes, within a compiled function; the same bits on all of them.
 *
 * @param cluster the processes
 * @param contribution of this process
 * @param counts numbers of this process, `(n)`
 * @param before running statistics before the first batch
 * @param batches of each process
 */
export function sumOverProcesses(
  cluster: Cluster,
  contribution: Contribution,
  counts: tf.Tensor,
  before: NamedTensors,
  batches: number,
): Total {
  if (cluster.size === 1) return { ...contribution, counts };
  const { sum, weight, gradients, metrics, statistics } = contribution;
  const shares = statisticsShare(before, statistics, cluster, batches);
  const parts = { gradients, metrics, shares, totals: { sum, weight, counts } };
  const flat = Object.fromEntries(
    Object.entries<NamedTensors>(parts).flatMap(([part, tensors]) =>
      Object.entries(tensors).map(([name, tensor]) => [`${part}/${name}`, tensor])
    ),
  );
  const all = cluster.allReduce(flat);
  const of = (part: keyof typeof parts): Record<string, tf.Tensor> =>
    Object.fromEntries(Object.keys(parts[part]).map((name) => [name, all[`${part}/${name}`]!]));
  return {
    ...(of("totals") as { sum: tf.Scalar; weight: tf.Scalar; counts: tf.Tensor }),
    gradients: of("gradients"),
    metrics: of("metrics"),
    statistics: joinedStatistics(before, of("shares"), cluster.size, batches),
  };
}
