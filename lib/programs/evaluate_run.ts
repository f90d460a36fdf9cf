import { openPolicy } from "../control/mod.ts";
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

/** Milliseconds between two queries in the closed loop: 8, 3 and 1 actions of a chunk. */
export const REPLAN_MS: readonly number[] = [800, 300, 100];

/** How a run is evaluated. */
export interface EvaluateRunOptions {
  /** Scenes of the closed loop; 0 leaves it out. @default {0} */
  readonly scenes?: number;
  /** Called with how far it is. */
  readonly onProgress?: (line: string) => void;
  /** Stops the evaluation. */
  readonly signal?: AbortSignal;
}

/** What became of a policy. */
export interface RunEvaluation {
  /** On the validation episodes. */
  readonly openLoop: Evaluation;
  /** In the simulator, for each of {@linkcode REPLAN_MS}; empty if it was left out. */
  readonly closedLoop: readonly ClosedLoopReport[];
  /** Policies that need no training, in the same scenes; null if the closed loop was left out. */
  readonly baselines: Awaited<ReturnType<typeof closedLoopBaselines>> | null;
  /** The predictions behind it. */
  readonly chunks: ChunkPredictions;
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
  { scenes = 0, onProgress, signal }: EvaluateRunOptions = {},
): Promise<RunEvaluation> {
  using policy = await openPolicy(run);
  const stopping = signal === undefined ? {} : { signal };
  const { chunks, flags } = await openLoopPredictions(policy, data.validation, {
    ...{ meanAction: data.statistics.action!.mean, ...stopping },
    onProgress: (done, total) => onProgress?.(`evaluation: ${done} of ${total} windows`),
  });
  const { sensorEncoder, actionExpert } = policy.config;
  const trial = { episodes: scenes, horizon: actionExpert.horizon, ...stopping };
  const window = sensorEncoder === null ? {} : { sensorRows: sensorEncoder.temporalLength };
  const closedLoop: ClosedLoopReport[] = [];
  for (const replanMs of scenes > 0 ? REPLAN_MS : []) {
    closedLoop.push(
      await evaluateClosedLoop(({ scenes: size, ...seen }) => policy.predict({ size, ...seen }), {
        ...{ ...trial, ...window, replanMs },
        onProgress: (done, total) =>
          onProgress?.(
            `${scenes} insertions at once, replanned every ${replanMs} ms: simulated second ` +
              `${done.toFixed(1)} of ${total}`,
          ),
      }),
    );
  }
  return {
    openLoop: evaluateChunks(chunks, flags),
    closedLoop,
    baselines: scenes > 0 ? await closedLoopBaselines(trial) : null,
    chunks,
    checkpoint: policy.path,
  };
}
