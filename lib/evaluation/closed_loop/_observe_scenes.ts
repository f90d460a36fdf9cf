/** What all scenes show at one moment, side by side. */
import { instructionOf } from "../../episodes/instruction.ts";
import type { ClosedLoop, ClosedLoopObservation } from "../../phantom/closed_loop.ts";
import { ACTION_VALUES, CHUNK_ACTIONS } from "../../phantom/samples.ts";
import { PHANTOM_VIEWS } from "../../phantom/scene.ts";
import { VISUAL_FEATURE_LENGTH, visualFeature } from "../../phantom/thumbnail.ts";
import { wrapDegrees } from "../../robot/rotation.ts";
import { jpegFeatures, VIEW_VALUES } from "./_jpeg_features.ts";
import type { ClosedLoopQuery } from "./policy.ts";

/** Width of the frames, pixels: reduction 5. */
const WIDTH = 128;
/** Scenes whose frames are compressed while those of the next are drawn. */
const GROUP = 8;

/** The scenes of an evaluation, with memory for what they show. */
export class ObservedScenes {
  readonly #runs: readonly ClosedLoop[];
  readonly #quality: number | null;
  readonly #instructions: readonly string[];
  readonly #lastAction: Float32Array;
  readonly #poses: Float64Array[];
  readonly #vision: Float32Array;
  readonly #horizon: number;
  /** Of the first query; all have the same size. */
  #sensor: Float32Array | undefined;
  #sensorMask: Uint8Array | undefined;

  /**
   * @param runs all at their start
   * @param quality JPEG quality of the frames; null for frames as they are rendered
   * @param horizon actions of a plan
   */
  constructor(runs: readonly ClosedLoop[], quality: number | null, horizon = CHUNK_ACTIONS) {
    this.#runs = runs;
    this.#quality = quality;
    this.#horizon = horizon;
    this.#instructions = runs.map(({ scene }) => instructionOf(scene.task));
    this.#poses = runs.map(({ pose }) => pose);
    this.#lastAction = new Float32Array(runs.length * ACTION_VALUES);
    for (let run = 0; run < runs.length; run++) this.#lastAction[run * ACTION_VALUES + 6] = 1;
    this.#vision = new Float32Array(runs.length * VISUAL_FEATURE_LENGTH);
    const noThumbnails = PHANTOM_VIEWS.map(() => undefined); // leaves the task
    runs.forEach(({ scene: { task } }, run) =>
      this.#vision.set(visualFeature(noThumbnails, task), run * VISUAL_FEATURE_LENGTH)
    );
  }

  /** Notes the motion since the last call; to be called every 0.1 s. */
  moved(): void {
    this.#runs.forEach(({ pose }, run) => {
      const before = this.#poses[run]!;
      this.#poses[run] = pose;
      for (let i = 0; i < 6; i++) {
        const difference = pose[i]! - before[i]!;
        this.#lastAction[run * ACTION_VALUES + i] = i < 3 ? difference : wrapDegrees(difference);
      }
    });
  }

  /** What all scenes show now; the next call overwrites it. */
  async observe(): Promise<ClosedLoopQuery> {
    const seen: ClosedLoopObservation[] = [], compressing: Promise<void>[] = [];
    for (const [scene, run] of this.#runs.entries()) {
      const observation = run.observe();
      seen.push(observation);
      if (this.#quality === null) {
        this.#vision.set(observation.feature, scene * VISUAL_FEATURE_LENGTH);
      }
      const { sensor, sensorMask } = observation, scenes = this.#runs.length;
      this.#sensor ??= new Float32Array(scenes * sensor.length);
      this.#sensorMask ??= new Uint8Array(scenes * sensorMask.length);
      this.#sensor.set(sensor, scene * sensor.length);
      this.#sensorMask.set(sensorMask, scene * sensorMask.length);
      const isGroup = seen.length % GROUP === 0 || seen.length === this.#runs.length;
      if (this.#quality === null || !isGroup) continue;
      const first = seen.length - 1 - scene % GROUP;
      compressing.push(this.#compress(seen.slice(first), first, this.#quality));
      await new Promise((resume) => setTimeout(resume)); // the next group is drawn meanwhile
    }
    await Promise.all(compressing);
    return {
      time: seen[0]!.time,
      scenes: seen.length,
      instructions: this.#instructions,
      vision: this.#vision,
      frameAge: Float64Array.from(
        seen.flatMap(({ time, frameTimes }) => frameTimes.map((taken) => time - taken)),
      ),
      horizon: this.#horizon,
      sensor: this.#sensor!,
      sensorMask: this.#sensorMask!,
      sensorTimes: Float64Array.from(seen.flatMap(({ sensorTimes }) => [...sensorTimes])),
      lastAction: this.#lastAction,
    };
  }

  async #compress(
    seen: readonly Pick<ClosedLoopObservation, "frames">[],
    first: number,
    quality: number,
  ): Promise<void> {
    const views = PHANTOM_VIEWS.length;
    await jpegFeatures(seen.flatMap(({ frames }) => frames), WIDTH, quality, (frame) => {
      const scene = first + Math.floor(frame / views), view = frame % views;
      const start = scene * VISUAL_FEATURE_LENGTH + view * VIEW_VALUES;
      return this.#vision.subarray(start, start + VIEW_VALUES);
    });
  }
}
