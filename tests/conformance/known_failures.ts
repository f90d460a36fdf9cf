/** Specs of tfjs-node's ignore list that fail on this engine too. */
import list from "./known_failures.json" with { type: "json" };

interface Group {
  readonly reason: string;
  /** Whether the specs pass on some processors. */
  readonly dependsOnProcessor?: boolean;
  readonly specs: readonly string[];
}

const groups: readonly Group[] = list.groups;

/** Full names of the specs that fail, and whether they fail on every processor. */
export const KNOWN_FAILURES: ReadonlyMap<string, { readonly always: boolean }> = new Map(
  groups.flatMap(({ specs, dependsOnProcessor = false }) =>
    specs.map((spec) => [spec, { always: !dependsOnProcessor }])
  ),
);
