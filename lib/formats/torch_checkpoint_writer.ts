import { createZipWriter, type ZipForm, type ZipWriter } from "./_zip_writer.ts";
import { PickleEncoder } from "./_pickle_encoder.ts";
import { inputBytes } from "./_tensor_dtype.ts";
import { isTorchName, type StorageSource, torchReducer } from "./_torch_reduce.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import type { PickleFloat, PickleReference, PickleTuple } from "./pickle_values.ts";
import type { TensorInput } from "./tensor_types.ts";
import type {
  TorchDevice,
  TorchOrderedDict,
  TorchSize,
  TorchTensor,
  TorchValue,
} from "./torch_values.ts";

/** The folder in the archive; PyTorch takes any. */
const ROOT = "archive";
/** As PyTorch aligns storages, so that they can be mapped into memory. */
const ALIGNMENT = 64;
const EMPTY = new Uint8Array(0);

/** What can be written as a checkpoint; plain objects and `Map`s become `dict`s. */
export type TorchInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleFloat
  | PickleTuple<unknown>
  | PickleReference
  | TorchTensor
  | TorchSize
  | TorchDevice
  | TorchOrderedDict
  | TensorInput
  | readonly TorchInput[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | { readonly [key: string]: TorchInput };

/**
 * Writes a checkpoint that `torch.load(path, weights_only=True)` opens. The file is there as a whole
 * or not at all; equal contents give equal bytes.
 *
 * Tensors are `{ dtype, shape, data }`, tensors of another checkpoint or of a safetensors file; the
 * latter are copied from file to file, in little memory. Tensors of one storage, or of one typed
 * array as `data`, share memory in PyTorch too. All come from the device `cpu`. Whole numbers become
 * `int`, others `float` (whole ones with `PickleFloat`); NumPy arrays become tensors; the keys of plain objects are texts, those
 * of a `Map` what they are, as the numbers in the state of an optimizer.
 *
 * @param path of the file; its folder must exist
 * @param value to write, usually an object of state dicts and numbers
 * @throws {TypeError} naming the place of what PyTorch would not load; nothing is written then
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openTorchCheckpoint, PickleFloat, writeTorchCheckpoint } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/checkpoint.pt`;
 * const moment = { dtype: "float32", shape: [3], data: new Float32Array(3) } as const;
 * writeTorchCheckpoint(path, {
 *   optimizer_state_dict: {
 *     state: new Map([[0, { step: 7, exp_avg: moment, exp_avg_sq: { ...moment } }]]),
 *     param_groups: [{ lr: new PickleFloat(1), params: [0] }],
 *   },
 * });
 * using checkpoint = openTorchCheckpoint(path);
 * const paths = checkpoint.tensors().map(([path]) => path);
 * assert.deepEqual(paths[0], ["optimizer_state_dict", "state", 0, "exp_avg"]);
 * const storages = new Set(checkpoint.tensors().map(([, tensor]) => tensor.storage));
 * assert.equal(storages.size, 1); // both moments have one typed array
 * ```
 */
export function writeTorchCheckpoint(path: string, value: TorchInput | TorchValue): void {
  const write = checkpointWriter(path, value);
  writeFileAtomic(path, (file) => write(file));
}

/**
 * Encodes all but the storages of a checkpoint, so that what cannot be written is known before
 * anything is.
 *
 * @param path for messages
 * @returns writes the archive; a form lets small ones look like huge ones
 */
export function checkpointWriter(
  path: string,
  value: TorchInput | TorchValue,
): (file: Parameters<typeof createZipWriter>[0], form?: ZipForm) => void {
  const { reduce, sources } = torchReducer();
  const allowed = ", a tensor, TorchSize or TorchDevice";
  const encoder = new PickleEncoder({ protocol: 2, reduce, allows: isTorchName, allowed });
  encoder.save(value);
  const pickle = encoder.output.finish();
  return (file, form = {}) => {
    const zip = createZipWriter(file, false, { ...form, alignment: ALIGNMENT });
    const text = (content: string) => [new TextEncoder().encode(content)];
    writeRecord(zip, "data.pkl", pickle);
    writeRecord(zip, "byteorder", text("little"));
    sources.forEach((source, key) => {
      writeRecord(zip, `data/${key}`, piecesOf(path, key, source));
    });
    writeRecord(zip, "version", text("3\n"));
    zip.finish();
  };
}

function writeRecord(zip: ZipWriter, name: string, pieces: Iterable<Uint8Array>): void {
  zip.begin(`${ROOT}/${name}`, EMPTY);
  for (const piece of pieces) zip.write(piece);
  zip.end(EMPTY);
}

function piecesOf(path: string, key: number, source: StorageSource): Iterable<Uint8Array> {
  if ("pieces" in source) return source.pieces();
  return [inputBytes(path, `data/${key}`, source)];
}
