import { statfsSync } from "node:fs";
import { basename, join } from "node:path";
import {
  POINTER_NAMES,
  type PointerName,
  pointerPath,
  readPointer,
  writePointer,
} from "../checkpoints/pointer.ts";
import { type CheckpointInput, writeCheckpoint } from "../checkpoints/write.ts";
import { formatBytes } from "../formats/format_bytes.ts";
import { isThere, removeIfThere } from "../formats/_partial_file.ts";
import type { TensorArray } from "../formats/tensor_types.ts";

/** Folder of a run's checkpoints. */
export const CHECKPOINTS = "checkpoints";
/** Names of the checkpoints in it, and of what a process that was killed left of them. */
const OURS = /^step-\d{8,}$|^\.step-\d{8,}\.(partial-|previous$)/;

/** The name of a checkpoint after so many steps. */
export function checkpointName(globalStep: number): string {
  return `step-${String(globalStep).padStart(8, "0")}`;
}

/** A checkpoint of a run to write. */
export interface RunCheckpoint {
  /** The run's folder. */
  readonly run: string;
  /** The checkpoint's folder in `checkpoints`. */
  readonly name: string;
  /** What it holds; null if it is there and only pointers change. */
  readonly input: CheckpointArrays | null;
  /** Pointers that name it from then on. */
  readonly pointers: readonly PointerName[];
  /** Files that must be on the disk before any pointer changes. */
  readonly before: readonly string[];
}

/** {@linkcode CheckpointInput} of arrays in memory. */
export interface CheckpointArrays extends CheckpointInput {
  readonly tensors: Readonly<Record<string, TensorArray>>;
  readonly training: Readonly<Record<string, TensorArray>>;
  readonly others?: {
    readonly tensors: Readonly<Record<string, TensorArray>>;
    readonly training: Readonly<Record<string, TensorArray>>;
  };
}

/** All arrays of a checkpoint. */
export function arraysOf(input: CheckpointArrays | null): TensorArray[] {
  const { tensors, training, others } = input ?? {};
  return [tensors, training, others?.tensors, others?.training]
    .flatMap((all) => Object.values(all ?? {}));
}

/**
 * Writes a checkpoint, then lets pointers name it, then removes those of its own folders that
 * no pointer names; other files in their place stay.
 *
 * @throws {Error} when the disk is full, saying how much room is needed and free
 */
export async function writeRunCheckpoint(job: RunCheckpoint): Promise<void> {
  const { run, name, input, pointers, before } = job;
  try {
    Deno.mkdirSync(join(run, CHECKPOINTS), { recursive: true });
    if (input !== null) await writeCheckpoint(join(run, CHECKPOINTS, name), input);
    for (const path of before) {
      using file = Deno.openSync(path, { read: true, write: true });
      file.syncDataSync();
    }
    // Training goes on from the latest one: whatever a kill leaves out before is written again.
    for (const pointer of [...pointers].sort((a, b) => +(a === "latest") - +(b === "latest"))) {
      writePointer(run, pointer, join(CHECKPOINTS, name));
    }
  } catch (error) {
    throw new Error(`${(error as Error).message} ${roomOf(job)}`, { cause: error });
  }
  removeOthers(run);
}

function roomOf({ run, input }: RunCheckpoint): string {
  const needed = arraysOf(input).reduce((sum, { data }) => sum + data.byteLength, 0);
  const { bavail, bsize } = statfsSync(run);
  const state = needed === 0 ? "" : `The checkpoint needs ${formatBytes(needed)}, `;
  const free = `${formatBytes(bavail * bsize)} are free in ${run}.`;
  return `${state}${free} The checkpoint before it is whole: the same command goes on from there.`;
}

function removeOthers(run: string): void {
  const kept = new Set(
    POINTER_NAMES.filter((name) => isThere(pointerPath(run, name)))
      .map((name) => basename(readPointer(run, name))),
  );
  for (const { name } of Deno.readDirSync(join(run, CHECKPOINTS))) {
    if (OURS.test(name) && !kept.has(name)) removeIfThere(join(run, CHECKPOINTS, name));
  }
}
