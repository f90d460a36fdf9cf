import type { Feature, FeatureExtractor, FeatureRequest } from "../extractor.ts";
import { loadRequest } from "./_request.ts";
import { problemOf } from "./_validate.ts";
import type { FeatureFailure, FeaturePlan, PlanItem } from "./plan.ts";
import type { StoredFeature } from "./store.ts";

/** Features of some items; one that fails is noted and does not take the others with it. */
export async function extractAll(
  plan: FeaturePlan,
  items: readonly PlanItem[],
  failures: FeatureFailure[],
): Promise<StoredFeature[]> {
  const fail = (item: PlanItem, message: string) => {
    const { episode, observations } = plan.episodes[item.episode]!;
    const { step } = observations[item.observation]!;
    failures.push({ episode: episode.path, step, message });
  };
  const images = new Map<string, Uint8Array>();
  const ready = items.flatMap((item) => {
    try {
      return [{ item, request: loadRequest(plan, item, images) }];
    } catch (error) {
      fail(item, (error as Error).message);
      return [];
    }
  });
  let features: (Feature | Error)[];
  try {
    features = await extract(plan.extractor, ready.map(({ request }) => request));
  } catch {
    features = [];
    for (const { request } of ready) {
      const [feature] = await extract(plan.extractor, [request])
        .catch((error: Error) => [error]);
      features.push(feature!);
    }
  }
  return ready.flatMap(({ item, request }, i) => {
    const feature = features[i]!;
    const problem = feature instanceof Error
      ? feature.message
      : problemOf(feature, plan.extractor, request);
    if (problem === undefined) return [{ key: item.key, feature: feature as Feature }];
    fail(item, problem);
    return [];
  });
}

async function extract(
  extractor: FeatureExtractor,
  requests: readonly FeatureRequest[],
): Promise<Feature[]> {
  const features = requests.length === 0 ? [] : await extractor.extract(requests);
  if (features.length === requests.length) return features;
  throw new RangeError(
    `Cannot build features: ${extractor.name} should give ${requests.length}, ` +
      `current value is ${features.length}.`,
  );
}
