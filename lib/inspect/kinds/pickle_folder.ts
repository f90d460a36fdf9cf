import { join } from "node:path";
import { isPickleFolder } from "../../episodes/convert/_pickle_folder.ts";
import { folderBytes } from "../../formats/_folder_files.ts";
import type { Kind } from "../inspection.ts";
import { pickle } from "./pickle.ts";

/** What preprocess makes with `--format data-pkl`: it has its recording's name, but is none. */
export const pickleFolder: Kind = {
  name: "data-pkl folder",
  summary: "a folder with data.pkl, but neither episode.json nor a recording",
  claims: ({ isFolder, entries }) => isFolder && isPickleFolder(entries),
  inspect: async (place, options) => {
    const contents = await pickle.inspect(
      { ...place, path: join(place.path, "data.pkl") },
      options,
    );
    return { ...contents, bytes: folderBytes(place.path) };
  },
};
