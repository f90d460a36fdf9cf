import { openNpz } from "../../formats/npz_reader.ts";
import type { InspectOptions, Kind, TensorEntry } from "../inspection.ts";
import { describeReader } from "../_tensors.ts";

/** NumPy arrays by name, in a zip archive. */
export const npz: Kind = {
  name: "npz",
  summary: "*.npz: NumPy arrays by name",
  claims: ({ name }) => name.endsWith(".npz"),
  inspect: async ({ path }, options) => {
    const tensors = await describeNpz(path, options);
    return { tensors, details: {} };
  },
};

/** What is said about the arrays of an archive. */
export async function describeNpz(path: string, options: InspectOptions): Promise<TensorEntry[]> {
  using file = openNpz(path);
  const tensors: TensorEntry[] = [];
  for (const name of file.names) {
    using reader = file.member(name);
    tensors.push(await describeReader(name, reader, options));
  }
  return tensors;
}
