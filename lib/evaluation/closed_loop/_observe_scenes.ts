/** What all scenes show at one moment, side by side. */
import { instructionOf } from "../../episodes/instruction.ts";
import type { ClosedLoop } from "../../phantom/closed_loop.ts";
import { ACTION_VALUES, CHUNK_ACTIONS } from "../../phantom/samples.ts";
import { PHANTOM_VIEWS } from "../../phantom/scene.ts";
import { VISUAL_FEATURE_LENGTH, visualFeature } from "../../phantom/thumbnail.ts";
import { wrapDegrees } from "../../robot/rotation.ts";
import type { FeatureExtractor } from "../../features/extractor.ts";
import { extractedFeatures } from "./_extracted_features.ts";
import { jpegFeatures, VIEW_VALUES } from "./_jpeg_features.ts";
import type { ClosedLoopQuery } from "./policy.ts";

/** Width of the frames, pixels: reduction 5. */
const WIDTH = 128;
/** Scenes whose frames are compressed while those of the next are drawn. */
const GROUP = 8;

/** What the cameras of all scenes showed at one moment. */
export interface SeenScenes {
  /** `(B·1·D)` features. */
  readonly vision: Float32Array;
  /** `(B·5)` when their frames were taken, seconds since the start. */
  readonly frameTimes: Float64Array;
}

/** The scenes of an evaluation, with memory for what they show. */
export class ObservedScenes {
  readonly #runs: readonly ClosedLoop[];
  readonly #quality: number | null;
  readonly #instructions: readonly string[];
  readonly #lastAction: Float32Array;
  readonly #poses: Float64Array[];
  /** A feature of each scene without pictures, which leaves the task. */
  readonly #blank: Float32Array;
  readonly #horizon: number;
  readonly #extractor: FeatureExtractor | null;
  /** Of the first query; all have the same size. */
  #sensor: Float32Array | undefined;
  #sensorMask: Uint8Array | undefined;

  /**
   * @param runs all at their start
   * @param quality JPEG quality of the frames; null for frames as they are rendered
   * @param horizon actions of a plan
   * @param extractor of the features; null for pixel-2048
   */
  constructor(
    runs: readonly ClosedLoop[],
    quality: number | null,
    horizon = CHUNK_ACTIONS,
    extractor: FeatureExtractor | null = null,
  ) {
    this.#runs = runs;
    this.#extractor = extractor;
    this.#quality = quality;
    this.#horizon = horizon;
    this.#instructions = runs.map(({ scene }) => instructionOf(scene.task));
    this.#poses = runs.map(({ pose }) => pose);
    this.#lastAction = new Float32Array(runs.length * ACTION_VALUES);
    for (let run = 0; run < runs.length; run++) this.#lastAction[run * ACTION_VALUES + 6] = 1;
    this.#blank = new Float32Array(runs.length * VISUAL_FEATURE_LENGTH);
    const noThumbnails = PHANTOM_VIEWS.map(() => undefined);
    runs.forEach(({ scene: { task } }, run) =>
      this.#blank.set(visualFeature(noThumbnails, task), run * VISUAL_FEATURE_LENGTH)
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
    return this.query(await this.see());
  }

  /** For policies that do not look. */
  get unseen(): SeenScenes {
    const frameTimes = new Float64Array(this.#runs.length * PHANTOM_VIEWS.length);
    return { vision: this.#blank, frameTimes };
  }

  /** What the cameras of all scenes show now, in memory of its own. */
  async see(): Promise<SeenScenes> {
    return this.#extractor === null
      ? await this.#seePixels()
      : await this.#extract(this.#extractor);
  }

  async #extract(extractor: FeatureExtractor): Promise<SeenScenes> {
    const seen = this.#runs.map((run) => run.observe());
    const shown = seen.map(({ frames }, scene) => ({
      frames,
      instruction: this.#instructions[scene]!,
    }));
    return {
      vision: await extractedFeatures(extractor, shown, WIDTH, this.#quality),
      frameTimes: Float64Array.from(seen.flatMap(({ frameTimes }) => [...frameTimes])),
    };
  }

  /** The features pixel-2048, which cost less together than one by one. */
  async #seePixels(): Promise<SeenScenes> {
    const vision = this.#blank.slice(), scenes = this.#runs.length, views = PHANTOM_VIEWS.length;
    const frameTimes = new Float64Array(scenes * views);
    let group: (readonly Float32Array[])[] = [];
    const compressing: Promise<void>[] = [];
    for (const [scene, run] of this.#runs.entries()) {
      const seen = run.observe();
      frameTimes.set(seen.frameTimes, scene * views);
      if (this.#quality === null) {
        vision.set(seen.feature, scene * VISUAL_FEATURE_LENGTH);
        continue;
      }
      group.push(seen.frames);
      if (group.length < GROUP && scene + 1 < scenes) continue;
      const first = scene + 1 - group.length;
      compressing.push(
        compress(group, vision.subarray(first * VISUAL_FEATURE_LENGTH), this.#quality),
      );
      group = [];
      await new Promise((resume) => setTimeout(resume)); // the next group is drawn meanwhile
    }
    await Promise.all(compressing);
    return { vision, frameTimes };
  }

  /**
   * What a policy knows of all scenes now; the next call overwrites it.
   *
   * @param seen the newest of what the cameras showed that is known by now
   */
  query({ vision, frameTimes }: SeenScenes): ClosedLoopQuery {
    const seen = this.#runs.map((run) => run.observe()), scenes = seen.length;
    const { time } = seen[0]!;
    seen.forEach(({ sensor, sensorMask }, scene) => {
      this.#sensor ??= new Float32Array(scenes * sensor.length);
      this.#sensorMask ??= new Uint8Array(scenes * sensorMask.length);
      this.#sensor.set(sensor, scene * sensor.length);
      this.#sensorMask.set(sensorMask, scene * sensorMask.length);
    });
    return {
      ...{ time, scenes, vision },
      index: Float64Array.from(
        this.#runs,
        ({ scene }) => 1000 * scene.seed + Math.round(10 * time),
      ),
      instructions: this.#instructions,
      frameAge: frameTimes.map((taken) => time - taken),
      horizon: this.#horizon,
      sensor: this.#sensor!,
      sensorMask: this.#sensorMask!,
      sensorTimes: Float64Array.from(seen.flatMap(({ sensorTimes }) => [...sensorTimes])),
      lastAction: this.#lastAction,
    };
  }
}

/** Puts the means of some scenes' frames into their features. */
async function compress(
  scenes: readonly (readonly Float32Array[])[],
  vision: Float32Array,
  quality: number,
): Promise<void> {
  const views = PHANTOM_VIEWS.length;
  await jpegFeatures(scenes.flat(), WIDTH, quality, (frame) => {
    const scene = Math.floor(frame / views), view = frame % views;
    const start = scene * VISUAL_FEATURE_LENGTH + view * VIEW_VALUES;
    return vision.subarray(start, start + VIEW_VALUES);
  });
}
