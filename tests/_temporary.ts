/** Folders for tests that are gone when the tests of a file have ended, however they end. */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

const PREFIX = "trocar-test-";
let root: string | undefined;

/** A new, empty folder. */
export function temporaryFolder(): string {
  root ??= makeRoot();
  return Deno.makeTempDirSync({ dir: root });
}

/** A folder that test files of one `deno task test` share: what one has made there, others find. */
export function sharedFolder(name: string): string {
  const path = join(Deno.env.get("TROCAR_TEST_SHARED") ?? temporaryFolder(), name);
  Deno.mkdirSync(path, { recursive: true });
  return path;
}

/** A path in a new, empty folder; nothing is there yet. */
export function temporaryPath(name: string): string {
  return join(temporaryFolder(), name);
}

/** Writes a file anew, for tests that do so often: ext4 takes longer to write over one. */
export function rewriteFile(path: string, contents: string | Uint8Array): void {
  rmSync(path, { force: true });
  if (typeof contents === "string") Deno.writeTextFileSync(path, contents);
  else Deno.writeFileSync(path, contents);
}

/** One folder for all of this process, so that one call removes them. */
function makeRoot(): string {
  const path = Deno.makeTempDirSync({ prefix: `${PREFIX}${Deno.pid}-` });
  globalThis.addEventListener("unload", () => remove(path)); // also after failed tests
  removeAbandoned(dirname(path));
  return path;
}

/** No event comes to a process that is killed: the next one removes what it left. */
function removeAbandoned(parent: string): void {
  for (const { name } of Deno.readDirSync(parent)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) remove(join(parent, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code !== "ESRCH"; // EPERM: it is somebody else's
  }
}

function remove(path: string): void {
  // Again, because a process that was killed may be ending still.
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
