import { join } from "node:path";
import type { JsonValue } from "../../features/canonical_json.ts";
import { openRandomAccess } from "../../formats/random_access_file.ts";
import { openSafetensors } from "../../formats/safetensors.ts";
import type { StoredTensor, TensorInput } from "../../formats/tensor_types.ts";
import { isMembers } from "../_config.ts";
import { fileDigest } from "../_file_digest.ts";
import type { CheckpointContents } from "../document.ts";
import { openCheckpoint } from "../open.ts";
import {
  policyTensors,
  type PortableCheckpoint,
  type ReadOptions,
  splitTensors,
} from "./_portable.ts";

/** File of a folder that holds tensors of other models, and what an optimiser keeps for them. */
export const OTHER_FILE = "other.safetensors";
/** Member of `extra` that describes it. */
export const OTHER_MEMBER = "otherTensors";
/** Metadata of a safetensors file: all that a `checkpoint.json` says, but for files and digests. */
export const CONTENTS = "contents";

/** `extra.otherTensors` of a `checkpoint.json`. */
export interface OtherTensors {
  readonly file: typeof OTHER_FILE;
  readonly bytes: number;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** Keys of the tensors, in the order of the file that they come from. */
  readonly keys: readonly string[];
}

/** Reads a folder of ours, or that of a run. */
export async function readFolder(path: string, options: ReadOptions): Promise<PortableCheckpoint> {
  const source = openCheckpoint(path, { which: options.which ?? "latest" });
  let other: OpenOther | undefined;
  const close = () => {
    source.close();
    other?.close();
  };
  try {
    await source.verify({
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      modelOnly: options.weightsOnly ?? false,
    });
    const { config, extra, ...document } = source.document!;
    const { [OTHER_MEMBER]: described, ...rest } = extra;
    if (described !== undefined) other = await openOther(source.path, described, options);
    const remarks: string[] = [];
    const training = options.weightsOnly ? new Map() : new Map<string, TensorInput>([
      ...source.training() ?? [],
      ...other?.training ?? [],
    ]);
    const made = contentsOf(document as unknown as CheckpointContents);
    const weights = options.weightsOnly ? { optimizer: null, schedule: null } : {};
    if (options.weightsOnly && source.training() !== null) {
      remarks.push(
        `${source.path}: the state of the optimiser is left out, as --weights-only says.`,
      );
    }
    return {
      contents: { ...made, ...weights, config, extra: rest },
      tensors: policyTensors(source, config),
      others: other?.tensors ?? new Map(),
      training,
      remarks,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Reads a safetensors file. */
export function readTensorFile(path: string, options: ReadOptions): PortableCheckpoint {
  const source = openCheckpoint(path);
  try {
    const file = openSafetensors(path);
    try {
      const close = () => {
        source.close();
        file.close();
      };
      const entries = file.names.map((name) => [name, file.tensor(name)] as const);
      const { config, ...split } = splitTensors(source, entries, options);
      return {
        ...split,
        contents: { ...metadataOf(path, file.metadata), config },
        training: new Map(),
        [Symbol.dispose]: close,
      };
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    source.close();
    throw error;
  }
}

interface OpenOther extends Disposable {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly training: ReadonlyMap<string, StoredTensor>;
  close(): void;
}

async function openOther(
  folder: string,
  described: JsonValue,
  { signal }: ReadOptions,
): Promise<OpenOther> {
  const path = join(folder, OTHER_FILE);
  const file = openRandomAccess(path);
  try {
    const { bytes, sha256, keys } = otherTensors(folder, described);
    const found = file.bytes === bytes ? await fileDigest(file, signal) : `${file.bytes} bytes`;
    if (found !== sha256) {
      throw new SyntaxError(
        `Cannot trust ${path}: it should hold ${bytes} bytes of the SHA-256 ${sha256}, current ` +
          `value is ${found}. Copy the checkpoint again.`,
      );
    }
    const reader = openSafetensors(file);
    const isKey = new Set(keys);
    const rest = reader.names.filter((name) => !isKey.has(name));
    const named = (names: readonly string[]) =>
      new Map(names.map((name) => [name, reader.tensor(name)] as const));
    const close = () => reader.close();
    return { tensors: named(keys), training: named(rest), close, [Symbol.dispose]: close };
  } catch (error) {
    file.close();
    throw error;
  }
}

function otherTensors(folder: string, value: JsonValue): OtherTensors {
  const { bytes, sha256, keys } = isMembers(value) ? value : {};
  const isRight = typeof bytes === "number" && typeof sha256 === "string" && Array.isArray(keys) &&
    keys.every((key) => typeof key === "string");
  if (isRight) return { file: OTHER_FILE, bytes, sha256, keys };
  throw new SyntaxError(
    `Cannot read ${folder}: extra.${OTHER_MEMBER} should have bytes, sha256 and keys, current value ` +
      `is ${JSON.stringify(value).slice(0, 100)}.`,
  );
}

/** What a safetensors file says beside its tensors; texts of other programs are kept. */
function metadataOf(
  path: string,
  { format: _format, config: _config, [CONTENTS]: contents, ...rest }: Readonly<
    Record<string, string>
  >,
): Partial<CheckpointContents> {
  const kept = Object.keys(rest).length === 0 ? {} : { metadata: rest };
  if (contents === undefined) return { extra: kept };
  let value: unknown;
  try {
    value = JSON.parse(contents);
  } catch (error) {
    throw new SyntaxError(`Cannot read the metadata of ${path}: ${(error as Error).message}`);
  }
  const made = contentsOf(value as CheckpointContents);
  return { ...made, extra: { ...made.extra, ...kept } };
}

/** The members of `checkpoint.json` that are taken over. */
export function contentsOf(value: CheckpointContents): Partial<CheckpointContents> {
  const { program, trainingStage, epoch, globalStep, consumedSamples, losses } = value;
  const { actionRepresentation, statisticsDigest, splitDigest, features } = value;
  const { optimizer, schedule, sampler, random, extra } = value;
  const members = {
    ...{ program, trainingStage, epoch, globalStep, consumedSamples, losses },
    ...{ actionRepresentation, statisticsDigest, splitDigest, features },
    ...{ optimizer, schedule, sampler, random, extra },
  };
  return Object.fromEntries(
    Object.entries(members).filter(([, member]) => member !== undefined),
  );
}
