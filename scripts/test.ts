/**
 * `deno task test [FILE…]`: every test, each file in a process of its own, so that one that crashes
 * takes no other with it. The last line is `N passed, N failed`, with the number of skipped tests if
 * there are any.
 *
 * @module
 */
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

async function run(file: string): Promise<Outcome> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", file],
    cwd: root,
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
  console.log(output.trim());
  if (code !== 0) console.log(decoder.decode(stderr).trim());
  if (lost) console.log(`${file} ended with ${signal ?? `exit code ${code}`}`);
  return {
    passed: number("passed"),
    failed: number("failed") + (lost ? 1 : 0),
    skipped: number("ignored"),
  };
}

if (import.meta.main) {
  const files = Deno.args.length > 0 ? [...Deno.args] : testFiles(`${root}tests`);
  const outcomes: Outcome[] = [];
  const worker = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      outcomes.push(await run(file));
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, navigator.hardwareConcurrency) }, worker));
  const sum = (key: keyof Outcome) => outcomes.reduce((total, one) => total + one[key], 0);
  const [passed, failed, skipped] = [sum("passed"), sum("failed"), sum("skipped")];
  console.log(`${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : ""));
  Deno.exit(failed === 0 && passed > 0 ? 0 : 1);
}
