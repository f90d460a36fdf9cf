import { openCheckpoint } from "../../lib/checkpoints/mod.ts";

/** Runs a script of the project as its users do, with a cache folder of its own. */
const PROJECT = decodeURIComponent(new URL("../..", import.meta.url).pathname);

/** What a script said. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a script. */
export function start(script: string, args: readonly string[], env: Record<string, string> = {}) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${PROJECT}scripts/${script}`, ...args],
    env: { NO_COLOR: "1", ...env },
    ...{ cwd: PROJECT, stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
}

/** Waits for its end. */
export async function end(child: Deno.ChildProcess): Promise<Said> {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Runs a script to its end. */
export function run(script: string, args: readonly string[], env: Record<string, string> = {}) {
  return end(start(script, args, env));
}

/** Digests of a run's final checkpoint. */
export function finalTensors(path: string) {
  using checkpoint = openCheckpoint(path, { which: "final" });
  return checkpoint.document!.files.map(({ name, sha256 }) => [name, sha256]);
}

/** Waits until a run has logged so many lines, or is over. */
export async function logged(
  metrics: string,
  lines: number,
  child: Deno.ChildProcess,
): Promise<void> {
  let isOver = false;
  child.status.then(() => isOver = true);
  const count = () => {
    try {
      return Deno.readTextFileSync(metrics).split("\n").length - 1;
    } catch {
      return 0;
    }
  };
  while (count() < lines && !isOver) await new Promise((resolve) => setTimeout(resolve, 2));
}
