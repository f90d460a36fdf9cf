import { plural } from "../episodes/_plural.ts";
import { printable } from "../formats/printable.ts";
import type { MatchReport } from "./match.ts";

/** More names are counted only, unless all are asked for. */
const SHOWN = 5;
const HINT = "check:checkpoint --verbose names all";

/** How lists of names are written. */
export interface ListOptions {
  /** Every name, on a line of its own. */
  readonly all?: boolean;
  /** What names all. */
  readonly hint?: string;
}

/** What does not fit, with the first keys of each kind, one kind a line. */
export function describeMismatch(report: MatchReport, options: ListOptions = {}): string[] {
  const { missing, unexpected, mismatched, wrongDtype } = report;
  const size = (shape: readonly number[]) => `(${shape.join(", ")})`;
  const should = (key: string, expected: string, found: string) =>
    `${key} should be ${expected}, is ${found}`;
  return [
    line("missing", missing, options),
    line("unexpected", unexpected, options),
    line(
      "of another shape",
      mismatched.map(({ key, expected, found }) => should(key, size(expected), size(found))),
      options,
    ),
    line(
      "of another dtype",
      wrongDtype.map(({ key, expected, found }) => should(key, expected, found)),
      options,
    ),
  ].filter((text) => text !== undefined);
}

/** Names with commas between them; what is cut says how many are left out, and what names them. */
export function listNames(
  names: readonly string[],
  { all = false, hint = HINT }: ListOptions = {},
): string {
  const texts = names.map((name) => printable(name));
  if (all) return texts.map((text) => `\n    ${text}`).join("");
  if (names.length <= SHOWN) return texts.join(", ");
  return `${texts.slice(0, SHOWN).join(", ")}, and ${names.length - SHOWN} more (${hint})`;
}

function line(what: string, names: readonly string[], options: ListOptions): string | undefined {
  if (names.length === 0) return undefined;
  return `${plural(names.length, "tensor")} ${what}:${options.all ? "" : " "}${
    listNames(names, options)
  }`;
}
