/**
 * `deno task test [FILE…]`: every test, each file in a process of its own, so that one that crashes
 * takes no other with it. The last line is `N passed, N failed`, with the number of skipped tests if
 * there are any.
 *
 * @module
 */
import { runCommand, textFlag } from "../lib/cli/mod.ts";

const decoder = new TextDecoder();
const root = new URL("..", import.meta.url).pathname;

/** Test files below a folder, sorted. */
function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return testFiles(path);
    return name.endsWith("_test.ts") ? [path] : [];
  }).sort();
}

/** What one file's tests did. */
interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

async function run(file: string, filter: string, print: (text: string) => void): Promise<Outcome> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...(filter === "" ? [] : ["--filter", filter]), file],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  const output = decoder.decode(stdout);
  // Deno's closing line, such as `ok | 12 passed | 0 failed | 3 ignored (2s)`.
  const closing = output.split("\n").findLast((line) => /^(ok|FAILED) \| \d/.test(line)) ?? "";
  const number = (what: string) => Number(new RegExp(`(\\d+) ${what}`).exec(closing)?.[1] ?? 0);
  const lost = code !== 0 && number("failed") === 0; // it crashed, or could not be loaded
  print(output.trim());
  if (code !== 0) print(decoder.decode(stderr).trim());
  if (lost) print(`${file} ended with ${signal ?? `exit code ${code}`}`);
  return {
    passed: number("passed"),
    failed: number("failed") + (lost ? 1 : 0),
    skipped: number("ignored"),
  };
}

if (import.meta.main) {
  await runCommand({
    name: "test",
    summary: "Runs every test, or those of some files; the last line counts them.",
    arguments: "[FILE...]",
    flags: {
      filter: textFlag("only tests whose name holds this text, or matches /a pattern/", {
        default: "",
      }),
    },
    run: async ({ filter }, { arguments: named, print }) => {
      const files = named.length > 0 ? [...named] : testFiles(`${root}tests`);
      const outcomes: Outcome[] = [];
      const worker = async () => {
        for (let file = files.shift(); file !== undefined; file = files.shift()) {
          outcomes.push(await run(file, filter, print));
        }
      };
      await Promise.all(Array.from({ length: Math.min(2, navigator.hardwareConcurrency) }, worker));
      const sum = (key: keyof Outcome) => outcomes.reduce((total, one) => total + one[key], 0);
      const document = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
      const { passed, failed, skipped } = document;
      print(`${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : ""));
      return { document, exitCode: failed === 0 && passed > 0 ? 0 : 1 };
    },
  });
}
