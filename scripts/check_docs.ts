/**
 * `deno task doc`: `deno doc --lint` on the public API, and with `--examples` every example in the
 * documentation. tfjs, which is re-exported, and its types in our signatures are no findings: they are
 * documented where they come from.
 *
 * @module
 */
import { runCommand, switchFlag } from "../lib/cli/mod.ts";

const TFJS = /references private type '(DataType|Scalar|Tensor|Tensor1D)'/;
/** Folders of lib whose public API is documented. */
const ROOMS = [
  "engine",
  "formats",
  "robot",
  "phantom",
  "episodes",
  "datasets",
  "features",
  "vision_language",
  "policies",
  "checkpoints",
  "training",
  "control",
  "evaluation",
  "runs",
  "plots",
  "demonstration",
  "notebooks",
  "inspect",
  "launch",
  "cli",
];
const cwd = new URL("..", import.meta.url);

/** What `deno doc --lint` finds in our own files. */
async function lint(): Promise<string[]> {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "mod.ts", ...ROOMS.map((room) => `lib/${room}/mod.ts`)],
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  return new TextDecoder().decode(stderr).split(/\n(?=error)/)
    .filter((finding) => finding.startsWith("error["))
    .filter((finding) => !finding.includes("/node_modules/") && !TFJS.test(finding));
}

if (import.meta.main) {
  await runCommand({
    name: "doc",
    summary: "Checks the documentation of the public API.",
    flags: { examples: switchFlag("run its examples instead, and the README's") },
    run: async ({ examples }, { print }) => {
      if (examples) {
        const folder = Deno.makeTempDirSync(); // of all files that examples write
        try {
          const { success } = await new Deno.Command(Deno.execPath(), {
            args: ["test", "-A", "--doc", "mod.ts", "lib", "README.md"],
            cwd,
            env: { TMPDIR: folder },
          }).spawn().status;
          return { exitCode: success ? 0 : 1 };
        } finally {
          Deno.removeSync(folder, { recursive: true });
        }
      }
      const findings = await lint();
      for (const finding of findings) print(`${finding.trim()}\n`);
      print(`${findings.length} findings in the documentation of the public API`);
      return { document: { findings }, exitCode: findings.length === 0 ? 0 : 1 };
    },
  });
}
