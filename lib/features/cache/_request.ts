import type { EpisodeData } from "../../datasets/_episode.ts";
import type { FeatureExtractor, FeatureRequest } from "../extractor.ts";
import type { Observation } from "../observation.ts";
import { sha256 } from "./key.ts";
import type { FeaturePlan, PlanItem } from "./plan.ts";

/** What an extractor is asked for; images as paths. */
export function requestOf(
  { identity: { views } }: FeatureExtractor,
  { path, manifest: { instruction } }: EpisodeData,
  { images, step }: Observation,
): FeatureRequest {
  return {
    views: views.map((name, v) => ({ name, image: images[v]! })),
    instruction,
    origin: { episode: path, step },
  };
}

/**
 * The images of an item, in memory: what is made of them must be what the key was made of.
 *
 * @param images by digest; neighbours share them
 */
export function loadRequest(
  plan: FeaturePlan,
  item: PlanItem,
  images: Map<string, Uint8Array>,
): FeatureRequest {
  const { episode, observations } = plan.episodes[item.episode]!;
  const observation = observations[item.observation]!;
  const { views, ...rest } = requestOf(plan.extractor, episode, observation);
  return {
    ...rest,
    views: views.map(({ name }, v) => {
      const path = observation.images[v]!;
      if (path === null) return { name, image: null };
      const digest = observation.digests[v]!;
      let image = images.get(digest);
      if (image === undefined) {
        image = Deno.readFileSync(path);
        if (sha256(image) !== digest) {
          throw new SyntaxError(
            `Cannot use ${path}: it has changed since the plan was made. Run the command again.`,
          );
        }
        images.set(digest, image);
      }
      return { name, image, file: path };
    }),
  };
}
