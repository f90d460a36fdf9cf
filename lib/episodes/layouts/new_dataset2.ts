import { recvAll } from "./recv_all.ts";
import type { Layout } from "./layout.ts";

/** `data_collection_<time>`: as `recv_all_`, with one folder of left images per view. */
export const newDataset2: Layout = {
  ...recvAll,
  name: "new-dataset2",
  claims: ({ name }) => name.startsWith("data_collection_"),
  fallbackInstruction: (task) => `Perform ${task} insertion task`,
};
