import type { JsonValue } from "../features/canonical_json.ts";
import { isMembers } from "./_config.ts";
import { type CheckpointNotes, VISUAL_MEMBER } from "./document.ts";

/**
 * What a file says of the features of its policy.
 *
 * @param features its own member; other programs may mean something else by it
 * @param visual what of a visual-language model was trained
 * @returns null where it says neither
 */
export function notesOf(
  features: JsonValue | undefined,
  visual: JsonValue | undefined,
): CheckpointNotes | null {
  const hasFeatures = isMembers(features), hasVisual = isMembers(visual);
  if (!hasFeatures && !hasVisual) return null;
  return {
    features: hasFeatures ? features as JsonValue : null,
    extra: hasVisual ? { [VISUAL_MEMBER]: visual as JsonValue } : {},
  };
}
