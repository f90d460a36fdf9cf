import { join } from "node:path";
import { openCheckpoint, type PointerName, pointerPath } from "../checkpoints/mod.ts";
import { isThere } from "../formats/_partial_file.ts";

/**
 * The checkpoint of a run that its policy is judged by and used with.
 *
 * A finished run's final one: the learning rate has come down to its end there, and the weights are the
 * result, while "best" is the luckiest of noisy validations. A run that stopped early ended because it
 * got worse: there it is the best. Of a run that is not finished it is the best so far, else the latest.
 *
 * @param run its folder
 * @returns which pointer; `"latest"` where there is none
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { usualCheckpoint } from "./mod.ts";
 *
 * const run = Deno.makeTempDirSync();
 * assert.equal(usualCheckpoint(run), "latest");
 * Deno.writeTextFileSync(`${run}/best.json`, "");
 * assert.equal(usualCheckpoint(run), "best");
 * ```
 */
export function usualCheckpoint(run: string): PointerName {
  const has = (name: PointerName) => isThere(pointerPath(run, name));
  if (has("final") && !(has("best") && stoppedEarly(run))) return "final";
  return has("best") ? "best" : "latest";
}

/** Whether the run says so, or, before its summary is written, its final checkpoint has fewer epochs. */
function stoppedEarly(run: string): boolean {
  const summary = membersOf(join(run, "summary.json"));
  if (typeof summary.stopped === "string") return summary.stopped === "early";
  const { settings } = membersOf(join(run, "config.json")) as { settings?: unknown };
  const epochs = (settings as { training?: { epochs?: unknown } } | undefined)?.training?.epochs;
  if (typeof epochs !== "number") return false;
  using checkpoint = openCheckpoint(run, { which: "final" });
  return checkpoint.epoch !== null && checkpoint.epoch < epochs;
}

/** Members of a JSON file; none where it is not there, or cannot be understood. */
function membersOf(path: string): Readonly<Record<string, unknown>> {
  if (!isThere(path)) return {};
  try {
    return JSON.parse(Deno.readTextFileSync(path)) ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
