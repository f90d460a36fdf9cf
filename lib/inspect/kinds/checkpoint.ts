import { join } from "node:path";
import { OTHER_FILE } from "../../checkpoints/document.ts";
import { openCheckpoint } from "../../checkpoints/open.ts";
import { openSafetensors } from "../../formats/safetensors.ts";
import { describePolicy } from "../_policy.ts";
import { describeStored } from "../_stored.ts";
import { folderBytes } from "../../formats/_folder_files.ts";
import type { Kind, TensorEntry } from "../inspection.ts";

/** A checkpoint's folder: the policy's tensors, then those of its training. */
export const checkpoint: Kind = {
  name: "checkpoint",
  summary: "a folder with checkpoint.json: a policy's tensors, and the state of its training",
  claims: ({ isFolder, entries }) => isFolder && entries.includes("checkpoint.json"),
  inspect: async ({ path, entries }, options) => {
    using source = openCheckpoint(path);
    const tensors: TensorEntry[] = [];
    for (const [name, tensor] of [...source.tensors, ...source.training() ?? []]) {
      tensors.push(await describeStored(name, tensor, options));
    }
    if (entries.includes(OTHER_FILE)) {
      using other = openSafetensors(join(path, OTHER_FILE));
      for (const name of other.names) {
        tensors.push(await describeStored(name, other.tensor(name), options));
      }
    }
    const { createdBy, statisticsDigest, splitDigest, actionRepresentation, config, files, extra } =
      source.document!;
    const other = Object.keys(extra);
    return {
      tensors,
      bytes: folderBytes(path),
      details: {
        ...describePolicy(source),
        createdBy,
        actionRepresentation,
        statisticsDigest,
        splitDigest,
        config,
        ...(other.length > 0 ? { alsoHolds: other } : {}),
        files,
      },
    };
  },
};
