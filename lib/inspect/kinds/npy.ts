import { openNpy } from "../../formats/npy_reader.ts";
import type { Kind } from "../inspection.ts";
import { describeReader } from "../_tensors.ts";

const MAGIC = "\x93NUMPY";

/** A NumPy array. */
export const npy: Kind = {
  name: "npy",
  summary: "*.npy: a NumPy array",
  claims: ({ name, head }) =>
    name.endsWith(".npy") || [...MAGIC].every((byte, i) => head[i] === byte.charCodeAt(0)),
  inspect: async ({ path, name }, options) => {
    using reader = openNpy(path);
    const tensor = await describeReader(name.replace(/\.npy$/, ""), reader, options);
    return { tensors: [tensor], details: {} };
  },
};
