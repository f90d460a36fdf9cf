/** Specs of tfjs-node's ignore list that fail on this engine too. */
import list from "./known_failures.json" with { type: "json" };

const known = new Set(list.groups.flatMap((group) => group.specs));

/** The full names of the specs that are known to fail. */
export function knownFailures(): ReadonlySet<string> {
  return known;
}
