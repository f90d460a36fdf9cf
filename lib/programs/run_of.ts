import { join, resolve } from "node:path";
import { isThere } from "../formats/_partial_file.ts";
import { readRunConfig } from "../training/mod.ts";

/**
 * The run that a checkpoint lies in.
 *
 * @param checkpoint path of one
 * @returns RUN of `RUN/checkpoints/NAME`; null for others
 */
export function runOf(checkpoint: string): string | null {
  const run = resolve(checkpoint, "..", "..");
  if (!isThere(join(run, "config.json"))) return null;
  try {
    readRunConfig(run);
    return run;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // a config.json of another kind
    throw error;
  }
}
