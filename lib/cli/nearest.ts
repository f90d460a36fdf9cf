import { nearestName } from "../formats/_nearest_name.ts";

/**
 * The candidate that differs least from a mistyped word (Levenshtein distance, case and the choice
 * between `-` and `_` count nothing), if one is near enough to be meant.
 *
 * @param word what was typed
 * @param candidates what could have been meant
 * @returns the nearest, or `undefined` when more than a third of the word would have to change
 *
 * @example
 * ```ts
 * import { nearest } from "./mod.ts";
 * console.log(nearest("batch_sise", ["batch-size", "seed"])); // "batch-size"
 * ```
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  return nearestName(word, candidates);
}
