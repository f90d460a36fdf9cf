import { sep } from "node:path";
import type { Finding } from "../recording.ts";

/**
 * The recording or episode that a finding belongs to: the innermost one that holds its place.
 *
 * @param paths of recordings and episodes
 * @returns a function that gives its path; undefined where it belongs to none
 */
export function ownersAmong(
  paths: readonly string[],
): (finding: Finding) => string | undefined {
  const innermost = paths.toSorted((a, b) => b.length - a.length);
  return ({ where }) => innermost.find((path) => isAt(where, path));
}

/** A place is a path, perhaps with a line, a row or a member behind it. */
function isAt(where: string, path: string): boolean {
  const next = where[path.length];
  return where.startsWith(path) && (next === undefined || `${sep}:, `.includes(next));
}
