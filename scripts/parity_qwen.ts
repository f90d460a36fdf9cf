/**
 * `deno task parity:qwen DIR`: Qwen2.5-VL against the numbers of the published library.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { engineFlag, formatTable, runCommand, switchFlag, textFlag } from "../lib/cli/mod.ts";
import { startEngine } from "../lib/engine/mod.ts";
import { isFolder } from "../lib/formats/_path.ts";
import {
  checkVisionLanguage,
  type VisionLanguageCheck,
} from "../lib/vision_language/parity/mod.ts";

const FOLDER = fileURLToPath(new URL("../data-fixtures/vision_language", import.meta.url));
const TOKENIZER = `${FOLDER}/tokenizer`;

/** One line per case, or per check. */
function rowsOf(checks: readonly VisionLanguageCheck[], all: boolean): (string | number)[][] {
  const rows: (string | number)[][] = [["case", "check", "max abs", "rel L2", "allowed", ""]];
  for (const [name, group] of Map.groupBy(checks, (check) => check.case)) {
    const shown = group.filter(({ pass }) => all || !pass);
    for (const { name: what, maxAbs, relL2, tolerance, pass } of shown) {
      const result = pass ? "ok" : "FAILED";
      rows.push([name, what, short(maxAbs), short(relL2), short(tolerance), result]);
    }
    if (shown.length > 0) continue;
    const largest = group.reduce((a, b) => share(b) > share(a) ? b : a);
    rows.push([
      ...[name, `${group.length} checks, worst: ${largest.name}`, short(largest.maxAbs)],
      ...[short(largest.relL2), short(largest.tolerance), "ok"],
    ]);
  }
  return rows;
}

function share({ relL2, tolerance }: VisionLanguageCheck): number {
  return tolerance === 0 ? 0 : (relL2 ?? Infinity) / tolerance;
}

function short(value: number | null): string {
  return value === null ? "–" : value === 0 ? "0" : value.toExponential(1);
}

/** The check in float32 that comes closest to its tolerance, or is farthest beyond it. */
function largestOf(checks: readonly VisionLanguageCheck[]): VisionLanguageCheck | undefined {
  const float32 = checks.filter(({ name, tolerance }) =>
    tolerance > 0 && !name.startsWith("bf16.")
  );
  return float32.reduce<VisionLanguageCheck | undefined>(
    (a, b) => a === undefined || share(b) > share(a) ? b : a,
    undefined,
  );
}

if (import.meta.main) {
  await runCommand({
    name: "parity:qwen",
    summary: "Compares Qwen2.5-VL with numbers that the published library computed.",
    arguments: "[DIR]",
    details:
      `DIR holds a small model of random weights with what the library computed from it: model/, cases/,
lora/, image/, text/. Default: data-fixtures/vision_language; make_vision_language.py there writes more.
Compared are pictures, pixel values, positions, windows and token ids (equal), every intermediate value op
by op and compiled (float32: relative L2 5e-6 and 1e-4 absolute; bfloat16: 4e-2, means 2e-2, cosine 0.999),
gradients of adapters (2e-5), optimiser steps (1e-6), losses of three steps (1e-4), and adapters' files.
Exit code 1 if a difference is larger than allowed.`,
    flags: {
      engine: engineFlag(),
      checks: switchFlag("list every check, not only those that failed"),
      tokenizer: textFlag("folder of the tokenizer.json whose ids are compared", {
        default: TOKENIZER,
      }),
    },
    run: async ({ engine, checks: all, tokenizer, quiet }, context) => {
      const { arguments: [folder = FOLDER], print, note, progress, signal } = context;
      if (!isFolder(folder)) {
        throw new Deno.errors.NotFound(
          `Cannot compare with ${folder}: it should be a folder with model/ and cases/, current ` +
            "value is none.",
        );
      }
      const started = await startEngine({ engine, quiet, log: note });
      const parity = await checkVisionLanguage(folder, {
        tokenizer,
        signal,
        onCase: (name) => progress.update(name),
      });
      progress.clear();
      const { checks, pass } = parity, largest = largestOf(checks);
      const failed = checks.filter((check) => !check.pass).length;
      print(formatTable(rowsOf(checks, all)));
      print(
        `${
          pass ? "Parity holds in" : `Parity is broken in ${failed} of`
        } ${checks.length} checks on ${started.name} ` +
          `${started.version}: in float32 closest to its tolerance is ${largest?.case} ` +
          `${largest?.name}, relative error ${short(largest?.relL2 ?? null)} of ${
            short(largest?.tolerance ?? null)
          }.`,
      );
      return { document: { ...parity, engine: started.name }, exitCode: pass ? 0 : 1 };
    },
  });
}
