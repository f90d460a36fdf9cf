import { join } from "node:path";
import process from "node:process";

const PARTIAL = /^\..*\.partial-(\d+)-/;

/** Removes what processes that no longer run on this machine had begun to write. */
export function removeDeadPartials(folder: string): void {
  for (const inner of [".", "shards", "index", "images", "quarantine"]) {
    const place = join(folder, inner);
    for (const name of namesIn(place)) {
      const pid = PARTIAL.exec(name)?.[1];
      if (pid === undefined || isRunning(Number(pid))) continue;
      try {
        Deno.removeSync(join(place, name));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH";
  }
}
