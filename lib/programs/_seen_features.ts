/** Whether a policy goes on with the features that it has seen. */
import { canonicalJson, type FeatureExtractor, type JsonValue } from "../features/mod.ts";
import type { Finetune } from "./visual_tuning.ts";

/** Characters of a value in a message. */
const SHOWN = 40;

/** What a policy has seen. */
export interface SeenFeatures {
  /** Where the policy is from. */
  readonly path: string;
  /** Identity of its features. */
  readonly identity: JsonValue;
}

/**
 * Makes sure that a training gives a policy the features that it was trained on.
 *
 * @param seen null where nobody knows, or nothing was trained
 * @throws {RangeError} naming what differs
 */
export function expectSeen(
  seen: SeenFeatures | null,
  { identity: own }: FeatureExtractor,
  finetune: Finetune,
): void {
  if (seen === null) return;
  const saw = membersOf("", seen.identity);
  // An adapter that stage 2 begins with may be new to the policy, as is all that stage 2 learns.
  const isNew = finetune === "lora" && saw.get("adapter") === "null";
  const given = membersOf("", (isNew ? { ...own, adapter: null } : own) as unknown as JsonValue);
  const differences = [...new Set([...saw.keys(), ...given.keys()])]
    .filter((name) => saw.get(name) !== given.get(name))
    .map((name) => `${name} ${brief(given.get(name))} instead of ${brief(saw.get(name))}`);
  if (differences.length === 0) return;
  throw new RangeError(
    `Cannot begin with ${seen.path}: the features should be those that it was trained on, current value ` +
      `has ${differences.slice(0, 4).join("; ")}${
        differences.length > 4 ? `; ${differences.length - 4} more` : ""
      }. Give --features, --model, --views and the like as its first stage had them.`,
  );
}

function brief(text = "none"): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** Values by their paths, as JSON. */
function membersOf(name: string, value: JsonValue): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return new Map([[name, canonicalJson(value)]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, member]) => [
      ...membersOf(name === "" ? key : `${name}.${key}`, member as JsonValue),
    ]),
  );
}
