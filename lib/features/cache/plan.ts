import type { EpisodeData } from "../../datasets/_episode.ts";
import { cameraOfView } from "../../datasets/image_choice.ts";
import type { FeatureExtractor } from "../extractor.ts";
import {
  MAX_IMAGE_AGE,
  type Observation,
  type ObservationOptions,
  observations,
} from "../observation.ts";
import { ImageDigests } from "./_image_digests.ts";
import { requestOf } from "./_request.ts";
import { extractorDigest, featureKey } from "./key.ts";

/** An observation with the key of its feature. */
export interface PlannedObservation extends Observation {
  /** `(V)` SHA-256 of each image file, null where there is none. */
  readonly digests: readonly (string | null)[];
  /** `featureKey`. */
  readonly key: string;
}

/** The features of an episode. */
export interface EpisodePlan {
  /** The episode. */
  readonly episode: EpisodeData;
  /** Its observations, by step. */
  readonly observations: readonly PlannedObservation[];
}

/** A feature to be made: one for all observations that are equal. */
export interface PlanItem {
  /** `featureKey`. */
  readonly key: string;
  /** Place of an episode in the plan that needs it. */
  readonly episode: number;
  /** Place of the observation in that episode's. */
  readonly observation: number;
  /** Tokens it will have. */
  readonly tokens: number;
  /** Tokens that are computed for it, by which its time goes. */
  readonly cost: number;
}

/** What could not be planned or made. */
export interface FeatureFailure {
  /** Path of the episode. */
  readonly episode: string;
  /** Step of it. */
  readonly step: number;
  /** What is wrong. */
  readonly message: string;
}

/** Which features some episodes need. */
export interface FeaturePlan {
  /** Folder of the cache. */
  readonly folder: string;
  /** Whose features. */
  readonly extractor: FeatureExtractor;
  /** Consecutive action starts that share an observation. */
  readonly reuse: number;
  /** A frame older than this counted as none, s. */
  readonly maxAge: number;
  /** The episodes, in the order given. */
  readonly episodes: readonly EpisodePlan[];
  /** Features, each once, in the order in which they are first needed. */
  readonly items: readonly PlanItem[];
  /** Observations whose images cannot be read. */
  readonly failures: readonly FeatureFailure[];
}

/** How a plan is made. */
export interface PlanOptions extends ObservationOptions {
  /** Stops between episodes. */
  readonly signal?: AbortSignal;
  /** Called before each episode. */
  readonly onEpisode?: (path: string, done: number, total: number) => void;
}

/**
 * Lists the features that episodes need. The key of each follows from the contents of its images;
 * which file had which contents is kept in the cache's folder and believed as long as the file
 * system says that the file has not changed.
 *
 * @param episodes open episodes
 * @param extractor whose features
 * @param folder of the cache
 * @param options reuse, greatest age of an image
 * @returns the plan
 * @throws {RangeError} when an episode has none of the extractor's cameras, or an option is out of range
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pixel2048, planFeatures } from "../mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * Deno.writeTextFileSync(`${folder}/0.jpg`, "an image");
 * const episode = {
 *   path: "/data/red/one",
 *   manifest: { name: "one", task: "red", instruction: "Insert the needle" },
 *   robotTime: new Float64Array(3),
 *   robotState: new Float32Array(3 * 12),
 *   action: new Float32Array(2 * 7),
 *   actionTime: Float64Array.of(0, 0.1, 0.1, 0.2),
 *   segment: new Int32Array(2),
 *   images: [{ view: "View1", time: Float64Array.of(-1), file: () => `${folder}/0.jpg` }],
 *   sensor: null,
 * };
 * const plan = await planFeatures([episode], pixel2048(), folder);
 * assert.equal(plan.episodes[0]!.observations.length, 2);
 * assert.equal(plan.items.length, 1); // both steps see the same image
 * ```
 */
export async function planFeatures(
  episodes: readonly EpisodeData[],
  extractor: FeatureExtractor,
  folder: string,
  options: PlanOptions = {},
): Promise<FeaturePlan> {
  const { reuse = 1, maxAge = MAX_IMAGE_AGE, signal, onEpisode } = options;
  const digest = extractorDigest(extractor);
  const items = new Map<string, PlanItem>();
  const failures: FeatureFailure[] = [];
  const plans: EpisodePlan[] = [];
  for (const [e, episode] of episodes.entries()) {
    await new Promise((resume) => setTimeout(resume)); // signals and progress
    signal?.throwIfAborted();
    onEpisode?.(episode.path, e, episodes.length);
    assertViews(episode, extractor.identity.views);
    const planned = planEpisode(episode, extractor, digest, folder, { reuse, maxAge }, failures);
    for (const [o, observation] of planned.entries()) {
      const { key } = observation;
      if (items.has(key)) continue;
      const request = requestOf(extractor, episode, observation);
      const tokens = extractor.tokenCount?.(request) ?? 1;
      const cost = await extractor.cost?.(request) ?? tokens;
      items.set(key, { key, episode: e, observation: o, tokens, cost });
    }
    plans.push({ episode, observations: planned });
  }
  return {
    folder,
    extractor,
    reuse,
    maxAge,
    episodes: plans,
    items: [...items.values()],
    failures,
  };
}

function planEpisode(
  episode: EpisodeData,
  { identity: { views } }: FeatureExtractor,
  extractor: string,
  folder: string,
  options: ObservationOptions,
  failures: FeatureFailure[],
): PlannedObservation[] {
  const images = new ImageDigests(folder, episode.path);
  const { instruction } = episode.manifest;
  const planned: PlannedObservation[] = [];
  for (const observation of observations(episode, views, options)) {
    try {
      const digests = observation.images.map((path) =>
        path === null ? null : images.digestOf(path)
      );
      const named = views.map((name, v) => ({ name, digest: digests[v]! }));
      planned.push({ ...observation, digests, key: featureKey(extractor, instruction, named) });
    } catch (error) {
      if ((error as { code?: string }).code === undefined) throw error;
      const message = describeFailure(error as Error);
      failures.push({ episode: episode.path, step: observation.step, message });
    }
  }
  images.save();
  return planned;
}

function describeFailure(
  { code, path, message }: Error & { code?: string; path?: string },
): string {
  if (code !== "ENOENT" || path === undefined) return message;
  return `Cannot read the image ${path}: there is no such file. Put the recording's images back ` +
    "where they were, or make the episode again with: deno task preprocess";
}

function assertViews({ path, images }: EpisodeData, views: readonly string[]): void {
  const found = images.map(({ view }) => cameraOfView(view));
  if (found.some((view) => views.includes(view))) return;
  throw new RangeError(
    `Cannot plan the features of ${path}: it should have one of the cameras ${views.join(", ")}, ` +
      `current value is ${found.join(", ") || "no camera"}. Choose others with --views.`,
  );
}
