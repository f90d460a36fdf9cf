/** How checkpoints lie on the disk, for conversions from each to each. */
import { extname, join } from "node:path";
import { isFile, isFolder, isThere } from "../../formats/_path.ts";
import { DOCUMENT_FILE } from "../document.ts";
import { POINTER_NAMES, pointerPath } from "../pointer.ts";
import type { PortableCheckpoint, ReadOptions } from "./_portable.ts";
import { readFolder, readTensorFile } from "./_read_ours.ts";
import { readTorch } from "./_read_torch.ts";
import { writeFolder, writeTensorFile, writeTorch, type Written } from "./_write.ts";

/** A form that a checkpoint may have. */
export interface Form {
  /** What the input is called, and `--to` for the output. */
  readonly from: string;
  readonly to: string;
  isInput(path: string): boolean;
  isOutput(path: string): boolean;
  read(path: string, options: ReadOptions): PortableCheckpoint | Promise<PortableCheckpoint>;
  write(path: string, checkpoint: PortableCheckpoint): Written | Promise<Written>;
}

const TORCH = /^\.(pt|pth|ckpt)$/i, TENSORS = /^\.safetensors$/i;
/** Extensions of files; a folder's name may have a dot too. */
const FILES =
  /^\.(pt|pth|ckpt|safetensors?|pkl|pickle|npz|npy|csv|jsonl?|bin|h5|hdf5|onnx|gguf|zip|tar|gz|txt|ya?ml)$/i;

/** Forms of checkpoints. */
export const FORMS: readonly Form[] = [
  {
    from: "checkpoint .pt",
    to: "pt",
    isInput: (path) => TORCH.test(extname(path)) && isFile(path),
    isOutput: (path) => TORCH.test(extname(path)) && !isFolder(path),
    read: readTorch,
    write: writeTorch,
  },
  {
    from: "checkpoint",
    to: "checkpoint",
    isInput: (path) => isFolder(path) && isCheckpoint(path),
    isOutput: isFolderName,
    read: readFolder,
    write: writeFolder,
  },
  {
    from: "checkpoint .safetensors",
    to: "safetensors",
    isInput: (path) => TENSORS.test(extname(path)) && isFile(path),
    isOutput: (path) => TENSORS.test(extname(path)) && !isFolder(path),
    read: readTensorFile,
    write: writeTensorFile,
  },
];

/** Whether a path is a folder, or can be the name of one. */
export function isFolderName(path: string): boolean {
  return isThere(path) ? isFolder(path) : !FILES.test(extname(path));
}

/** A checkpoint's folder, or that of a run. */
function isCheckpoint(path: string): boolean {
  return isFile(join(path, DOCUMENT_FILE)) ||
    POINTER_NAMES.some((name) => isFile(pointerPath(path, name)));
}
