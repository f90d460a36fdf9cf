/**
 * `deno task parity [FIXTURE...]`: the networks against PyTorch's numbers.
 *
 * @module
 */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { engineFlag, formatTable, runCommand, switchFlag } from "../lib/cli/mod.ts";
import { type Engine, startEngine } from "../lib/engine/mod.ts";
import { plural } from "../lib/episodes/_plural.ts";
import { isFile, isFolder } from "../lib/formats/_path.ts";
import {
  type FixtureReport,
  type ParityCheck,
  type ParityMode,
  parityReport,
  parityRows,
  readFixture,
  runParity,
} from "../lib/policies/parity/mod.ts";

const FOLDER = fileURLToPath(new URL("../data-fixtures/oracle", import.meta.url));
const FOLDERS = [FOLDER, join(FOLDER, "more")];
const MODES: readonly ParityMode[] = ["eager", "compiled"];

/** The fixtures in a folder. */
function fixturesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name))
    .filter((path) => path.endsWith(".json") && isFile(path)).sort();
}

/** Files of an argument: a file, all of a folder, or a recorded one by its name. */
function resolveFixtures(argument: string): string[] {
  if (isFile(argument)) return [argument];
  if (isFolder(argument)) {
    const found = fixturesIn(argument);
    if (found.length > 0) return found;
    throw new Deno.errors.NotFound(
      `Cannot compare with ${argument}: it should hold fixtures, *.json, current value is none.`,
    );
  }
  const recorded = FOLDERS.filter(isFolder).flatMap(fixturesIn);
  const named = recorded.find((path) => nameOf(path) === argument);
  if (named !== undefined) return [named];
  throw new Deno.errors.NotFound(
    `Cannot compare with ${argument}: there is no such file or folder. Recorded are ` +
      `${recorded.map(nameOf).join(", ")}.`,
  );
}

function nameOf(path: string): string {
  return basename(path, ".json");
}

/** `webgpu 4.22.0 on GPU NVIDIA H200`; TensorFlow's names of devices say no more than their type. */
function describeEngine({ name, version, devices }: Engine): string {
  const on = devices.map((device) =>
    device.name.startsWith("/job:") ? device.type : `${device.type} ${device.name}`
  );
  return `${name} ${version} on ${on.join(" + ")}`;
}

if (import.meta.main) {
  await runCommand({
    name: "parity",
    summary: "Compares the networks of architecture reference with numbers that PyTorch computed.",
    arguments: "[FIXTURE...]",
    details:
      `FIXTURE is a file, a folder of them, or the name of one in data-fixtures/oracle, such as
regression_none. Without, all eight there, which takes up to a minute; make_parity.py writes more.
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
      const { arguments: named, print, note, progress, signal } = context;
      const files = named.length > 0 ? named.flatMap(resolveFixtures) : fixturesIn(FOLDER);
      note(`${plural(files.length, "fixture")}, each op by op and compiled: some seconds each.`);
      const started = await startEngine({ engine, quiet, log: note });
      const reports: FixtureReport[] = [];
      for (const [done, file] of files.entries()) {
        const fixture = readFixture(file);
        const { family, fusion } = fixture.config;
        const made: ParityCheck[] = [];
        for (const mode of MODES) {
          signal.throwIfAborted();
          progress.update(`${done + 1} of ${files.length}: ${nameOf(file)}, ${mode}`);
          made.push(...await runParity(fixture, mode));
        }
        reports.push({ file, family, fusion, checks: made });
      }
      progress.clear();
      const report = parityReport(started.name, reports);
      print(formatTable(parityRows(report, checks)));
      const largest = report.maxAbs === null ? "not finite" : report.maxAbs.toExponential(2);
      print(
        `${report.pass ? "Parity holds" : "Parity is broken"} on ${describeEngine(started)}: ` +
          `largest absolute difference ${largest}.`,
      );
      return { document: { ...report, devices: started.devices }, exitCode: report.pass ? 0 : 1 };
    },
  });
}
