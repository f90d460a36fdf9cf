/**
 * The process that runs specs: `_run_specs.ts <job as JSON>`. Prints a JSON line for
 * the start and one for the end of each spec, so that the reader knows which one ended the process.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { isIgnored } from "./ignored.ts";
import type { JasmineCore, SpecResult } from "./_jasmine.ts";

/** What to run. */
export interface Job {
  readonly bundle: string;
  readonly libraries: { readonly framework: string; readonly cc: string };
  /** `required`: what tfjs-node runs; `beyond`: what is on its ignore list. */
  readonly part: "required" | "beyond";
  /** A regular expression that full names must match. */
  readonly grep: string;
}

/** A line that the process prints. */
export type Line =
  | { readonly tensorflow: string }
  | { readonly started: string }
  | { readonly done: string; readonly status: SpecResult["status"]; readonly messages: string[] };

const encoder = new TextEncoder();

function write(line: Line): void {
  let bytes = encoder.encode(JSON.stringify(line) + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}

/** Declares and runs the specs of a job. */
async function run(job: Job): Promise<void> {
  const require = createRequire(import.meta.url);
  const jasmineCore: JasmineCore = require("jasmine-core/lib/jasmine-core/jasmine.js");
  const jasmine = jasmineCore.core(jasmineCore);
  const environment = jasmine.getEnv({ suppressLoadErrors: true });
  const globals = jasmineCore.interface(jasmine, environment);
  Object.assign(globalThis, globals, { jasmine, global: globalThis });

  const { declareSpecs } = await import(pathToFileURL(job.bundle).href);
  write({ tensorflow: await declareSpecs(job.libraries) });
  const grep = new RegExp(job.grep);
  environment.configure({
    random: false,
    specFilter: (spec) => {
      const name = spec.getFullName();
      return grep.test(name) && isIgnored(name) === (job.part === "beyond");
    },
  });
  const done = ({ fullName, status, failedExpectations }: SpecResult) =>
    write({
      done: fullName,
      status,
      messages: failedExpectations.map(({ message }) => message),
    });
  const finished = Promise.withResolvers<void>();
  environment.addReporter({
    specStarted: ({ fullName }) => write({ started: fullName }),
    specDone: (result) => result.status === "excluded" || done(result),
    // A suite fails when one of its hooks does.
    suiteDone: (result) => result.failedExpectations.length === 0 || done(result),
    jasmineDone: () => finished.resolve(),
  });
  environment.execute();
  await finished.promise;
}

// Specs and kernels chat; standard output is for the lines above.
console.log =
  console.info =
  console.warn =
  console.debug =
  console.error =
    () => {};
await run(JSON.parse(Deno.args[0]!));
Deno.exit(0);
