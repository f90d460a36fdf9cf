/** Processes that train. */
import { createServer } from "node:net";
import type { TrainingOutcome } from "../../lib/training/mod.ts";
import type { ChildTask } from "./_train_child.ts";

const CHILD = decodeURIComponent(new URL("./_train_child.ts", import.meta.url).pathname);

/** A process that trains. */
export function startChild(
  task: ChildTask,
  { env = {}, script = CHILD, shell }: {
    readonly env?: Record<string, string>;
    readonly script?: string;
    /** Commands of the shell that becomes the process. */
    readonly shell?: string;
  } = {},
): Deno.ChildProcess {
  const deno = [Deno.execPath(), "run", "-A", "--no-check", script, JSON.stringify(task)];
  const [command, ...args] = shell === undefined
    ? deno
    : ["bash", "-c", `${shell}; exec "$@"`, "bash", ...deno];
  return new Deno.Command(command!, { args, env, stdout: "piped", stderr: "piped" }).spawn();
}

/** How a process ended: the last line of what it printed, as JSON. */
export async function outcomeOf<T = TrainingOutcome & { run: string }>(
  child: Deno.ChildProcess,
): Promise<{ readonly code: number; readonly outcome: T | null; readonly stderr: string }> {
  const { code, stdout, stderr } = await child.output();
  const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "";
  return {
    code,
    outcome: code === 0 ? JSON.parse(last) : null,
    stderr: new TextDecoder().decode(stderr),
  };
}

/** Trains in a process, which must succeed. */
export async function trainChild(task: ChildTask): Promise<TrainingOutcome & { run: string }> {
  const { code, outcome, stderr } = await outcomeOf(startChild(task));
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return outcome!;
}

/** The environment of each of several processes that train together on this machine. */
export async function clusterEnvironments(size: number): Promise<Record<string, string>[]> {
  const worker: string[] = [];
  for (let i = 0; i < size; i++) worker.push(`127.0.0.1:${await freePort()}`);
  return worker.map((_, index) => ({
    TF_CONFIG: JSON.stringify({ cluster: { worker }, task: { type: "worker", index } }),
  }));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
