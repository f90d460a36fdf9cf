import { join } from "node:path";
import { openSafetensors } from "../../lib/formats/safetensors.ts";
import { writeSafetensors } from "../../lib/formats/safetensors_writer.ts";
import type { TensorInput } from "../../lib/formats/tensor_types.ts";
import { temporaryFolder } from "../_temporary.ts";

export const FIXTURES = new URL("../../data-fixtures/vision_language/", import.meta.url).pathname;

/** A copy of a folder of files, to be damaged. */
export function copyOf(name: string): string {
  const folder = temporaryFolder();
  for (const { name: file, isFile } of Deno.readDirSync(join(FIXTURES, name))) {
    if (isFile) Deno.copyFileSync(join(FIXTURES, name, file), join(folder, file));
  }
  return folder;
}

/** Writes a file of tensors again with some changed. */
export function changeTensors(path: string, change: (tensors: Map<string, TensorInput>) => void) {
  using file = openSafetensors(path);
  const tensors = new Map<string, TensorInput>(
    file.names.map((name) => [name, file.read(name) as TensorInput]),
  );
  change(tensors);
  writeSafetensors(path, tensors, { format: "pt" });
}
