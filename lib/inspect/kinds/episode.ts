import { join } from "node:path";
import { readManifest } from "../../episodes/episode.ts";
import { openNpy } from "../../formats/npy_reader.ts";
import { describeReader } from "../_tensors.ts";
import { folderBytes } from "../../formats/_folder_files.ts";
import type { Kind, TensorEntry } from "../inspection.ts";

/** An episode container. */
export const episode: Kind = {
  name: "episode",
  summary: "a folder with episode.json: an episode container",
  claims: ({ entries }) => entries.includes("episode.json"),
  inspect: async ({ path }, options) => {
    const manifest = readManifest(path);
    const tensors: TensorEntry[] = [];
    for (const name of Object.keys(manifest.arrays)) {
      using reader = openNpy(join(path, `${name}.npy`));
      tensors.push(await describeReader(name, reader, options));
    }
    const { name, task, instruction, layout, source, clock, rates, views, segments } = manifest;
    const shape = tensors.find((tensor) => tensor.name === "action")?.shape ?? [0];
    return {
      tensors,
      bytes: folderBytes(path),
      details: {
        name,
        task,
        instruction,
        layout,
        source,
        clock,
        clockOffsets: manifest.clockOffsets,
        actionHz: manifest.action.hz,
        actions: shape[0],
        segments: segments.length,
        views,
        hasSensor: manifest.arrays.sensor !== undefined,
        rates,
      },
    };
  },
};
