import { join, relative, resolve } from "node:path";
import { discoverRecordings, type FoundRecording } from "../discover.ts";
import { convertEach } from "./_output.ts";
import type { ConversionResult, ConvertOptions } from "./conversion.ts";

/** Converts one recording; its files go into `folder`. */
type ConvertRecording = (
  found: FoundRecording,
  folder: string,
  options: ConvertOptions,
) => ConversionResult | Promise<ConversionResult>;

/**
 * Converts each recording below INPUT; its files go to the place below OUTPUT that it has below INPUT.
 * Logs of mecademicpy, which are files without images and sensor, are skipped with a remark.
 */
export async function convertRecordings(
  input: string,
  output: string,
  options: ConvertOptions,
  convert: ConvertRecording,
): Promise<ConversionResult> {
  const { recordings, empty } = discoverRecordings([input]);
  if (empty.length > 0) throw new SyntaxError(empty[0]!.error);
  const { true: logs = [], false: folders = [] } = Object.groupBy(
    recordings,
    ({ layout }) => `${layout.name === "meca500-log"}` as const,
  );
  const result = await convertEach(
    folders,
    ({ path }) => path,
    (found) => convert(found, join(output, relative(resolve(input), found.path)), options),
    options.signal,
  );
  const skipped = logs.map(({ path }) =>
    `Skipped ${path}: a log of mecademicpy, with neither images nor sensor rows.`
  );
  return { ...result, remarks: [...result.remarks, ...skipped] };
}
