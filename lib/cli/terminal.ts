/** A stream that text can be written to. */
export interface Terminal {
  /** Writes bytes, and says how many. */
  writeSync(bytes: Uint8Array): number;
  /** Whether a person watches. */
  isTerminal(): boolean;
}

/** Colours of {@linkcode colour}, as SGR codes. */
/** SGR codes by name. */
export const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/**
 * Colours a text if the stream is a terminal that shows colours; `NO_COLOR` (no-color.org) and
 * `TERM=dumb` are honoured.
 *
 * @param name which colour
 * @param text what to colour
 * @param stream where it will be written; default standard error
 * @returns the text, with or without codes around it
 *
 * @example
 * ```ts
 * import { colour } from "./mod.ts";
 * console.error(colour("yellow", "careful"));
 * ```
 */
export function colour(
  name: keyof typeof CODES,
  text: string,
  stream: Terminal = Deno.stderr,
): string {
  const plain = (Deno.env.get("NO_COLOR") ?? "") !== "" || Deno.env.get("TERM") === "dumb" ||
    !stream.isTerminal();
  return plain ? text : `\x1b[${CODES[name]}m${text}\x1b[0m`;
}

/**
 * Writes all of a text; a reader that has gone away is no error.
 *
 * @param stream where to
 * @param text what
 *
 * @example
 * ```ts
 * import { writeText } from "./mod.ts";
 * writeText(Deno.stderr, "done\n");
 * ```
 */
export function writeText(stream: Terminal, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) {
    try {
      done += stream.writeSync(bytes.subarray(done));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      if (error instanceof Deno.errors.WouldBlock) continue;
      throw error;
    }
  }
}
