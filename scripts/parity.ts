/**
 * `deno task parity [FIXTURE...]`: the networks against PyTorch's numbers.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { engineFlag, formatTable, runCommand, switchFlag } from "../lib/cli/mod.ts";
import { startEngine } from "../lib/engine/mod.ts";
import {
  type FixtureReport,
  type ParityCheck,
  type ParityMode,
  parityReport,
  parityRows,
  readFixture,
  runParity,
} from "../lib/policies/parity/mod.ts";

const FOLDER = new URL("../data-fixtures/oracle/", import.meta.url);
const MODES: readonly ParityMode[] = ["eager", "compiled"];

/** The fixtures in data-fixtures/oracle. */
function recorded(): string[] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json")).sort()
    .map((name) => decodeURIComponent(new URL(name, FOLDER).pathname));
}

function expectFile(path: string): void {
  if (existsSync(path)) return;
  throw new Deno.errors.NotFound(`Cannot compare with ${path}: there is no such file.`);
}

if (import.meta.main) {
  await runCommand({
    name: "parity",
    summary: "Compares the networks of architecture reference with numbers that PyTorch computed.",
    arguments: "[FIXTURE...]",
    details: `Without FIXTURE the eight in data-fixtures/oracle; make_parity.py there writes more.
Each runs op by op (eager) and as compiled functions. Compared are outputs in evaluation, loss, every
gradient, their norm before clipping, parameters after one clipped AdamW step, and BatchNorm statistics.
Allowed is 2e-5, or 5e-6 of a tensor's largest magnitude where that is more (above 4).

Where a gradient is zero but for rounding (biases before BatchNorm), Adam makes a full step of the noise.
So the step is compared from the fixture's gradients for every element, and end to end for elements
whose gradient is above 1e-4 of its tensor's largest and 1e-6 of the norm of all.
Exit code 1 if a difference is larger than allowed.`,
    flags: {
      engine: engineFlag(),
      checks: switchFlag("list every check, not only those that failed"),
    },
    run: async ({ engine, checks, quiet }, context) => {
      const { arguments: files, print, note, progress, signal } = context;
      files.forEach(expectFile);
      const started = await startEngine({ engine, quiet, log: note });
      const reports: FixtureReport[] = [];
      for (const file of files.length > 0 ? files : recorded()) {
        const fixture = readFixture(file);
        const { family, fusion } = fixture.config;
        const made: ParityCheck[] = [];
        for (const mode of MODES) {
          signal.throwIfAborted();
          progress.update(`${file} ${mode}`);
          made.push(...await runParity(fixture, mode));
        }
        reports.push({ file, family, fusion, checks: made });
      }
      progress.clear();
      const report = parityReport(started.name, reports);
      print(formatTable(parityRows(report, checks)));
      const largest = report.maxAbs === null ? "not finite" : report.maxAbs.toExponential(2);
      print(
        `${report.pass ? "Parity holds" : "Parity is broken"} on ${started.name}: ` +
          `largest absolute difference ${largest}.`,
      );
      return { document: report, exitCode: report.pass ? 0 : 1 };
    },
  });
}
