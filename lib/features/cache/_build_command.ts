import { dirname } from "node:path";
import { quote } from "../../formats/quote.ts";
import type { MissingFeature } from "./miss_error.ts";
import type { FeaturePlan } from "./plan.ts";

/** The command that builds what is missing of a plan. */
export function buildCommand(
  { extractor, reuse, maxAge, folder }: FeaturePlan,
  missing: readonly MissingFeature[],
): string {
  const episodes = [...new Set(missing.map(({ episode }) => episode))];
  // Many episodes lie below one folder.
  const roots = episodes.length > 3 ? [commonFolder(episodes)] : episodes;
  const { views } = extractor.identity;
  return [
    `deno task cache:build --data ${roots.map(quote).join(" ")}`,
    `--features ${[extractor.name, ...(extractor.flags ?? []).map(quote)].join(" ")}`,
    `--views ${views.map(quote).join(" ")}`,
    `--reuse ${reuse}`,
    `--max-age-ms ${1000 * maxAge}`,
    `--cache ${quote(folder)}`,
  ].join(" ");
}

function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0]!);
  while (!paths.every((path) => path.startsWith(`${folder}/`)) && folder !== dirname(folder)) {
    folder = dirname(folder);
  }
  return folder;
}
