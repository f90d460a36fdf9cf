import { join } from "node:path";
import { isFile } from "../formats/_path.ts";

/**
 * The path of a file that a model's folder must hold.
 *
 * @throws {Deno.errors.NotFound} when it is not there
 */
export function modelFile(folder: string, name: string): string {
  const path = join(folder, name);
  if (isFile(path)) return path;
  throw new Deno.errors.NotFound(
    `Cannot open the model ${folder}: it should hold ${name}, current value is no such file. ` +
      "Download the model again.",
  );
}
