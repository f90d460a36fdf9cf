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
    & Partial<Pick<EpisodeManifest, "action" | "arrays" | "overlaps" | "source">>;
  /** The sensor, or null; without `file` its rows are read by this thread only. */
  readonly sensor:
    | (Pick<EpisodeSensor, "time" | "rows" | "readRowsInto"> & Partial<Pick<EpisodeSensor, "file">>)
    | null;
}
