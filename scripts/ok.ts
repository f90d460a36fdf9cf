/**
 * `deno task ok`: everything that must hold before a change is handed on.
 *
 * @module
 */
import { runCommand } from "../lib/cli/mod.ts";

const STEPS = [
  ["fmt", "--check"],
  ["lint"],
  ["check"],
  ["task", "doc"],
  ["task", "test:doc"],
  ["task", "test"],
];

if (import.meta.main) {
  await runCommand({
    name: "ok",
    summary: "Format check, lint, type check, documentation and its examples, every test.",
    details: "Stops at the first step that fails. About two minutes on two cores.",
    flags: {},
    run: async (_flags, { note }) => {
      for (const args of STEPS) {
        note(`deno ${args.join(" ")}`);
        const cwd = new URL("..", import.meta.url);
        const { success } = await new Deno.Command(Deno.execPath(), { args, cwd }).spawn().status;
        if (!success) throw new Error(`deno ${args.join(" ")} failed`);
      }
    },
  });
}
