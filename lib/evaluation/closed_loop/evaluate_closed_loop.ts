/** Lets a policy act in the phantom and judges how it went. */
import { reuseCount } from "../../datasets/vision_reuse.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import { type ClosedLoop, createClosedLoop } from "../../phantom/closed_loop.ts";
import { expertVelocity } from "../../phantom/expert.ts";
import { ACTION_SECONDS, ACTION_VALUES, CHUNK_ACTIONS } from "../../phantom/samples.ts";
import { type PhantomTask, sampleScene } from "../../phantom/scene.ts";
import { DelayedVision } from "./_delayed_vision.ts";
import { ObservedScenes } from "./_observe_scenes.ts";
import { type BuiltInPolicy, type ClosedLoopPolicy, holdPolicy, zeroPolicy } from "./policy.ts";
import { type ClosedLoopReport, closedLoopReport } from "./report.ts";

/** How a policy is tried. */
export interface ClosedLoopEvaluationOptions {
  /** Number of scenes; default 40. */
  readonly episodes?: number;
  /** Seed of the first scene, the next one has the next; default 9000. */
  readonly sceneSeed?: number;
  /** Task; default `Blue_point`. */
  readonly task?: PhantomTask;
  /**
   * The policy is asked again after so many ms, rounded as {@linkcode replanActions} says; the report
   * has the rounded value. Default 800.
   */
  readonly replanMs?: number;
  /** Rows of the policy's sensor window, at 650 Hz; default 65. */
  readonly sensorRows?: number;
  /** Actions of the policy's plans; default 8. */
  readonly horizon?: number;
  /** A plan takes effect so many ms after what it is made of was seen; default 0. */
  readonly latencyMs?: number;
  /**
   * The cameras are looked at for every so many actions only, R, and the policy sees the same visual
   * features until there are newer ones, with a sensor window of the moment; default 1.
   */
  readonly visionReuse?: number;
  /**
   * Visual features are known so many ms after their frames were seen, at most R · 100: a model that
   * looks again when it has answered. Until the first ones the robot rests. Default 0.
   */
  readonly visionLatencyMs?: number;
  /** JPEG quality of the frames; null for frames as they are rendered. Default 90. */
  readonly quality?: number | null;
  /** Makes the features that the policy sees, of one token each; default pixel-2048. */
  readonly extractor?: FeatureExtractor;
  /** Stops between two queries. */
  readonly signal?: AbortSignal;
  /** Told the simulated seconds that are done, and all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Length of a run, s. */
const SECONDS = 10;
const STEPS_PER_SECOND = 100;
/** How plans are executed. */
interface Driving {
  readonly quality: number | null;
  readonly latencyMs: number;
  /** Actions that are executed of a plan. */
  readonly replan: number;
  /** Actions of a plan. */
  readonly horizon: number;
  /** Actions from one look of the cameras to the next; null: they are not looked at. */
  readonly visionReuse: number | null;
  /** Time until what they saw is known. */
  readonly visionLatencyMs: number | null;
}

const STEPS_PER_ACTION = Math.round(ACTION_SECONDS * STEPS_PER_SECOND);

/**
 * Runs scenes of the phantom under a policy, all in step, so that each query is one batch. A plan is
 * `horizon` actions of 0.1 s; the first of them are executed as constant velocities until the next plan takes
 * effect. With a latency all that comes later by it, and before the first plan the robot is told to
 * rest. The same policy, scenes and options give the same report, except for its `seconds`.
 *
 * @param policy the policy, or the name of one that needs no training; the expert knows the truth and
 * steers every 0.01 s, so that replanning and latencies do not concern it; none of these looks at the
 * cameras
 * @param options scenes, replanning, latency
 * @returns how often it succeeds, why it fails, how large its errors are
 * @throws {RangeError} if an option is out of range, or the policy returns values that are not finite,
 * or too few
 * @throws {DOMException} `AbortError` when the signal fires
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evaluateClosedLoop } from "./mod.ts";
 *
 * const { successRate } = await evaluateClosedLoop("expert", { episodes: 2 });
 * assert.equal(successRate, 1);
 * const down = await evaluateClosedLoop(({ scenes }) => {
 *   const chunks = new Float32Array(scenes * 8 * 7);
 *   return chunks.map((_, i) => i % 7 === 2 ? -0.5 : 0); // 5 mm/s downwards
 * }, { episodes: 1, replanMs: 800 });
 * assert.equal(down.successRate, 0);
 * ```
 */
export async function evaluateClosedLoop(
  policy: ClosedLoopPolicy | BuiltInPolicy,
  options: ClosedLoopEvaluationOptions = {},
): Promise<ClosedLoopReport> {
  const setting = {
    episodes: inRange("episodes", options.episodes ?? 40, 1, 100_000, 1),
    sceneSeed: options.sceneSeed ?? 9000,
    task: options.task ?? "Blue_point",
    latencyMs: inRange("latencyMs", options.latencyMs ?? 0, 0, 1000 * SECONDS, 10),
    ...visionSetting(policy, options),
    quality: options.quality === undefined ? 90 : options.quality,
  };
  const horizon = inRange("horizon", options.horizon ?? CHUNK_ACTIONS, 1, 10_000, 1);
  const replan = replanActions(options.replanMs ?? 800, horizon);
  const { sensorRows } = options;
  const runs = Array.from(
    { length: setting.episodes },
    (_, i) =>
      createClosedLoop(
        sampleScene(setting.sceneSeed + i, setting.task),
        sensorRows === undefined ? {} : { sensorRows },
      ),
  );
  const spent = { total: performance.now(), observe: 0, policy: 0 };
  let queries = 0;
  if (policy === "expert") {
    for (const [done, run] of runs.entries()) {
      await breathe(options, SECONDS * done / runs.length);
      while (!run.isDone) run.step(expertVelocity(run.scene, run.pose, run.isPunctured));
    }
  } else {
    const plan = policy === "zero" ? zeroPolicy : policy === "hold" ? holdPolicy : policy;
    queries = await drive(runs, plan, { ...setting, replan, horizon }, options, spent);
  }
  options.onProgress?.(SECONDS, SECONDS);
  const seconds = {
    total: (performance.now() - spent.total) / 1000,
    observe: spent.observe / 1000,
    policy: spent.policy / 1000,
  };
  return closedLoopReport(runs, { ...setting, replanMs: 100 * replan, queries, seconds });
}

/**
 * How many actions of a plan are executed before the next one takes their place: the nearest whole
 * number of actions of 100 ms, and no more than a plan has.
 *
 * @param replanMs ms, 50 to 10,000
 * @param horizon actions of a plan; default 8
 * @returns 1 to `horizon`
 * @throws {RangeError} if the time is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { replanActions } from "./mod.ts";
 *
 * assert.deepEqual([50, 340, 800].map((ms) => replanActions(ms)), [1, 3, 8]);
 * assert.equal(replanActions(800, 4), 4);
 * ```
 */
export function replanActions(replanMs: number, horizon = CHUNK_ACTIONS): number {
  const whole = inRange("replanMs", replanMs, 50, 1000 * SECONDS) / (1000 * ACTION_SECONDS);
  return Math.min(horizon, Math.round(whole));
}

/** Runs all scenes to their end; returns the number of queries. */
async function drive(
  runs: readonly ClosedLoop[],
  policy: ClosedLoopPolicy,
  driving: Driving,
  options: ClosedLoopEvaluationOptions,
  spent: { observe: number; policy: number },
): Promise<number> {
  const { quality, replan, horizon } = driving;
  const scenes = new ObservedScenes(runs, quality, horizon, options.extractor);
  const vision = driving.visionReuse === null ? null : new DelayedVision(scenes, {
    period: STEPS_PER_ACTION * driving.visionReuse,
    latency: stepsOf(driving.visionLatencyMs ?? 0),
    asked: STEPS_PER_ACTION * replan,
  });
  const plans: (ArrayLike<number> | null)[] = [];
  const latency = stepsOf(driving.latencyMs);
  const velocity = new Float64Array(6);
  for (let step = 0; step < SECONDS * STEPS_PER_SECOND; step++) {
    const isAsked = step % (STEPS_PER_ACTION * replan) === 0;
    if (step > 0 && step % STEPS_PER_ACTION === 0) scenes.moved();
    if (isAsked) await breathe(options, step / STEPS_PER_SECOND);
    const start = performance.now();
    await vision?.look(step);
    const seen = !isAsked ? null : vision === null ? scenes.unseen : vision.newest(step);
    const query = seen && scenes.query(seen);
    const asked = performance.now();
    spent.observe += asked - start;
    if (isAsked) plans.push(query && checked(await policy(query), runs, horizon, query.time));
    spent.policy += performance.now() - asked;
    const due = Math.floor((step - latency) / STEPS_PER_ACTION); // action that takes effect, from 0
    const plan = plans[Math.floor(due / replan)];
    runs.forEach((run, scene) => {
      const at = (scene * horizon + due % replan) * ACTION_VALUES;
      for (let i = 0; i < 6; i++) velocity[i] = (plan?.[at + i] ?? 0) / ACTION_SECONDS;
      run.step(velocity);
    });
  }
  return plans.filter((plan) => plan !== null).length;
}

/** How the cameras are looked at, if they are; one model answers before it looks again. */
function visionSetting(
  policy: ClosedLoopPolicy | BuiltInPolicy,
  options: ClosedLoopEvaluationOptions,
) {
  const visionReuse = inRange("visionReuse", options.visionReuse ?? 1, 1, 10 * SECONDS, 1);
  const visionLatencyMs = options.visionLatencyMs ?? 0;
  const needed = reuseCount(inRange("visionLatencyMs", visionLatencyMs, 0, 1000 * SECONDS, 10));
  if (visionReuse >= needed) {
    const isBlind = typeof policy === "string";
    return isBlind
      ? { visionReuse: null, visionLatencyMs: null }
      : { visionReuse, visionLatencyMs };
  }
  throw new RangeError(
    `Cannot run a closed loop: with visionLatencyMs ${visionLatencyMs} visionReuse must be at least ` +
      `${needed}, because the model looks again when it has answered, current value is ` +
      `${visionReuse}.`,
  );
}

/** Steps of so many ms, a multiple of 10. */
function stepsOf(milliseconds: number): number {
  return Math.round(milliseconds / 1000 * STEPS_PER_SECOND);
}

/** Chunks of a policy, copied, if they are whole and finite. */
function checked(
  chunks: ArrayLike<number>,
  runs: readonly ClosedLoop[],
  horizon: number,
  time: number,
): Float64Array {
  const values = Float64Array.from(chunks), chunkValues = horizon * ACTION_VALUES;
  if (values.length !== runs.length * chunkValues) {
    throw new RangeError(
      `Cannot execute the policy's plan: it must hold ${runs.length} × ${horizon} × ` +
        `${ACTION_VALUES} values, current value is ${values.length}. Return a flat array; the ` +
        `option horizon says how many actions a plan has.`,
    );
  }
  const bad = values.findIndex((value, i) => i % ACTION_VALUES < 6 && !Number.isFinite(value));
  if (bad < 0) return values;
  const scene = Math.floor(bad / chunkValues), within = bad % chunkValues;
  throw new RangeError(
    `Cannot execute the policy's plan: value ${within % ACTION_VALUES} of action ` +
      `${Math.floor(within / ACTION_VALUES)} must be finite, current value is ${values[bad]} in ` +
      `scene ${runs[scene]!.scene.seed} at ${time.toFixed(1)} s. Check the policy's weights and ` +
      `statistics.`,
  );
}

async function breathe(
  { signal, onProgress }: ClosedLoopEvaluationOptions,
  done: number,
): Promise<void> {
  await new Promise((resume) => setTimeout(resume));
  signal?.throwIfAborted();
  onProgress?.(done, SECONDS);
}

function inRange(name: string, value: number, low: number, high: number, unit = 0): number {
  const isMultiple = unit === 0 || Math.abs(value / unit - Math.round(value / unit)) < 1e-6;
  if (value >= low && value <= high && isMultiple) return value;
  throw new RangeError(
    `Cannot run a closed loop: ${name} must be from ${low} to ${high}` +
      `${unit === 0 ? "" : ` in steps of ${unit}`}, current value is ${value}.`,
  );
}
