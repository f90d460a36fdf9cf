import { plural } from "../_plural.ts";
import type { Finding } from "../recording.ts";

/** Takes down what a check found. */
export type Report = (
  severity: Finding["severity"],
  code: string,
  where: string,
  message: string,
) => void;

/** How thoroughly a tree is looked at. */
export interface CheckOptions {
  /** Leave out what reads whole files: checksums and the bytes of images. */
  readonly quick: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Errors of the data and of the disk are findings; anything else is ours. */
export function isDataError(error: unknown): error is Error {
  if (error instanceof RangeError || error instanceof TypeError) {
    return error.message.includes("current value"); // as all errors that we word
  }
  return error instanceof SyntaxError || error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotADirectory ||
    typeof (error as { code?: unknown }).code === "string";
}

/** Counts violations of one rule, and keeps the first. */
export class Violations {
  #count = 0;
  #first: string | undefined;

  add(describe: () => string): void {
    this.#first ??= describe();
    this.#count++;
  }

  /** Reports them, if there are any. */
  report(report: Report, code: string, where: string, rule: string, advice: string): void {
    if (this.#first === undefined) return;
    const places = plural(this.#count, "place");
    report(
      "error",
      code,
      where,
      `${rule}; violated in ${places}; the first: ${this.#first}. ${advice}`,
    );
  }
}

/** `is` of one, `are` of several. */
export function areOf(count: number): string {
  return count === 1 ? "is" : "are";
}

/** A few names, and how many more there are. */
export function listed(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return names.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Names in a folder; none if there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}
