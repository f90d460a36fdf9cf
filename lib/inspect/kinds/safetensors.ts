import { openSafetensors } from "../../formats/safetensors.ts";
import { describeFile } from "../_policy.ts";
import { describeStored } from "../_stored.ts";
import type { Kind, TensorEntry } from "../inspection.ts";

/** Tensors by name; only the header is read, unless statistics are asked for. */
export const safetensors: Kind = {
  name: "safetensors",
  summary: "*.safetensors: tensors by name",
  claims: ({ name }) => name.endsWith(".safetensors"),
  inspect: async ({ path }, options) => {
    using file = openSafetensors(path);
    const tensors: TensorEntry[] = [];
    for (const name of file.names) {
      tensors.push(await describeStored(name, file.tensor(name), options));
    }
    const metadata = Object.fromEntries(Object.entries(file.metadata));
    const hasMetadata = Object.keys(metadata).length > 0;
    return { tensors, details: { ...describeFile(path), ...(hasMetadata ? { metadata } : {}) } };
  },
};
