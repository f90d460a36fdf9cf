import { isFile } from "../../formats/_path.ts";

/** Files of a run that others look for. */
export const CONFIG = "config.json", METRICS = "metrics.jsonl", SUMMARY = "summary.json";

/** Far more than a run writes. */
const MOST_BYTES = 16e6, MOST_LEVELS = 32;
/** Larger metrics are not read to be shown. */
export const MOST_METRICS_BYTES = 256e6;

/**
 * Reads a JSON file of a run, whoever wrote it: what it holds is not nested so deep that going through
 * it could overflow the stack, and can be written again as canonical JSON.
 *
 * @throws {SyntaxError} saying what is wrong, without the name of the file
 */
export function readJsonFile(path: string): unknown {
  if (!isFile(path)) throw new SyntaxError("current value is no file");
  const { size } = Deno.statSync(path);
  if (size > MOST_BYTES) {
    throw new SyntaxError(`of at most ${MOST_BYTES / 1e6} MB, current value has ${size} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`current value is no JSON: ${error.message}`);
  }
  expectPlain(value);
  return value;
}

function expectPlain(value: unknown): void {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) {
      throw new SyntaxError(`of at most ${MOST_LEVELS} levels, current value has more`);
    }
    const next: unknown[] = [];
    for (const member of level) {
      if (member === Infinity || member === -Infinity) {
        throw new SyntaxError("of finite numbers, current value has one beyond 1.8e308");
      }
      const isList = Array.isArray(member);
      const isObject = typeof member === "object" && member !== null && !isList;
      const texts = isObject ? Object.keys(member) : typeof member === "string" ? [member] : [];
      if (!texts.every((text) => text.isWellFormed())) {
        throw new SyntaxError("of whole characters, current value has half a surrogate pair");
      }
      for (const inner of isObject ? Object.values(member) : isList ? member : []) next.push(inner);
    }
    level = next;
  }
}
