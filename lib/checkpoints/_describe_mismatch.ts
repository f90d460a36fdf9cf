import { plural } from "../episodes/_plural.ts";
import type { MatchReport } from "./match.ts";

/** More keys are counted only. */
const SHOWN = 5;

/** What does not fit, with the first keys of each kind, one kind a line. */
export function describeMismatch(report: MatchReport): string[] {
  const { missing, unexpected, mismatched, wrongDtype } = report;
  const shapes = mismatched.map(({ key, expected, found }) =>
    `${key} (${expected.join(", ")}) is (${found.join(", ")})`
  );
  const dtypes = wrongDtype.map(({ key, expected, found }) => `${key} ${expected} is ${found}`);
  return [
    line("missing", missing),
    line("unexpected", unexpected),
    line("of another shape", shapes),
    line("of another dtype", dtypes),
  ].filter((text) => text !== undefined);
}

function line(what: string, keys: readonly string[]): string | undefined {
  if (keys.length === 0) return undefined;
  const shown = keys.slice(0, SHOWN).join(", ") + (keys.length > SHOWN ? ", …" : "");
  return `${plural(keys.length, "tensor")} ${what}: ${shown}`;
}
