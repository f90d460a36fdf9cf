import type { Kind } from "./inspection.ts";
import { adapter } from "./kinds/adapter.ts";
import { cache } from "./kinds/cache.ts";
import { checkpoint } from "./kinds/checkpoint.ts";
import { csv } from "./kinds/csv.ts";
import { episode } from "./kinds/episode.ts";
import { folder } from "./kinds/folder.ts";
import { jpeg } from "./kinds/jpeg.ts";
import { json } from "./kinds/json.ts";
import { model } from "./kinds/model.ts";
import { npy } from "./kinds/npy.ts";
import { npz } from "./kinds/npz.ts";
import { pickle } from "./kinds/pickle.ts";
import { pickleFolder } from "./kinds/pickle_folder.ts";
import { recording } from "./kinds/recording.ts";
import { run } from "./kinds/run.ts";
import { safetensors } from "./kinds/safetensors.ts";
import { torch } from "./kinds/torch.ts";

/** Every kind, in the order in which they are asked; `folder` takes what no other folder kind wants. */
export const KINDS: readonly Kind[] = [
  npz,
  safetensors,
  torch,
  csv,
  pickle,
  json,
  npy,
  jpeg,
  episode,
  checkpoint,
  run,
  model,
  adapter,
  cache,
  pickleFolder,
  recording,
  folder,
];
