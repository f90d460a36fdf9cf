import { writeFileAtomic } from "../formats/atomic_write.ts";
import { type EpisodeIdentity, episodeLabel, identify, sortedByIdentity } from "./_digest.ts";
import type { EpisodeData } from "./_episode.ts";
import { type JsonRecord, readJson } from "./_json.ts";
import type { ActionRepresentation } from "./_representation.ts";
import { ACTION_DIM } from "./chunk.ts";
import { identity } from "./split_file.ts";
import {
  type EpisodeStatistics,
  type FieldStatistics,
  type GroupStatistics,
  sourceDigest,
} from "./statistics.ts";
import { PROPRIOCEPTION_DIM } from "./window.ts";

/**
 * Writes statistics as JSON, whole or not at all. Reading them back gives the same bits.
 *
 * @param path of the file, `statistics.json` by custom
 * @param statistics from `episodeStatistics`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readStatistics, writeStatistics } from "./statistics_file.ts";
 * import { sourceDigest } from "./statistics.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/statistics.json`;
 * const statistics = {
 *   version: 1 as const,
 *   actionRepresentation: null,
 *   episodes: [],
 *   action: null,
 *   proprioception: null,
 *   force: null,
 *   aline: { count: 3, mean: 0.1, std: 1 / 3, min: 0, max: 1 },
 *   digest: sourceDigest([], null),
 * };
 * writeStatistics(path, statistics);
 * assert.deepEqual(readStatistics(path), statistics);
 * ```
 */
export function writeStatistics(path: string, statistics: EpisodeStatistics): void {
  writeFileAtomic(path, `${JSON.stringify(statistics, null, 2)}\n`);
}

/**
 * Reads statistics and checks them.
 *
 * @param path of the file
 * @returns the statistics
 * @throws {SyntaxError} when the file holds none, or its digest does not fit its episodes
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readStatistics } from "./statistics_file.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/statistics.json`;
 * Deno.writeTextFileSync(path, `{"version": 1}`);
 * assert.throws(() => readStatistics(path), /episodes should be a list, current value is nothing/);
 * ```
 */
export function readStatistics(path: string): EpisodeStatistics {
  const json = readJson(path, "statistics");
  json.literal("version", 1);
  const episodes = json.list("episodes", identity);
  const actionRepresentation = json.isNull("actionRepresentation")
    ? null
    : representation(json.record("actionRepresentation"));
  const digest = sourceDigest(episodes, actionRepresentation);
  json.literal("digest", digest);
  return {
    version: 1,
    actionRepresentation,
    episodes,
    action: json.isNull("action") ? null : field(json.record("action"), ACTION_DIM),
    proprioception: json.isNull("proprioception")
      ? null
      : field(json.record("proprioception"), PROPRIOCEPTION_DIM),
    force: json.isNull("force") ? null : field(json.record("force"), 1),
    aline: json.isNull("aline") ? null : group(json.record("aline")),
    digest,
  };
}

/**
 * Refuses statistics of other episodes than the training part at hand: computed before the split, or
 * with validation episodes among them, they would leak.
 *
 * @param statistics from `episodeStatistics` or {@linkcode readStatistics}
 * @param training the episodes that train, in any order
 * @throws {RangeError} naming an episode that makes the difference
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { assertStatisticsOf } from "./statistics_file.ts";
 *
 * const statistics = { episodes: [{ task: "red", name: "one", digest: "ab" }] };
 * assert.throws(() => assertStatisticsOf(statistics, []), /red\/one/);
 * ```
 */
export function assertStatisticsOf(
  statistics: Pick<EpisodeStatistics, "episodes">,
  training: readonly EpisodeData[],
): void {
  const found = sortedByIdentity(training.map(identify), (e) => e);
  const line = (e: EpisodeIdentity | undefined) => e === undefined ? "" : JSON.stringify(e);
  const length = Math.max(found.length, statistics.episodes.length);
  for (let i = 0; i < length; i++) {
    const used = statistics.episodes[i], given = found[i];
    if (line(used) === line(given)) continue;
    throw new RangeError(
      `Cannot use the statistics: they must come from the ${found.length} training episodes, ` +
        `current value is ${statistics.episodes.length} episodes that differ at ` +
        `${
          episodeLabel((used ?? given)!)
        }. Compute them again from the training part of the split.`,
    );
  }
}

function field(json: JsonRecord, width: number): FieldStatistics {
  const list = (key: string) => json.numbers(key, width);
  return {
    count: json.number("count"),
    mean: list("mean"),
    std: list("std"),
    min: list("min"),
    max: list("max"),
    q01: list("q01"),
    q50: list("q50"),
    q99: list("q99"),
    constant: json.numbers("constant"),
  };
}

function group(json: JsonRecord): GroupStatistics {
  return {
    count: json.number("count"),
    mean: json.number("mean"),
    std: json.number("std"),
    min: json.number("min"),
    max: json.number("max"),
  };
}

function representation(json: JsonRecord): ActionRepresentation {
  json.literal("kind", "delta");
  json.literal("euler", "mobile XYZ");
  return {
    kind: "delta",
    hz: json.number("hz"),
    dimensions: json.texts("dimensions"),
    units: json.texts("units"),
    euler: "mobile XYZ",
    angles: json.oneOf("angles", ["wrapped", "raw"]),
    tolerance: json.number("tolerance"),
    compat: json.boolean("compat"),
  };
}
