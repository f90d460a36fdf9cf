import { createHash, type Hash } from "node:crypto";
import type { EpisodeData } from "./_episode.ts";

/** Says which episode is meant, and in which state it was. */
export interface EpisodeIdentity {
  /** Task. */
  readonly task: string;
  /** Name of the recording, unique within its task. */
  readonly name: string;
  /** SHA-256 over the episode's times, robot states, actions and sensor checksum, hexadecimal. */
  readonly digest: string;
}

/** Identifies an episode by task, name and contents. */
export function identify(episode: EpisodeData): EpisodeIdentity {
  const { task, name } = episode.manifest;
  const hash = createHash("sha256").update(`${JSON.stringify([task, name])}\n`);
  return { task, name, digest: addContents(hash, episode).digest("hex") };
}

/**
 * SHA-256 of what was recorded, hexadecimal: copies have it in common whatever their names. One motion
 * with other cameras, another sensor or another clock has another.
 */
export function contentsDigest(episode: EpisodeData): string {
  return addContents(createHash("sha256"), episode).digest("hex");
}

/**
 * Adds what is in memory anyway. Of the sensor's values the checksum in the manifest is taken, where
 * there is one; images count with their times only.
 */
function addContents(hash: Hash, episode: EpisodeData): Hash {
  const add = (label: string, array: Float64Array | Float32Array | Int32Array) => {
    hash.update(`${label} ${array.length}\n`);
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  };
  add("robot_time", episode.robotTime);
  add("robot_state", episode.robotState);
  add("action", episode.action);
  add("action_time", episode.actionTime);
  add("segment", episode.segment);
  for (const { view, time } of sortedBy(episode.images, ({ view }) => view)) {
    add(`image_time ${JSON.stringify(view)}`, time);
  }
  if (episode.sensor !== null) add("sensor_time", episode.sensor.time);
  const sensor = episode.manifest.arrays?.sensor;
  if (sensor !== undefined) hash.update(`sensor ${sensor.crc32}\n`);
  return hash;
}

/** The same order on every machine: by task, then by name, as code units. */
export function sortedByIdentity<T>(items: readonly T[], of: (item: T) => EpisodeIdentity): T[] {
  return sortedBy(sortedBy(items, (item) => of(item).name), (item) => of(item).task);
}

/** How messages name an episode. */
export function episodeLabel({ task, name }: EpisodeIdentity): string {
  return `${task}/${name}`;
}

/** SHA-256 of a value's JSON, hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

function sortedBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...items].sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
