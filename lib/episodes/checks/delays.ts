/** The clocks' readings of one stream's samples, `(n,)` s each. */
export interface StampedStream {
  /** When it was measured. */
  readonly measured: ArrayLike<number>;
  /** When it was sent; null where that was not recorded. */
  readonly sent: ArrayLike<number> | null;
  /** When it arrived, by the receiver's clock; null where that was not recorded. */
  readonly received: ArrayLike<number> | null;
}

/** Delays of one stream's samples, `(n,)` ms each; null where a stamp is missing. */
export interface StreamDelays {
  /** In the producer's queue: sent − measured. */
  readonly queueMs: Float64Array<ArrayBuffer> | null;
  /** On the network: received − sent, with the difference of the two clocks in it. */
  readonly networkMs: Float64Array<ArrayBuffer> | null;
  /** Altogether: received − measured, with the difference of the two clocks in it. */
  readonly totalMs: Float64Array<ArrayBuffer> | null;
}

/**
 * How long samples waited and travelled. A difference between two clocks cannot be told from a way;
 * only its changes can.
 *
 * @param stream its stamps
 * @returns the delays
 * @throws {RangeError} if the stamps are not equally many
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { streamDelays } from "./delays.ts";
 *
 * const { queueMs, networkMs } = streamDelays({ measured: [1, 2], sent: [1.5, 2.25], received: null });
 * assert.deepEqual([...queueMs!], [500, 250]);
 * assert.equal(networkMs, null);
 * ```
 */
export function streamDelays({ measured, sent, received }: StampedStream): StreamDelays {
  const between = (from: ArrayLike<number> | null, to: ArrayLike<number> | null) => {
    if (from === null || to === null) return null;
    if (from.length !== to.length) {
      throw new RangeError(
        "Cannot compute delays: each sample must have a stamp of each kind, current values are " +
          `${from.length} and ${to.length} stamps.`,
      );
    }
    return Float64Array.from({ length: from.length }, (_, i) => (to[i]! - from[i]!) * 1000);
  };
  return {
    queueMs: between(measured, sent),
    networkMs: between(sent, received),
    totalMs: between(measured, received),
  };
}
