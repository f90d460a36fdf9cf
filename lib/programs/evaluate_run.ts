import { openPolicy } from "../control/mod.ts";
import type { SamplingOptions } from "../policies/mod.ts";
import {
  type ChunkPredictions,
  closedLoopBaselines,
  type ClosedLoopReport,
  evaluateChunks,
  evaluateClosedLoop,
  type Evaluation,
} from "../evaluation/mod.ts";
import type { TrainingData } from "../training/mod.ts";
import { openLoopPredictions } from "./open_loop.ts";
import type { VisionUse } from "./vision_use.ts";

/** Milliseconds between two queries in the closed loop: 8, 3 and 1 actions of a chunk. */
export const REPLAN_MS: readonly number[] = [800, 300, 100];
const FRESH: VisionUse = { visionReuse: 1, visionLatencyMs: 0 };

/**
 * How a policy is tried in the closed loop: of one that is given new visual features every few actions
 * only, each action is planned anew, with such features and, to compare, with fresh ones.
 *
 * @param vision how it is given visual features
 * @returns settings of the closed loop
 */
export function trials(vision: VisionUse): readonly (VisionUse & { readonly replanMs: number })[] {
  return vision.visionReuse > 1 || vision.visionLatencyMs > 0
    ? [{ ...vision, replanMs: 100 }, { ...FRESH, replanMs: 100 }]
    : REPLAN_MS.map((replanMs) => ({ ...FRESH, replanMs }));
}

/** How a run is evaluated. */
export interface EvaluateRunOptions {
  /** Scenes of the closed loop; 0 leaves it out. @default {0} */
  readonly scenes?: number;
  /** How the policy is given visual features. @default {new ones at every query} */
  readonly vision?: VisionUse;
  /** How a diffusion policy draws. @default {as `openPolicy` does} */
  readonly sampling?: SamplingOptions;
  /** Called with how far it is. */
  readonly onProgress?: (line: string) => void;
  /** Stops the evaluation. */
  readonly signal?: AbortSignal;
}

/** What became of a policy. */
export interface RunEvaluation {
  /** On the validation episodes; null without any. */
  readonly openLoop: Evaluation | null;
  /** In the simulator, for each of {@linkcode trials}; empty if it was left out. */
  readonly closedLoop: readonly ClosedLoopReport[];
  /** Policies that need no training, in the same scenes; null if the closed loop was left out. */
  readonly baselines: Awaited<ReturnType<typeof closedLoopBaselines>> | null;
  /** The predictions behind it; null without validation episodes. */
  readonly chunks: ChunkPredictions | null;
  /** Path of the checkpoint that was judged. */
  readonly checkpoint: string;
}

/**
 * Evaluates the usual checkpoint of a run on its validation episodes and, if asked for, in the
 * simulator: see `usualCheckpoint`.
 *
 * @param run its folder, or a checkpoint
 * @param data of the run
 * @param options closed loop, progress
 * @returns errors beside baselines, successes
 */
export async function evaluateRun(
  run: string,
  data: TrainingData,
  { scenes = 0, vision = FRESH, sampling, onProgress, signal }: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  using policy = await openPolicy(run, sampling);
  const stopping = signal === undefined ? {} : { signal };
  const predicted = data.validation && await openLoopPredictions(policy, data.validation, {
    ...{ meanAction: data.statistics.action!.mean, ...stopping },
    onProgress: (done, total) => onProgress?.(`evaluation: ${done} of ${total} windows`),
  });
  const { sensorEncoder, actionExpert } = policy.config;
  const trial = { episodes: scenes, horizon: actionExpert.horizon, ...stopping };
  const window = sensorEncoder === null ? {} : { sensorRows: sensorEncoder.temporalLength };
  const closedLoop: ClosedLoopReport[] = [];
  for (const setting of scenes > 0 ? trials(vision) : []) {
    closedLoop.push(
      await evaluateClosedLoop(({ scenes: size, ...seen }) => policy.predict({ size, ...seen }), {
        ...{ ...trial, ...window, ...setting },
        onProgress: (done, total) =>
          onProgress?.(
            `${scenes} insertions at once, replanned every ${setting.replanMs} ms: simulated second ` +
              `${done.toFixed(1)} of ${total}`,
          ),
      }),
    );
  }
  return {
    openLoop: predicted && evaluateChunks(predicted.chunks, predicted.flags),
    closedLoop,
    baselines: scenes > 0 ? await closedLoopBaselines(trial) : null,
    chunks: predicted?.chunks ?? null,
    checkpoint: policy.path,
  };
}
