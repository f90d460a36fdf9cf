import { isAbsolute, join, relative, resolve } from "node:path";
import { recoverFolder, writeFileAtomic } from "../formats/atomic_write.ts";
import { isFile, isThere } from "../formats/_path.ts";
import { isMembers } from "./_config.ts";
import { DOCUMENT_FILE } from "./document.ts";

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
 * @param checkpoint a checkpoint within that folder, which must be there: its path from the run's
 * folder, its absolute path, or its path from the current folder
 * @throws {RangeError} when it is not within the folder, or not there
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { relative } from "node:path";
 * import { readPointer, writePointer } from "./mod.ts";
 *
 * const run = Deno.makeTempDirSync();
 * Deno.mkdirSync(`${run}/epoch-0003`);
 * Deno.writeTextFileSync(`${run}/epoch-0003/checkpoint.json`, "{}");
 * writePointer(run, "latest", "epoch-0003");
 * writePointer(run, "best", `${run}/epoch-0003`);
 * writePointer(run, "final", relative(Deno.cwd(), `${run}/epoch-0003`));
 * for (const name of ["latest", "best", "final"] as const) {
 *   assert.equal(readPointer(run, name), `${run}/epoch-0003`);
 * }
 * ```
 */
export function writePointer(run: string, name: PointerName, checkpoint: string): void {
  const path = pointerPath(run, name);
  const target = [resolve(run, checkpoint), resolve(checkpoint)]
    .map((place) => relative(resolve(run), place).replaceAll("\\", "/"))
    .find((place) => isWithin(place) && isThere(join(run, place)));
  if (target === undefined) {
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
 * @throws {SyntaxError} when the pointer is damaged, names no checkpoint, or leads out of the folder
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
      `Cannot read pointer ${path}: it should name a checkpoint's folder beside it, current value is ` +
        `${found}. Name the checkpoint itself, or write the pointer again.`,
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
  const run = join(path, ".."), checkpoint = join(run, target);
  recoverFolder(checkpoint);
  if (isThere(checkpoint)) {
    if (!isFile(join(checkpoint, DOCUMENT_FILE))) refuse(`${target}, without ${DOCUMENT_FILE}`);
    const inside = relative(Deno.realPathSync(run), Deno.realPathSync(checkpoint));
    if (isWithin(inside.replaceAll("\\", "/"))) return checkpoint;
    refuse(`${target}, a link that leads out of the folder`);
  }
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
