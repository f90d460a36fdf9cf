/** Runs tfjs-core's own specs on the native engine and judges them by the two committed lists. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { bundleSpecs } from "./_bundle.ts";
import type { Job, Line } from "./_run_specs.ts";
import { KNOWN_FAILURES } from "./known_failures.ts";
import { temporaryFolder } from "../_temporary.ts";

const runner = fileURLToPath(new URL("./_run_specs.ts", import.meta.url));

/** A spec that counts as failed, and why. */
export interface Failure {
  readonly spec: string;
  readonly message: string;
}

/** How one part of the specs ended. */
export interface PartReport {
  /** TensorFlow's version. */
  readonly tensorflow: string;
  readonly passed: number;
  /** Specs that fail and are on the list of known failures. */
  readonly known: number;
  /** Specs that tfjs-core itself leaves out. */
  readonly pending: number;
  /** Specs that fail, and specs that pass though the list says that they fail. */
  readonly failed: readonly Failure[];
}

/** What to run. */
export interface ConformanceOptions {
  readonly libraries: Job["libraries"];
  readonly parts: readonly Job["part"][];
  /** A regular expression that full names must match. */
  readonly grep: string;
  readonly onProgress?: (done: number, spec: string) => void;
}

/** How the parts ended. */
export type ConformanceReport = Readonly<Partial<Record<Job["part"], PartReport>>>;

/** How many specs of tfjs-core 4.22.0 tfjs-node runs; specs that go missing must not go unnoticed. */
const REQUIRED_SPECS = 3878;

/**
 * Bundles the specs and runs each part in a process of its own, because TensorFlow ends the process
 * where it finds a state that it holds to be impossible.
 *
 * @param options Libraries, parts, and the specs' names.
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { libraries, parts, grep, onProgress } = options;
  const folder = temporaryFolder();
  const bundle = await bundleSpecs(folder);
  const report: Partial<Record<Job["part"], PartReport>> = {};
  for (const part of parts) {
    report[part] = await runPart({ bundle, libraries, part, grep }, onProgress);
  }
  return report;
}

async function runPart(
  job: Job,
  onProgress: ConformanceOptions["onProgress"],
): Promise<PartReport> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", runner, JSON.stringify(job)],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = new Response(child.stderr).text();
  const known = job.part === "beyond" ? KNOWN_FAILURES : new Map<string, never>();
  const report = {
    tensorflow: "unknown",
    passed: 0,
    known: 0,
    pending: 0,
    failed: [] as Failure[],
  };
  const missing = new Set(known.keys());
  let running: string | undefined;
  let done = 0;
  const input = Readable.fromWeb(child.stdout as never);
  for await (const text of createInterface({ input })) {
    const line: Line = JSON.parse(text);
    if ("tensorflow" in line) {
      report.tensorflow = line.tensorflow;
      continue;
    }
    if ("started" in line) {
      running = line.started;
      continue;
    }
    running = undefined;
    missing.delete(line.done);
    onProgress?.(++done, line.done);
    if (line.status === "pending") report.pending++;
    else if (line.status === "failed" && known.has(line.done)) report.known++;
    else if (line.status === "failed") {
      report.failed.push({ spec: line.done, message: line.messages.join("\n") });
    } else if (known.get(line.done)?.always) {
      const message = "passes, but known_failures.json says that it fails: remove it there";
      report.failed.push({ spec: line.done, message });
    } else report.passed++;
  }
  const { code, signal } = await child.status;
  if (code !== 0) {
    const tail = (await log).trim().split("\n").slice(-20).join("\n");
    report.failed.push({
      spec: running ?? "(no spec)",
      message: `ended the process with ${signal ?? `exit code ${code}`}:\n${tail}`,
    });
  }
  for (const spec of job.grep === "" ? missing : []) {
    const message = "is not a spec, but known_failures.json lists it: remove it there";
    report.failed.push({ spec, message });
  }
  const found = report.passed + report.failed.length;
  if (job.part === "required" && job.grep === "" && found !== REQUIRED_SPECS) {
    const message = `tfjs-core has ${REQUIRED_SPECS} specs to run, current value is ${found}`;
    report.failed.push({ spec: "(number of specs)", message });
  }
  return report;
}
