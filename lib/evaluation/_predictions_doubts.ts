import type { ChunkPredictions } from "./chunk_predictions.ts";
import { member } from "./_member.ts";
import { formatNumber } from "./_words.ts";

/** What is doubtful in a file of predictions, in sentences. */
export function* findDoubts(
  file: Record<string, unknown>,
  chunks: ChunkPredictions,
): Generator<string> {
  const missing = member(file.checkpoint_meta, "missing_keys");
  if (Array.isArray(missing) && missing.length > 0) {
    yield `The checkpoint was loaded with ${missing.length} missing keys: ` +
      `these parts of the network had random weights.`;
  }
  const { predicted, truth, units } = chunks;
  const said = file.rmse_overall;
  let sum = 0;
  for (let i = 0; i < truth.length; i++) sum += (predicted[i]! - truth[i]!) ** 2;
  const rmse = Math.sqrt(sum / truth.length);
  if (typeof said === "number" && !(Math.abs(said - rmse) <= 1e-3 * rmse)) {
    yield `The file says RMSE ${formatNumber(said)}, its own samples give ${formatNumber(rmse)}.`;
  }
  if (!hasStrideOne(chunks)) {
    yield "Windows do not follow each other action by action: hold last action, which takes the " +
      "first action of the window before, is older than it would be on the robot.";
  }
  if (units.slice(0, 6).includes("")) {
    yield "The file does not say units (rmse_per_dimension names no known dimensions): " +
      "lengths and angles are not integrated.";
  }
}

/** Whether each window is the one before, moved on by one action. */
function hasStrideOne({ truth, windows, horizon, dimensions, episode }: ChunkPredictions): boolean {
  const width = dimensions.length, chunk = horizon * width;
  for (let i = 1; i < windows; i++) {
    if (episode[i] !== episode[i - 1]) continue;
    for (let k = 0; k < chunk - width; k++) {
      const before = truth[(i - 1) * chunk + width + k]!, now = truth[i * chunk + k]!;
      if (Math.abs(before - now) > 1e-6 * Math.max(1, Math.abs(now))) return false;
    }
  }
  return true;
}
