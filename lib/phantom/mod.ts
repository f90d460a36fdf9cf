/**
 * The simulator: a robot inserts a needle into an eye phantom, watched by five cameras and an OCT
 * and force sensor. Seeded, so that data have a known truth and policies can be tested in closed
 * loop.
 *
 * @module
 */
export type { Vector3 } from "../robot/_geometry.ts";
export * from "./closed_loop.ts";
export * from "./disturbances.ts";
export * from "./episode.ts";
export * from "./expert.ts";
export * from "./samples.ts";
export * from "./scene.ts";
export * from "./thumbnail.ts";
export * from "./truth_record.ts";
export * from "./recordings/fault.ts";
export * from "./recordings/injected.ts";
export * from "./recordings/layout.ts";
export * from "./recordings/source.ts";
export * from "./recordings/record_phantom.ts";
export * from "./recordings/write_recording.ts";
