import { createHash } from "node:crypto";
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

/**
 * Identifies an episode by what is in memory anyway. Of the sensor's values the checksum in the
 * manifest is taken, where there is one; images count with their times only.
 */
export function identify(episode: EpisodeData): EpisodeIdentity {
  const { task, name, arrays } = episode.manifest;
  const hash = createHash("sha256");
  const add = (label: string, array: Float64Array | Float32Array | Int32Array) => {
    hash.update(`${label} ${array.length}\n`);
    hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  };
  hash.update(`${JSON.stringify([task, name])}\n`);
  add("robot_time", episode.robotTime);
  add("robot_state", episode.robotState);
  add("action", episode.action);
  add("action_time", episode.actionTime);
  add("segment", episode.segment);
  for (const { view, time } of sortedBy(episode.images, ({ view }) => view)) {
    add(`image_time ${JSON.stringify(view)}`, time);
  }
  if (episode.sensor !== null) add("sensor_time", episode.sensor.time);
  if (arrays?.sensor !== undefined) hash.update(`sensor ${arrays.sensor.crc32}\n`);
  return { task, name, digest: hash.digest("hex") };
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
