import type { CommandContext } from "../cli/mod.ts";
import { openEpisode } from "../episodes/mod.ts";
import { planFeatures, plannedLatency } from "../features/mod.ts";
import type { TrainingValues } from "./flags.ts";
import { cacheOf, type DataValues, extractorOf } from "./prepare_data.ts";
import type { TrainingProgram } from "./program.ts";

/**
 * The flags of a training whose features are made when they are needed (`--cache-mode off`): a program
 * that uses a feature several times reckons with the time that one takes here, unless flags say more.
 *
 * @param program that trains
 * @param values of its flags
 * @param paths episode containers; null for the demonstration
 * @param context of the command
 * @returns the values, with `--vlm-reuse-count` as it was measured where that applies
 */
export async function withMeasuredLatency<T extends TrainingValues & DataValues>(
  { visionReuse }: TrainingProgram,
  values: T,
  paths: readonly string[] | null,
  context: CommandContext,
): Promise<T> {
  const { cacheMode, vlmLatencyMs, vlmReuseCount, resume } = values;
  const isGiven = vlmLatencyMs !== undefined || vlmReuseCount !== undefined || resume !== undefined;
  if (visionReuse === 1 || cacheMode !== "off" || isGiven || paths === null) return values;
  context.progress.update("measuring how long a visual feature takes");
  using episode = openEpisode(paths[0]!);
  const extractor = await extractorOf(values, context);
  const plan = await planFeatures([episode], extractor, cacheOf(values), {
    signal: context.signal,
  });
  const latency = await plannedLatency(plan, { signal: context.signal });
  (extractor as Partial<Disposable>)[Symbol.dispose]?.(); // training loads a model of its own
  context.progress.clear();
  if (latency === undefined) return values;
  const { p95, reuse } = latency;
  context.note(
    `a visual feature takes ${
      p95.toFixed(1)
    } ms here (95th percentile): with a tenth of headroom it ` +
      `serves ${reuse} actions of 100 ms`,
  );
  return { ...values, vlmReuseCount: reuse }; // the latency itself would be another each time
}
