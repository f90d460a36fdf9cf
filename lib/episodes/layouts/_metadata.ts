import type { OffsetStream } from "../recording.ts";

/** What the recorder wrote beside the data. */
export interface Metadata {
  /** `instruction` of metadata.json. */
  readonly instruction?: string;
  /** Measured clock offsets, stream minus robot, in seconds. */
  readonly clockOffsets: Partial<Record<OffsetStream, number>>;
}

/** Reads `metadata.json` and `clock_offsets.json` of a recording, where they are. */
export function readMetadata(folder: string): Metadata {
  const metadata = readObject(`${folder}/metadata.json`);
  const file = `${folder}/clock_offsets.json`;
  const separate = readObject(file);
  const clockOffsets = offsets(
    metadata?.clock_offsets,
    `${folder}/metadata.json at clock_offsets`,
  );
  Object.assign(clockOffsets, offsets(separate, file));
  const instruction = metadata?.instruction;
  return typeof instruction === "string" ? { instruction, clockOffsets } : { clockOffsets };
}

function offsets(value: unknown, where: string): Partial<Record<OffsetStream, number>> {
  const found: Partial<Record<OffsetStream, number>> = {};
  if (value === undefined || value === null) return found;
  for (const stream of ["camera", "sensor"] as const) {
    const seconds = (value as Record<string, unknown>)[stream];
    if (seconds === undefined || seconds === null) continue;
    if (typeof seconds !== "number" || !Number.isFinite(seconds)) {
      throw new SyntaxError(
        `Cannot read ${where}: the offset of ${stream} should be a number of seconds, ` +
          `current value is ${JSON.stringify(seconds)}.`,
      );
    }
    found[stream] = seconds;
  }
  return found;
}

function readObject(path: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(
      `Cannot read ${path}: it should be JSON, current value: ${(error as Error).message}.`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError(
      `Cannot read ${path}: it should hold an object, current value is ${text.slice(0, 40)}.`,
    );
  }
  return value as Record<string, unknown>;
}
