/** What a `deno task` of this project runs. */
import { fileURLToPath } from "node:url";
import { nearest, UsageError } from "../cli/mod.ts";

/** The project's folder. */
export const PROJECT: string = fileURLToPath(new URL("../..", import.meta.url));

const WATCH = fileURLToPath(new URL("./_watch_launcher.ts", import.meta.url));

/** Whether several processes of a task divide its work; those of the others would all do all of it. */
function isShared(task: string): boolean {
  return task.startsWith("train:") || task === "cache:build" || task === "preprocess";
}

/** The commands of tasks that are a single program. */
function commands(): Map<string, string> {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${PROJECT}/deno.json`)) as {
    tasks: Readonly<Record<string, { readonly command: string }>>;
  };
  return new Map(
    Object.entries(tasks).map(([name, { command }]) => [name, command] as const)
      .filter(([, command]) => /^deno run [\w\s./:=-]+$/.test(command)),
  );
}

/**
 * The program of a task and its arguments, so that no task runner stands between it and its signals.
 * It ends when its standard input does.
 *
 * @param task Such as `train:stage1`.
 * @param args What follows it.
 * @returns Arguments of Deno.
 * @throws {UsageError} If there is no such task, or several processes cannot share its work.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { taskCommand } from "./task_command.ts";
 *
 * const command = taskCommand("cache:build", ["--json"]);
 * assert.equal(command[0], "run");
 * assert.equal(command.at(-1), "--json");
 * assert.throws(() => taskCommand("cache:buld", []), /did you mean "cache:build"/);
 * assert.throws(() => taskCommand("cache:stats", []), /each would do all of it/);
 * ```
 */
export function taskCommand(task: string, args: readonly string[]): string[] {
  const known = commands(), command = known.get(task);
  const shared = [...known.keys()].filter(isShared);
  if (command === undefined) {
    const meant = nearest(task, shared);
    throw new UsageError(
      `Cannot launch "${task}": it should be a task of this project, such as ${shared[0]}` +
        (meant === undefined ? "." : `; did you mean "${meant}"?`),
    );
  }
  if (!isShared(task)) {
    throw new UsageError(
      `Cannot launch "${task}": several processes should share its work, current value is a task of ` +
        `which each would do all of it. Run it alone: deno task ${task}; or launch one of ` +
        `${shared.join(", ")}.`,
    );
  }
  const [, , ...words] = command.split(/\s+/);
  return ["run", `--preload=${WATCH}`, ...words, ...args];
}

/**
 * Where the name of a task stands among arguments.
 *
 * @param args Arguments of a command that takes a task.
 * @returns The place, or -1.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { findTask } from "./task_command.ts";
 *
 * assert.equal(findTask(["--processes", "2", "train:stage1", "--epochs", "3"]), 2);
 * ```
 */
export function findTask(args: readonly string[]): number {
  const known = commands();
  return args.findIndex((arg) => known.has(arg));
}
