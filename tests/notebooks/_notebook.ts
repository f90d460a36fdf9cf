import { join } from "node:path";
import { findTensorFlow } from "../../lib/engine/install/mod.ts";
import type { Notebook, NotebookOutput } from "../../lib/notebooks/mod.ts";
import { sharedFolder, temporaryFolder } from "../_temporary.ts";

/** A notebook of cells with code; cells that begin with # are text. */
export function notebookOf(...sources: readonly string[]): Notebook {
  const cells = sources.map((source) =>
    source.startsWith("#")
      ? { cell_type: "markdown", metadata: {}, source }
      : { cell_type: "code", execution_count: null, metadata: {}, outputs: [], source }
  );
  return { cells, metadata: {}, nbformat: 4, nbformat_minor: 5 };
}

/** Writes notebooks by name into a new folder. */
export function folderOf(notebooks: Readonly<Record<string, Notebook | string>>): string {
  const folder = temporaryFolder();
  for (const [name, notebook] of Object.entries(notebooks)) {
    const text = typeof notebook === "string" ? notebook : JSON.stringify(notebook);
    Deno.writeTextFileSync(join(folder, `${name}.ipynb`), text);
  }
  return folder;
}

/** What an output says, whatever its kind. */
export function said({ data, text, evalue }: NotebookOutput): string {
  const plain = (data as Record<string, string[]> | undefined)?.["text/plain"];
  return [plain ?? text ?? evalue].flat().join("");
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Waits until a process is gone: machines may be slow. */
export async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 600 && isAlive(pid); i++) await new Promise((end) => setTimeout(end, 50));
  return !isAlive(pid);
}

/** Variables for notebooks whose cache is a folder of the tests, but not the engine in it. */
export async function testCache(): Promise<Record<string, string>> {
  const found = await findTensorFlow();
  return {
    TROCAR_CACHE: sharedFolder("notebooks"),
    ...(found === undefined ? {} : { TROCAR_TENSORFLOW: found.folder }),
  };
}
