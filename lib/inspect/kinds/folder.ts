import { dirname, extname } from "node:path";
import { discoverRecordings } from "../../episodes/discover.ts";
import { forEachFile } from "../../formats/_folder_files.ts";
import type { Kind } from "../inspection.ts";

/** Any other folder. */
export const folder: Kind = {
  name: "folder",
  summary: "any other folder: what is in it, counted",
  claims: ({ isFolder }) => isFolder,
  inspect: ({ path }) => {
    const files: Record<string, { count: number; bytes: number }> = {};
    const containers = new Set<string>();
    let bytes = 0;
    forEachFile(path, (file, name) => {
      const { size } = Deno.lstatSync(file);
      const extension = extname(name).toLowerCase() || "none";
      const sum = files[extension] ??= { count: 0, bytes: 0 };
      sum.count++;
      sum.bytes += size;
      bytes += size;
      if (name === "episode.json") containers.add(dirname(file));
    });
    const recordings: Record<string, number> = {};
    for (const { layout, path: found } of discoverRecordings([path]).recordings) {
      if (containers.has(found)) continue; // it has the recording's name
      recordings[layout.name] = (recordings[layout.name] ?? 0) + 1;
    }
    const sorted = Object.entries(files).map(([extension, sum]) => ({ extension, ...sum }))
      .sort((a, b) => b.count - a.count);
    const keys = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    return {
      tensors: [],
      keys,
      bytes,
      details: {
        ...(Object.keys(recordings).length > 0 ? { recordings } : {}),
        containers: containers.size,
        files: sorted,
      },
    };
  },
};
