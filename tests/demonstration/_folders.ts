/** Demonstrations in folders of their own. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { DemonstrationOptions } from "../../lib/demonstration/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

/** Runs a test on a demonstration of two episodes that is gone afterwards. */
export async function inFolder(
  test: (options: DemonstrationOptions) => Promise<void>,
): Promise<void> {
  const root = temporaryFolder();
  await test({
    trainEpisodes: 1,
    valEpisodes: 1,
    threads: 2,
    folder: join(root, "demonstration"),
    features: join(root, "features"),
  });
}

/** SHA-256 of every file by its path. */
export function contents(folder: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(join(folder, below))) {
    const path = join(below, name);
    if (isDirectory) Object.assign(found, contents(folder, path));
    else found[path] = digest(join(folder, path));
  }
  return Object.fromEntries(Object.entries(found).sort());
}

function digest(path: string): string {
  const bytes = Deno.readFileSync(path), hash = createHash("sha256");
  if (!path.endsWith("episode.json")) return hash.update(bytes).digest("hex");
  // Its report names the recording by the absolute path that it had.
  const text = new TextDecoder().decode(bytes).replaceAll(/"where": ".*"/g, "");
  return hash.update(text).digest("hex");
}
