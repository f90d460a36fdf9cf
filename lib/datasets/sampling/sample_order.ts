/** Which samples a process takes, epoch by epoch. What it gives depends on epoch and position alone. */
export interface SampleOrder {
  /** Samples of this process in an epoch. */
  readonly length: number;
  /**
   * Names samples.
   *
   * @param epoch 0, 1, …
   * @param position of the first one, in this process's epoch
   * @param target filled with the numbers of the samples from there on
   * @throws {RangeError} when they go beyond the epoch
   */
  read(epoch: number, position: number, target: Int32Array): void;
}

/** Which of how many processes this one is. */
export interface Sharding {
  /** Number of processes; default 1. */
  readonly ranks?: number;
  /** This one, 0 … ranks − 1; default 0. */
  readonly rank?: number;
}

/** @throws {RangeError} when rank and ranks do not fit */
export function checkSharding({ ranks = 1, rank = 0 }: Sharding): Required<Sharding> {
  if (Number.isSafeInteger(ranks) && Number.isSafeInteger(rank) && rank >= 0 && rank < ranks) {
    return { ranks, rank };
  }
  throw new RangeError(
    `Cannot share samples between processes: rank should be from 0 to below ranks, current value is ` +
      `rank ${rank} of ${ranks}.`,
  );
}

/** @throws {RangeError} when an order has no such samples */
export function assertRange(
  length: number,
  epoch: number,
  position: number,
  target: Int32Array,
): void {
  const isThere = Number.isSafeInteger(epoch) && epoch >= 0 && Number.isSafeInteger(position) &&
    position >= 0 && position + target.length <= length;
  if (isThere) return;
  throw new RangeError(
    `Cannot name samples: the epoch should be 0 or more and its positions from 0 to ${length}, ` +
      `current value is epoch ${epoch}, positions ${position} to ${position + target.length}.`,
  );
}
