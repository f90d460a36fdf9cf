import type { Episode, EpisodeSensor } from "../episodes/episode.ts";
import type { EpisodeManifest } from "../episodes/manifest.ts";

/** What the functions of this room read of an open `Episode`. */
export interface EpisodeData extends
  Pick<
    Episode,
    "path" | "robotTime" | "robotState" | "action" | "actionTime" | "segment" | "images"
  > {
  /** Of `episode.json`; without `action` and `arrays` their checks are left out. */
  readonly manifest:
    & Pick<EpisodeManifest, "name" | "task" | "instruction">
    & Partial<Pick<EpisodeManifest, "action" | "arrays" | "overlaps">>;
  /** The sensor, or null. */
  readonly sensor: Pick<EpisodeSensor, "time" | "rows" | "readRowsInto"> | null;
}
