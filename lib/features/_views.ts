import type { FeatureRequest } from "./extractor.ts";

/** Refuses a request whose views are not those of an extractor. */
export function assertViews(views: readonly string[], request: FeatureRequest): void {
  const names = request.views.map(({ name }) => name);
  if (names.length === views.length && names.every((name, i) => name === views[i])) return;
  throw new RangeError(
    `Cannot extract a feature: its views should be ${views.join(", ")}, in this order, current ` +
      `value is ${names.join(", ") || "none"}. Pass image: null for a view without one.`,
  );
}
