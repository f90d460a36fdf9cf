/**
 * `deno task test [FILE…]`: every test, each file in a process of its own, so that one that crashes
 * takes no other with it. Types are not checked: that takes longer than most tests, once per file,
 * and `deno check` does it for all at once. A file that leaves something in its temporary folder has
 * failed. The last line is `N passed, N failed`, with the number of skipped tests if there are any.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { runCommand, textFlag } from "../lib/cli/mod.ts";
import { temporaryFolder } from "../tests/_temporary.ts";

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

/** How files are run. */
interface Options {
  readonly filter: string;
  /** A folder that all files share, for what takes long to make. */
  readonly shared: string;
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
}

async function run(
  file: string,
  { filter, shared, signal: abort, print }: Options,
): Promise<Outcome> {
  const temporary = temporaryFolder();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...(filter === "" ? [] : ["--filter", filter]), file],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: {
      ...{ NO_COLOR: "1", TROCAR_TEST_SHARED: shared },
      ...{ TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    },
    detached: true, // with all processes that it starts, in a group that can be ended
  }).spawn();
  const end = () => endGroup(child);
  child.status.then(end);
  abort.addEventListener("abort", end);
  const { code, signal, stdout, stderr } = await child.output();
  abort.removeEventListener("abort", end);
  const output = decoder.decode(stdout);
  // Deno's closing line, such as `ok | 12 passed | 0 failed | 3 ignored (2s)`.
  const closing = output.split("\n").findLast((line) => /^(ok|FAILED) \| \d/.test(line)) ?? "";
  const number = (what: string) => Number(new RegExp(`(\\d+) ${what}`).exec(closing)?.[1] ?? 0);
  const lost = code !== 0 && number("failed") === 0; // it crashed, or could not be loaded
  const left = [...Deno.readDirSync(temporary)].map(({ name }) => name);
  print(output.trim());
  if (code !== 0) print(decoder.decode(stderr).trim());
  if (lost) print(`${file} ended with ${signal ?? `exit code ${code}`}`);
  else if (left.length > 0) print(`${file} left ${left.join(", ")} in its temporary folder`);
  rmSync(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  return {
    passed: number("passed"),
    failed: number("failed") + (lost || left.length > 0 ? 1 : 0),
    skipped: number("ignored"),
  };
}

/** Ends a process, if it is there, and those it has left behind. */
function endGroup(child: Deno.ChildProcess): void {
  try {
    if (Deno.build.os === "windows") child.kill();
    else Deno.kill(-child.pid, "SIGKILL");
  } catch {
    // all have ended
  }
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
    run: async ({ filter }, { arguments: named, print, signal }) => {
      const files = named.length > 0 ? [...named] : testFiles(`${root}tests`);
      const outcomes: Outcome[] = [], shared = temporaryFolder();
      const worker = async () => {
        for (let file = files.shift(); file !== undefined; file = files.shift()) {
          outcomes.push(await run(file, { filter, shared, signal, print }));
          signal.throwIfAborted();
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
