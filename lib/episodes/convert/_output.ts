import { dirname } from "node:path";
import { isThere } from "../../formats/_path.ts";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import type { ConversionResult, ConvertedFile } from "./conversion.ts";

/** Makes the folder of an output and refuses to replace what is there unless told to. */
export function prepareOutput(path: string, overwrite: boolean | undefined): void {
  if (overwrite !== true && isThere(path)) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write ${path}: it is there already. Give --overwrite to replace it, or another OUTPUT.`,
    );
  }
  Deno.mkdirSync(dirname(path), { recursive: true });
}

/** The entry of a file that was written. */
export function written(path: string, tensors: number): ConvertedFile {
  return { path, tensors, bytes: Deno.statSync(path).size };
}

/** The result of a conversion of one file. */
export function single(file: ConvertedFile, remarks: readonly string[] = []): ConversionResult {
  return { files: [file], kept: [], failed: [], remarks };
}

/** Results of several conversions as one. */
export function combined(results: readonly ConversionResult[]): ConversionResult {
  return {
    files: results.flatMap(({ files }) => files),
    kept: results.flatMap(({ kept }) => kept),
    failed: results.flatMap(({ failed }) => failed),
    remarks: results.flatMap(({ remarks }) => remarks),
  };
}

/**
 * Converts each of several things; what fails is reported and the others go on.
 *
 * @param items what to convert, with the path that a failure is reported for
 */
export async function convertEach<T>(
  items: readonly T[],
  pathOf: (item: T) => string,
  convert: (item: T) => ConversionResult | Promise<ConversionResult>,
  signal?: AbortSignal,
): Promise<ConversionResult> {
  const results: ConversionResult[] = [];
  for (const item of items) {
    signal?.throwIfAborted();
    try {
      results.push(await convert(item));
    } catch (error) {
      if (signal?.aborted || !isOfTheData(error)) throw error;
      const failure = { path: pathOf(item), error: (error as Error).message };
      results.push({ files: [], kept: [], failed: [failure], remarks: [] });
    }
  }
  return combined(results);
}

/** Errors of files and of the disk; anything else is ours. */
function isOfTheData(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof RangeError ||
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.AlreadyExists ||
    error instanceof Deno.errors.PermissionDenied ||
    (error as { code?: string }).code !== undefined;
}

/** Writes a JSON document atomically. */
export function writeJson(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 1)}\n`);
}
