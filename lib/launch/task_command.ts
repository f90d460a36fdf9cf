/** What a `deno task` of this project runs. */
import { fileURLToPath } from "node:url";
import { nearest, UsageError } from "../cli/mod.ts";

/** The project's folder. */
export const PROJECT: string = fileURLToPath(new URL("../..", import.meta.url));

const WATCH = fileURLToPath(new URL("./_watch_launcher.ts", import.meta.url));

/**
 * The program of a task and its arguments, so that no task runner stands between it and its signals.
 * It ends when its standard input does.
 *
 * @param task Such as `train:stage1`.
 * @param args What follows it.
 * @returns Arguments of Deno.
 * @throws {UsageError} If there is no such task, or it is no single program.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { taskCommand } from "./task_command.ts";
 *
 * const command = taskCommand("cache:stats", ["--json"]);
 * assert.equal(command[0], "run");
 * assert.equal(command.at(-1), "--json");
 * assert.throws(() => taskCommand("cache:stat", []), /did you mean "cache:stats"/);
 * ```
 */
export function taskCommand(task: string, args: readonly string[]): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)) as {
    tasks: Readonly<Record<string, { readonly command: string }>>;
  };
  const known = Object.entries(tasks).filter(([name, { command }]) =>
    name !== "launch" && /^deno run [\w\s./:=-]+$/.test(command)
  ).map(([name]) => name);
  if (!known.includes(task)) {
    const meant = nearest(task, known);
    throw new UsageError(
      `Cannot launch "${task}": it should be a task of this project, such as ${known[0]}` +
        (meant === undefined ? "." : `; did you mean "${meant}"?`),
    );
  }
  const [, , ...words] = tasks[task]!.command.split(/\s+/);
  return ["run", `--preload=${WATCH}`, ...words, ...args];
}
