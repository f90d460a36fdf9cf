import { openTorchCheckpoint } from "../../formats/torch_checkpoint.ts";
import { TorchTensor } from "../../formats/torch_values.ts";
import { describeFile } from "../_policy.ts";
import { describeStored } from "../_stored.ts";
import type { Kind, TensorEntry } from "../inspection.ts";

/** Plain values are shown, others by their kind. */
const MOST_MEMBERS = 100;

/** A PyTorch checkpoint: its tensors by the keys that lead to them; nothing in it is executed. */
export const torch: Kind = {
  name: "pt",
  summary: "*.pt, *.pth: PyTorch checkpoints, tensors by the keys that lead to them",
  claims: ({ name }) => /\.(pt|pth|ckpt)$/.test(name),
  inspect: async ({ path }, options) => {
    using file = openTorchCheckpoint(path);
    const tensors: TensorEntry[] = [];
    for (const [keys, tensor] of file.tensors()) {
      tensors.push(await describeStored(keys.join("."), tensor, options));
    }
    const members = (file.value instanceof Map ? [...file.value] : [])
      .filter(([, value]) => !(value instanceof TorchTensor)).slice(0, MOST_MEMBERS);
    const contents = Object.fromEntries(members.map(([key, value]) => [String(key), brief(value)]));
    return {
      tensors,
      details: { ...describeFile(path), ...(members.length > 0 ? { contents } : {}) },
    };
  },
};

function brief(value: unknown): unknown {
  if (value === null || ["number", "string", "boolean"].includes(typeof value)) return value;
  if (typeof value === "bigint") return String(value);
  if (value instanceof Map) return `dict of ${value.size}`;
  return Array.isArray(value) ? `list of ${value.length}` : "other";
}
