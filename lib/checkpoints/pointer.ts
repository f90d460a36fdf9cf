import { isAbsolute, join, relative, resolve } from "node:path";
import { writeFileAtomic } from "../formats/atomic_write.ts";
import { isFile, isThere } from "../formats/_path.ts";
import { isMembers } from "./_config.ts";

/** Which checkpoint of a run. */
export type PointerName = "latest" | "best" | "final";

/** All pointers. */
export const POINTER_NAMES: readonly PointerName[] = ["latest", "best", "final"];

const POINTER_FORMAT = "trocar-pointer";
/** A pointer is one short line. */
const MAX_BYTES = 1 << 16;

/**
 * The file in a run's folder that names one of its checkpoints.
 *
 * @param run folder of the run
 * @param name which checkpoint
 * @returns its path, e.g. `RUN/latest.json`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { pointerPath } from "./mod.ts";
 *
 * assert.equal(pointerPath("runs/a", "best"), "runs/a/best.json");
 * ```
 */
export function pointerPath(run: string, name: PointerName): string {
  return join(run, `${name}.json`);
}

/**
 * Lets a run's pointer name a checkpoint; the pointer is changed as a whole or not at all.
 *
 * @param run folder of the run
 * @param name which pointer
 * @param checkpoint a checkpoint within that folder, which must be there
 * @throws {RangeError} when it is not within the folder, or not there
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readPointer, writePointer } from "./mod.ts";
 *
 * const run = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${run}/epoch-0003`);
 * writePointer(run, "latest", `${run}/epoch-0003`);
 * assert.equal(readPointer(run, "latest"), `${run}/epoch-0003`);
 * ```
 */
export function writePointer(run: string, name: PointerName, checkpoint: string): void {
  const target = relative(resolve(run), resolve(run, checkpoint)).replaceAll("\\", "/");
  const path = pointerPath(run, name);
  if (!isWithin(target) || !isThere(join(run, target))) {
    throw new RangeError(
      `Cannot write ${path}: it should name a checkpoint that is in ${run}, current value is ` +
        `${checkpoint}. Write the checkpoint first.`,
    );
  }
  writeFileAtomic(path, `${JSON.stringify({ format: POINTER_FORMAT, checkpoint: target })}\n`);
}

/**
 * The checkpoint that a run's pointer names.
 *
 * @param run folder of the run
 * @param name which pointer
 * @returns the checkpoint's path
 * @throws {Deno.errors.NotFound} when there is no such pointer, or no such checkpoint
 * @throws {SyntaxError} when the pointer is damaged, or leads out of the folder
 */
export function readPointer(run: string, name: PointerName): string {
  const path = pointerPath(run, name);
  if (!isFile(path)) {
    const others = POINTER_NAMES.filter((other) => isFile(pointerPath(run, other)));
    throw new Deno.errors.NotFound(
      `Cannot find the ${name} checkpoint of ${run}: ${path} should be there, current value is ` +
        `${others.length === 0 ? "no pointer" : `only ${others.join(", ")}`}.`,
    );
  }
  return followPointer(path);
}

/** Whether a file is a pointer, by its beginning. */
export function isPointerFile(path: string): boolean {
  if (!path.endsWith(".json") || !isFile(path) || Deno.statSync(path).size > MAX_BYTES) {
    return false;
  }
  return Deno.readTextFileSync(path).includes(`"${POINTER_FORMAT}"`);
}

/** The checkpoint that a pointer's file names. */
export function followPointer(path: string): string {
  const refuse = (found: string): never => {
    throw new SyntaxError(
      `Cannot read pointer ${path}: it should name a folder beside it, current value is ${found}. ` +
        "Name the checkpoint itself, or write the pointer again.",
    );
  };
  const { size } = Deno.statSync(path);
  if (size > MAX_BYTES) refuse(`a file of ${size} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse("no JSON");
  }
  const target = isMembers(value) && value.format === POINTER_FORMAT ? value.checkpoint : undefined;
  if (typeof target !== "string" || !isWithin(target)) {
    return refuse(JSON.stringify(target) ?? "another file");
  }
  const checkpoint = join(path, "..", target);
  if (isThere(checkpoint)) return checkpoint;
  throw new Deno.errors.NotFound(
    `Cannot open the checkpoint that ${path} names: ${checkpoint} should be there, current value ` +
      "is nothing. It was moved or deleted: name another checkpoint.",
  );
}

/** Whether a relative path stays below its folder. */
function isWithin(target: string): boolean {
  return target !== "" && !isAbsolute(target) && !target.includes("\0") && !target.includes("\\") &&
    !/^[A-Za-z]:/.test(target) && !target.split("/").some((part) => part === ".." || part === ".");
}
