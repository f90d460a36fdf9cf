/** Where a training begins that goes on with a policy, and whether it got any better. */
import { join } from "node:path";
import { type PointerName, pointerPath } from "../checkpoints/mod.ts";
import { usualCheckpoint } from "../control/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import { METRICS } from "../training/run/_json_file.ts";
import { readMetrics } from "../training/mod.ts";

/**
 * The checkpoint of a run that another training begins with: its best, as in the guides of the Python
 * reference. The learning rate rises again, so that there is nothing to the final one's having come down.
 *
 * @param path run, or one of its checkpoints
 * @returns which pointer
 */
export function startPointer(path: string): PointerName {
  return isThere(pointerPath(path, "best")) ? "best" : usualCheckpoint(path);
}

/**
 * The validation loss of what a run began with.
 *
 * @param run its folder
 * @returns the loss; null where nothing was validated
 */
export function startLoss(run: string): number | null {
  const loss = readMetrics(join(run, METRICS)).find(({ epoch }) => epoch === 0)?.["val/loss_epoch"];
  return typeof loss === "number" ? loss : null;
}

/**
 * What to tell of a training that made the policy no better than it was.
 *
 * @param start validation loss of what it began with
 * @param loss of the policy that is used
 * @param best the least, with its epoch
 * @returns a sentence; null where it got better, or nothing was validated
 */
export function withoutGain(
  start: number | null,
  loss: number | null,
  best: { readonly loss: number | null; readonly epoch: number | null },
): string | null {
  if (start === null || loss === null || best.loss === null || loss < start) return null;
  const figures = `with a validation loss of ${loss.toFixed(6)} after ${start.toFixed(6)}`;
  return best.loss < start
    ? `The policy, ${figures}, is no better than what it began with; that of epoch ${best.epoch} is, ` +
      `with ${best.loss.toFixed(6)}: --early-stop-patience keeps the best.`
    : `The policy, ${figures}, is no better than what it began with, and was not after any epoch. ` +
      "Lower --lr and --sensor-lr, or train on more data.";
}
