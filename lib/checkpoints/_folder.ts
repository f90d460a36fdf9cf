import { join } from "node:path";
import { openRandomAccess, type RandomAccessFile } from "../formats/random_access_file.ts";
import { openSafetensors, type SafetensorsReader } from "../formats/safetensors.ts";
import type { StoredTensor } from "../formats/tensor_types.ts";
import { policyShapes } from "../policies/shapes.ts";
import { readDocument } from "./_document.ts";
import { fileDigest } from "./_file_digest.ts";
import { type OtherTensors, otherTensors } from "./_other.ts";
import {
  type CheckpointDocument,
  type CheckpointFile,
  DOCUMENT_FILE,
  MODEL_FILE,
  OTHER_FILE,
  TRAINING_FILE,
} from "./document.ts";
import type { OpenCheckpoint, OtherTensorMaps, VerifyFilesOptions } from "./open.ts";

/** A checkpoint that is replaced this often while it is opened is being written without end. */
const MOST_ATTEMPTS = 100;

/** Opens a checkpoint of our own. Files of one and the same writing are opened together. */
export function openFolder(path: string): OpenCheckpoint {
  for (let attempt = 1;; attempt++) {
    const before = identityOf(path);
    let opened: OpenCheckpoint | undefined, problem: unknown;
    try {
      opened = openOnce(path);
    } catch (error) {
      problem = error;
    }
    // Replaced in between: what was read may belong to two checkpoints.
    if (identityOf(path) === before || attempt === MOST_ATTEMPTS) {
      if (opened === undefined) throw problem;
      return opened;
    }
    opened?.close();
  }
}

function identityOf(path: string): string {
  const { dev, ino } = Deno.statSync(path);
  return `${dev} ${ino}`;
}

function openOnce(path: string): OpenCheckpoint {
  const document = readDocument(join(path, DOCUMENT_FILE));
  const files = new Map<string, RandomAccessFile>();
  const close = () => files.forEach((file) => file.close());
  try {
    const other = otherTensors(path, document.extra);
    const listed = [...document.files, ...(other === undefined ? [] : [other.file])];
    for (const entry of listed) files.set(entry.name, openListed(path, entry));
    const model = openSafetensors(files.get(MODEL_FILE)!);
    const others = other && openOthers(files.get(OTHER_FILE)!, other);
    let training: SafetensorsReader | undefined;
    return {
      path,
      layout: "folder",
      wrappers: [],
      tensors: inOrder(document, tensorsOf(model)),
      ignored: others === undefined ? [] : [{ name: "other", ...sizeOf(others) }],
      ...recorded(document),
      remarks: [],
      value: null,
      training() {
        const file = files.get(TRAINING_FILE);
        if (file === undefined) return null;
        return tensorsOf(training ??= openSafetensors(file));
      },
      others: () => others ?? null,
      verify: (options) => verifyFiles(listed, files, options),
      close,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function recorded(document: CheckpointDocument) {
  const { config, assumed, program, trainingStage, epoch, epochBase, globalStep, losses } =
    document;
  return {
    config,
    assumed,
    program,
    trainingStage,
    epoch,
    epochBase,
    globalStep,
    losses,
    document,
    notes: document,
  };
}

/** The file has an order of its own; the policy's is that of PyTorch. */
function inOrder(
  { config }: CheckpointDocument,
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  const own = policyShapes(config).flatMap(({ key }) => {
    const tensor = tensors.get(key);
    return tensor === undefined ? [] : [[key, tensor] as const];
  });
  return new Map([...own, ...tensors]);
}

function openOthers(file: RandomAccessFile, { keys }: OtherTensors): OtherTensorMaps {
  const reader = openSafetensors(file);
  const isKey = new Set(keys);
  const named = (names: readonly string[]) =>
    new Map(names.map((name) => [name, reader.tensor(name)] as const));
  return { tensors: named(keys), training: named(reader.names.filter((name) => !isKey.has(name))) };
}

function sizeOf({ tensors, training }: OtherTensorMaps): { tensors: number; bytes: number } {
  const all = [...tensors.values(), ...training.values()];
  return { tensors: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function openListed(folder: string, { name, bytes }: CheckpointFile): RandomAccessFile {
  const path = join(folder, name);
  let file: RandomAccessFile;
  try {
    file = openRandomAccess(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new SyntaxError(
      `Cannot open checkpoint ${folder}: ${name} should be there, current value is nothing. Copy ` +
        "the checkpoint again.",
    );
  }
  if (file.bytes === bytes) return file;
  file.close();
  throw new SyntaxError(
    `Cannot open checkpoint ${folder}: ${name} should hold ${bytes} bytes, current value is ` +
      `${file.bytes}. It was cut short or replaced; copy the checkpoint again.`,
  );
}

function tensorsOf(reader: SafetensorsReader): ReadonlyMap<string, StoredTensor> {
  return new Map(reader.names.map((name) => [name, reader.tensor(name)]));
}

async function verifyFiles(
  listed: readonly CheckpointFile[],
  files: ReadonlyMap<string, RandomAccessFile>,
  { modelOnly = false, weightsOnly = false, signal }: VerifyFilesOptions = {},
): Promise<void> {
  for (const { name, sha256 } of listed) {
    if ((modelOnly && name !== MODEL_FILE) || (weightsOnly && name === TRAINING_FILE)) continue;
    const file = files.get(name)!;
    const found = await fileDigest(file, signal);
    if (found === sha256) continue;
    throw new SyntaxError(
      `Cannot trust ${file.path}: its SHA-256 should be ${sha256}, current value is ${found}. It was ` +
        "changed or damaged after it was written; copy the checkpoint again.",
    );
  }
}
