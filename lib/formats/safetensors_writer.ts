import { Buffer } from "node:buffer";
import { writeAll } from "./_partial_file.ts";
import { CODES, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA } from "./_safetensors_header.ts";
import { checkInput, inputBytes } from "./_tensor_dtype.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import type { TensorInput } from "./tensor_types.ts";

interface Planned {
  readonly name: string;
  readonly input: TensorInput;
  /** Place of its dtype in the order of the data. */
  readonly rank: number;
  readonly code: string;
  readonly bytes: number;
}

/**
 * Writes a safetensors file, byte for byte as Hugging Face's own library does: wide dtypes first,
 * then by name, and a header that keeps the data aligned to 8 bytes. The file is there as a whole or
 * not at all.
 *
 * Tensors that lie in other files are read one at a time, so that all of them need not fit into
 * memory.
 *
 * @param path of the file; its folder must exist
 * @param tensors by name
 * @param metadata texts by key, written in this order
 * @throws {TypeError} when dtype, shape and data of a tensor do not belong together, or metadata are
 * not texts; nothing is written then
 * @throws {RangeError} when a name cannot be one
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { narrowToBfloat16, openSafetensors, writeSafetensors } from "./mod.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * const data = narrowToBfloat16(new Float32Array([0.5, -2]));
 * writeSafetensors(`${folder}/a.safetensors`, { scale: { dtype: "bfloat16", shape: [2], data } });
 * using a = openSafetensors(`${folder}/a.safetensors`);
 * writeSafetensors(`${folder}/b.safetensors`, { renamed: a.tensor("scale") });
 * using b = openSafetensors(`${folder}/b.safetensors`);
 * assert.deepEqual(b.read("renamed").data, data);
 * ```
 */
export function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, TensorInput>> | ReadonlyMap<string, TensorInput>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const named = tensors instanceof Map ? [...tensors] : Object.entries(tensors);
  const plan = named.map(([name, input]) => planned(path, name, input));
  plan.sort((a, b) => a.rank - b.rank || compareUtf8(a.name, b.name));
  const header = encodeHeader(path, plan, metadata);
  writeFileAtomic(path, (file) => {
    writeAll(file, header);
    for (const { name, input } of plan) {
      writeAll(file, inputBytes(path, JSON.stringify(name), input));
    }
  });
}

function planned(path: string, name: string, input: TensorInput): Planned {
  if (name === METADATA || !name.isWellFormed()) {
    throw new RangeError(
      `Cannot write ${path}: the name of a tensor should be valid Unicode and not ${METADATA}, ` +
        `current value is ${JSON.stringify(name)}.`,
    );
  }
  const { layout, bytes } = checkInput(path, JSON.stringify(name), input);
  const rank = Object.values(CODES).findIndex((dtype) => dtype === layout.name);
  const code = Object.keys(CODES)[rank];
  if (code === undefined) {
    throw new TypeError(
      `Cannot write ${path}: ${JSON.stringify(name)} should have a dtype of the format, current ` +
        `value is ${layout.name}. Convert it first.`,
    );
  }
  return { name, input, rank, code, bytes };
}

function encodeHeader(
  path: string,
  plan: readonly Planned[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const parts: string[] = [];
  const texts = Object.entries(metadata);
  const wrong = texts.find(([key, text]) =>
    typeof text !== "string" || !`${key}\n${text}`.isWellFormed()
  );
  if (wrong !== undefined) {
    throw new TypeError(
      `Cannot write ${path}: metadata should be texts of valid Unicode, current value is ` +
        `${JSON.stringify(wrong[0])}: ${typeof wrong[1]}.`,
    );
  }
  if (texts.length > 0) {
    const pairs = texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    parts.push(`"${METADATA}":{${pairs.join(",")}}`);
  }
  let at = 0;
  for (const { name, code, input, bytes } of plan) {
    const offsets = [at, at += bytes];
    const entry = { dtype: code, shape: input.shape, data_offsets: offsets };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  }
  const json = new TextEncoder().encode(`{${parts.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) {
    throw new RangeError(
      `Cannot write ${path}: the header should hold at most ${MAX_HEADER_BYTES} bytes, current ` +
        `value is ${length}.`,
    );
  }
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, LENGTH_BYTES);
  return header;
}

/** The order of the reference implementation: by the bytes of UTF-8. */
function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
