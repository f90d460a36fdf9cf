/** Starts the child processes in which trocar is measured. */
import type { Engine } from "../engine/mod.ts";
import { BenchProcess } from "./_process.ts";

/**
 * Starts a child with the engine of this process. Each has a memory of its own, whose peak it tells.
 *
 * @param engine the engine, as started here; the child takes its name and threads
 * @returns the child; the caller disposes of it
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../engine/mod.ts";
 * import { startWorker } from "./worker.ts";
 *
 * await using worker = startWorker(await startEngine({ engine: "wasm", quiet: true }));
 * const { id } = await worker.prepare({ subject: "dispatch", ops: "add" });
 * assert((await worker.measure(id, { runs: 3, milliseconds: 60_000 })).length === 3);
 * ```
 */
export function startWorker({ name, threads }: Engine): BenchProcess {
  const worker = new URL(import.meta.resolve("./_worker.ts")).href;
  return new BenchProcess({
    command: [Deno.execPath(), "run", "--quiet", "--allow-all", worker, name, String(threads)],
    name: `the engine ${name}`,
    remedy: "If memory is short, use a smaller --preset or --batch.",
  });
}

/**
 * Starts a child without an engine, for reading and writing files.
 *
 * @returns the child; the caller disposes of it
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startFileWorker } from "./worker.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/robot.csv`;
 * Deno.writeTextFileSync(path, "time,pose_x\n0.00,190.5\n");
 * await using worker = startFileWorker();
 * const { facts } = await worker.prepare({ subject: "csv", path });
 * assert.equal(facts.rows, 1);
 * ```
 */
export function startFileWorker(): BenchProcess {
  const worker = new URL(import.meta.resolve("./_file_worker.ts")).href;
  return new BenchProcess({
    command: [Deno.execPath(), "run", "--quiet", "--allow-all", worker],
    name: "trocar",
    remedy: "If memory is short, use a smaller --preset.",
  });
}
