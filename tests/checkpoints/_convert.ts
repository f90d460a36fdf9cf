import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CHECKPOINT_CONVERSIONS } from "../../lib/checkpoints/convert/mod.ts";
import type { ConvertOptions } from "../../lib/episodes/convert/conversion.ts";
import { openTorchCheckpoint, type TensorInput } from "../../lib/formats/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Checkpoints that PyTorch wrote. */
export const FIXTURES = new URL("../../data-fixtures/checkpoints/", import.meta.url).pathname;

/** A tensor as PyTorch read it back. */
export interface ExpectedTensor {
  readonly path: readonly (string | number)[];
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

export const EXPECTED: Readonly<
  Record<string, {
    readonly family: string;
    readonly fusion: string;
    readonly values: Readonly<Record<string, number | string>>;
    readonly tensors: readonly ExpectedTensor[];
  }>
> = JSON.parse(Deno.readTextFileSync(`${FIXTURES}/expected.json`));

/** Converts with the only row of the table that claims it. */
export async function convert(input: string, output: string, options: ConvertOptions = {}) {
  const rows = CHECKPOINT_CONVERSIONS.filter((row) => row.claims({ input, output }));
  assert.equal(rows.length, 1, `${input} to ${output}: ${rows.map(({ to }) => to)}`);
  return await rows[0]!.run({ input, output, ...options });
}

/** `.pt` → folder → `.pt`; gives the path of the last. */
export async function throughFolder(input: string, options: ConvertOptions = {}): Promise<string> {
  const parent = temporaryFolder();
  await convert(input, join(parent, "folder"), options);
  await convert(join(parent, "folder"), join(parent, "back.pt"));
  return join(parent, "back.pt");
}

export function digestOf(tensor: TensorInput): string {
  const { data } = "data" in tensor ? tensor : tensor.read();
  const { buffer, byteOffset, byteLength } = data as Uint8Array<ArrayBuffer>;
  return createHash("sha256").update(new Uint8Array(buffer, byteOffset, byteLength)).digest("hex");
}

/** All tensors of a `.pt` file by path, in the order of the file. */
export function tensorsOf(path: string): ExpectedTensor[] {
  using file = openTorchCheckpoint(path);
  return file.tensors().map(([path, tensor]) => ({
    path,
    dtype: tensor.dtype,
    shape: tensor.shape,
    sha256: digestOf(tensor),
  }));
}

/** The members of a `.pt` file, floats tagged. */
export function membersOf(path: string): Map<string, unknown> {
  using file = openTorchCheckpoint(path, { floats: "tagged" });
  return file.value as Map<string, unknown>;
}
