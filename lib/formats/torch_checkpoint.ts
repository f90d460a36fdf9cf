import { openArchive, type TorchArchive } from "./_torch_archive.ts";
import { TORCH_GLOBALS } from "./_torch_globals.ts";
import { verifyStorage } from "./_torch_record.ts";
import type { PickleGlobal } from "./pickle_globals.ts";
import { readPickle } from "./pickle_reader.ts";
import { PickleTuple } from "./pickle_values.ts";
import { openRandomAccess, type RandomAccessFile } from "./random_access_file.ts";
import { type TorchObject, TorchTensor, type TorchValue } from "./torch_values.ts";

/** Deeper checkpoints are none. */
const MAX_DEPTH = 100;
/** More places than any program saves; containers may hold each other many times. */
const MAX_PLACES = 1_000_000;

/** Keys and indices on the way to a value, outermost first. */
export type TorchPath = readonly (string | number)[];

/** How a checkpoint is read. */
export interface TorchReadOptions {
  /**
   * `tagged` reads each Python `float` as a `PickleFloat`, so that 1.0 is written as 1.0 again.
   * Default `number`.
   */
  readonly floats?: "number" | "tagged";
  /** Further allowed names by module and name; see `PickleReadOptions`. */
  readonly globals?: Readonly<Record<string, PickleGlobal<TorchObject>>>;
}

/** An open PyTorch checkpoint. */
export interface TorchCheckpoint extends Disposable {
  /** The path it was opened with. */
  readonly path: string;
  /** What was saved: a `dict` is a `Map`, tensors are read when they are asked for. */
  readonly value: TorchValue;
  /**
   * Finds all tensors in dicts, lists and tuples.
   *
   * @returns path and tensor, in the order of the file; keys that are no texts or numbers as text
   * @throws {SyntaxError} when the checkpoint is nested too deeply
   */
  tensors(): [path: TorchPath, tensor: TorchTensor][];
  /**
   * Reads every storage once, a few megabytes at a time, and compares its CRC-32. Nothing is
   * compared where PyTorch was told to leave them out.
   *
   * @param options `signal` ends it between pieces
   * @throws {SyntaxError} with path and record when one is not as it was written
   */
  verify(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Closes the file; closing twice is harmless. */
  close(): void;
}

/**
 * Opens a checkpoint of `torch.save` (PyTorch 1.6 and later) without Python. Only the archive's
 * directory and its pickle are read, however large it is; nothing is ever executed.
 *
 * Allowed are tensors, parameters, sizes, devices, dtypes, plain Python values and what NumPy saves;
 * a file that asks for another name is refused, and the name told. Attributes of parameters are
 * dropped. Files before 1.6 and TorchScript archives are refused by name.
 *
 * Format: `torch/serialization.py` and `torch/_utils.py` of PyTorch 2.13, and PyTorch's note
 * "Serialization semantics".
 *
 * @param path of the file, or something that reads like one
 * @param options how floats are returned, and further names
 * @returns the open checkpoint; close it, or hold it with `using`
 * @throws {SyntaxError} with path, record and byte offset when the file is damaged, of another kind
 * or asks for more than data
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTorchCheckpoint, writeTorchCheckpoint } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/diffusion_epoch3.pt`;
 * const weight = { dtype: "float32", shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) } as const;
 * writeTorchCheckpoint(path, { epoch: 3, model_state_dict: { "out_proj.weight": weight } });
 *
 * using checkpoint = openTorchCheckpoint(path);
 * assert((checkpoint.value as Map<string, unknown>).get("epoch") === 3);
 * const tensors = new Map(checkpoint.tensors().map(([path, tensor]) => [path.join("/"), tensor]));
 * const tensor = tensors.get("model_state_dict/out_proj.weight")!;
 * assert.deepEqual([tensor.dtype, tensor.shape, tensor.strides], ["float32", [2, 2], [2, 1]]);
 * assert.deepEqual(tensor.read({ dtype: "float32" }).data, weight.data);
 * ```
 */
export function openTorchCheckpoint(
  path: string | RandomAccessFile,
  options: TorchReadOptions = {},
): TorchCheckpoint {
  const file = typeof path === "string" ? openRandomAccess(path) : path;
  try {
    const archive = openArchive(file);
    const value = readValue(archive, options);
    return {
      path: file.path,
      value,
      tensors: () => listTensors(file.path, value),
      verify: async ({ signal } = {}) => {
        for (const record of archive.records()) await verifyStorage(record, signal);
      },
      close: () => file.close(),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function readValue(archive: TorchArchive, options: TorchReadOptions): TorchValue {
  return readPickle<TorchObject>(archive.pickle, {
    name: archive.picklePath,
    floats: options.floats ?? "number",
    globals: { ...TORCH_GLOBALS, ...options.globals },
    persistentLoad: archive.storage,
  });
}

function listTensors(path: string, value: TorchValue): [TorchPath, TorchTensor][] {
  const found: [TorchPath, TorchTensor][] = [];
  const place: (string | number)[] = [];
  const open = new Set<TorchValue>();
  let places = 0;
  const visit = (value: TorchValue) => {
    if (value instanceof TorchTensor) return void found.push([[...place], value]);
    const children = childrenOf(value);
    // What holds itself is listed once.
    if (children === undefined || open.has(value)) return;
    if (place.length >= MAX_DEPTH || (places += children.length) > MAX_PLACES) {
      throw new SyntaxError(
        `Cannot list the tensors of ${path}: it should be at most ${MAX_DEPTH} levels deep and hold ` +
          `at most ${MAX_PLACES} values, current value is more at ${place.slice(0, 5).join(".")}.`,
      );
    }
    open.add(value);
    for (const [key, child] of children) {
      place.push(typeof key === "number" ? key : String(key));
      visit(child);
      place.pop();
    }
    open.delete(value);
  };
  visit(value);
  return found;
}

function childrenOf(value: TorchValue): (readonly [key: unknown, child: TorchValue])[] | undefined {
  if (value instanceof Map) return [...value];
  const items = value instanceof PickleTuple ? value.items : value;
  return Array.isArray(items) ? items.map((item, i) => [i, item]) : undefined;
}
