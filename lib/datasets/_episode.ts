import type { EpisodeManifest } from "../episodes/manifest.ts";

/** What the functions of this room read of an open episode; every `Episode` has it. */
export interface EpisodeData {
  /** Folder of the episode. */
  readonly path: string;
  /** Of `episode.json`; without `action` and `arrays` their checks are left out. */
  readonly manifest:
    & Pick<EpisodeManifest, "name" | "task" | "instruction">
    & Partial<Pick<EpisodeManifest, "action" | "arrays">>;
  /** `(n,)` s. */
  readonly robotTime: Float64Array;
  /** `(n, 12)` joints 1–6 in degrees, x y z in mm, a b r in degrees. */
  readonly robotState: Float32Array;
  /** `(N, 7)` Δx Δy Δz in mm, Δa Δb Δr in degrees, gripper. */
  readonly action: Float32Array;
  /** `(N, 2)` start and end of each action in s. */
  readonly actionTime: Float64Array;
  /** `(N,)` runs of actions that follow each other without a gap. */
  readonly segment: Int32Array;
  /** The cameras. */
  readonly images: readonly {
    /** Name of the camera. */
    readonly view: string;
    /** `(F,)` s. */
    readonly time: Float64Array;
    /** Absolute path of frame `k`. */
    file(k: number): string;
  }[];
  /** Force and A-line, null where none was recorded. */
  readonly sensor: null | {
    /** `(M,)` s. */
    readonly time: Float64Array;
    /** M. */
    readonly rows: number;
    /** Fills `target` with the rows of 1026 values that begin at row `start`. */
    readRowsInto(start: number, target: Float32Array): void;
  };
}
