/**
 * `deno task test:tfjs`: tfjs-core's own test suite on the native engine.
 *
 * @module
 */
import { runCommand, switchFlag, textFlag, UsageError } from "../lib/cli/mod.ts";
import { findTensorFlow } from "../lib/engine/install/mod.ts";
import { type ConformanceReport, runConformance } from "../tests/conformance/conformance.ts";

await runCommand({
  name: "test:tfjs",
  summary: "Runs tfjs-core's own specs on the native engine.",
  details: `Required are the specs that tfjs-node runs itself. Then those that it ignores are run;
the ones that fail here too are listed, with the reason, in
tests/conformance/known_failures.json. The command ends with exit code 1 if a
required spec fails, or if that list is no longer true.`,
  flags: {
    grep: textFlag("only specs whose full name matches this regular expression", { default: "" }),
    required: switchFlag("only the specs that tfjs-node runs"),
    beyond: switchFlag("only the specs that tfjs-node ignores"),
  },
  run: async ({ grep, required, beyond }, { print, progress }) => {
    const start = performance.now();
    expectPattern(grep);
    const tensorflow = await findTensorFlow();
    if (tensorflow === undefined) {
      throw new Error(
        "Cannot run tfjs's specs: TensorFlow is missing, current value is no library; run deno task setup",
      );
    }
    const { libraries } = tensorflow;
    const both = required === beyond;
    const report = await runConformance({
      libraries,
      parts: [
        ...(both || required ? ["required"] as const : []),
        ...(both || beyond ? ["beyond"] as const : []),
      ],
      grep,
      onProgress: (done, spec) => done % 20 === 0 && progress.update(`${done} ${spec}`),
    });
    const seconds = (performance.now() - start) / 1000;
    const parts = Object.values(report);
    const sum = (count: (part: typeof parts[number]) => number) =>
      parts.reduce((total, part) => total + count(part), 0);
    const passed = sum((part) => part.passed);
    const failed = sum((part) => part.failed.length);
    const skipped = sum((part) => part.pending + part.known);
    const version = parts[0]?.tensorflow;
    printReport(report, print);
    if (passed + failed + skipped === 0) print(`No spec's name matches ${grep}`);
    print(`TensorFlow ${version}, ${seconds.toFixed(1)} s`);
    print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return {
      document: { tensorflow: version, seconds, passed, failed, skipped, ...report },
      exitCode: failed === 0 && passed > 0 ? 0 : 1,
    };
  },
});

/** @throws {UsageError} If the text is no regular expression. */
function expectPattern(text: string): void {
  try {
    new RegExp(text);
  } catch (error) {
    throw new UsageError(`--grep must be a regular expression: ${(error as Error).message}`);
  }
}

function printReport({ required, beyond }: ConformanceReport, print: (text: string) => void): void {
  for (const { spec, message } of [required, beyond].flatMap((part) => part?.failed ?? [])) {
    print(`FAILED ${spec}\n    ${message.replaceAll("\n", "\n    ")}`);
  }
  if (required) {
    const { passed, failed, pending } = required;
    print(
      `required: ${passed} of ${
        passed + failed.length
      } pass; tfjs-core itself leaves out ${pending}`,
    );
  }
  if (beyond) {
    const { passed, failed, known } = beyond;
    print(
      `beyond tfjs-node's list: ${passed} of ${
        passed + failed.length + known
      } pass, ${known} are known to fail`,
    );
  }
}
