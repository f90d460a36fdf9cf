/** Copies of the recorded model that tests change. */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { openSafetensors, type TensorInput, writeSafetensors } from "../../lib/formats/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** The recordings. */
export const FIXTURES = fileURLToPath(
  new URL("../../data-fixtures/vision_language", import.meta.url),
);
/** The recorded model. */
export const MODEL = join(FIXTURES, "model");

/** A copy of the model's folder. */
export function copyModel(): string {
  const folder = temporaryFolder();
  for (const { name } of Deno.readDirSync(MODEL)) {
    Deno.copyFileSync(join(MODEL, name), join(folder, name));
  }
  return folder;
}

/** A copy with all tensors in one file, after a change of their names, shapes or number. */
export function copySingle(
  change: (tensors: Map<string, TensorInput>) => void = () => {},
): string {
  const folder = copyModel(), tensors = new Map<string, TensorInput>();
  const shards = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith(".safetensors"));
  for (const shard of shards) {
    using file = openSafetensors(join(folder, shard));
    for (const name of file.names) tensors.set(name, file.read(name) as TensorInput);
    Deno.removeSync(join(folder, shard));
  }
  Deno.removeSync(join(folder, "model.safetensors.index.json"));
  change(tensors);
  writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
  return folder;
}

/** Changes a JSON file of a folder. */
export function editJson(
  folder: string,
  name: string,
  edit: (value: Record<string, unknown>) => unknown,
): void {
  const path = join(folder, name);
  const value = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify(edit(value) ?? value));
}
