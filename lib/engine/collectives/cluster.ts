import type * as tf from "@tensorflow/tfjs";
import type { NamedTensors, Variables } from "../variable.ts";

/**
 * The processes that train together. Every call but those of one process must be made by all
 * processes, in the same order and with tensors of the same names and shapes.
 */
export interface Cluster {
  /** Processes; 1 without `TF_CONFIG`. */
  readonly size: number;
  /** This process's number, 0 to size − 1; 0 is the chief. */
  readonly rank: number;
  /**
   * The sum of each tensor over the processes, the same bits on all of them. In a compiled function it
   * is part of that function; outside of one it runs at once.
   *
   * @param tensors By name; float32, bfloat16 or float64 for sums of such, int32 for counts.
   * @returns The sums by the same names; of one process, the tensors themselves.
   */
  allReduce<T extends NamedTensors>(tensors: T): T;
  /**
   * Gives rank 0's values to the variables of all processes.
   *
   * @param all The same names, shapes and dtypes everywhere.
   */
  broadcastVariables(all: Variables): Promise<void>;
  /**
   * Sums numbers over the processes, in float64.
   *
   * @param values As many in each process.
   * @returns The sums, the same bits everywhere.
   */
  sum(values: readonly number[]): Promise<number[]>;
  /**
   * Gives rank 0's value to all processes.
   *
   * @param value What JSON can hold; those of other ranks are ignored.
   * @returns Rank 0's value.
   */
  broadcast<T>(value: T): Promise<T>;
  /** Waits until all processes have called it. */
  barrier(): Promise<void>;
}

/** The cluster of a process that trains alone: every call returns at once. */
export const ONE_PROCESS: Cluster = Object.freeze({
  size: 1,
  rank: 0,
  allReduce: <T extends Readonly<Record<string, tf.Tensor>>>(tensors: T) => tensors,
  broadcastVariables: () => Promise.resolve(),
  sum: (values: readonly number[]) => Promise.resolve([...values]),
  broadcast: <T>(value: T) => Promise.resolve(value),
  barrier: () => Promise.resolve(),
});
