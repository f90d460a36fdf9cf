import { plural } from "../episodes/_plural.ts";
import { policyName } from "./_config.ts";
import { describeMismatch } from "./_describe_mismatch.ts";
import type { CheckpointCheck } from "./check.ts";

/** More tensors are counted only: all fits on one screen. */
const SHOWN = 4;

const BASIS = {
  asked: "as asked for",
  recorded: "as recorded",
  inferred: "by its shapes",
  default: "as nothing is known",
} as const;

/**
 * What a check found, on one screen: the verdict, facts, what is wrong, what to do.
 *
 * @param check what was found
 * @param formatTable makes lines of rows of cells
 * @returns lines; the first begins with `OK` or `NOT OK`
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeTorchCheckpoint } from "../formats/mod.ts";
 * import { checkCheckpoint, formatCheck } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/other.pt`;
 * writeTorchCheckpoint(path, {
 *   model_state_dict: { scale: { dtype: "float32", shape: [1], data: new Float32Array(1) } },
 * });
 * const text = formatCheck(await checkCheckpoint(path), (rows) => rows.join("\n"));
 * assert.match(text, /^NOT OK/);
 * assert.match(text, /holds neither sensor_encoder nor action_expert/);
 * ```
 */
export function formatCheck(
  check: CheckpointCheck,
  formatTable: (rows: (string | number)[][]) => string,
): string {
  const problems = [...describeMismatch({ ...check, loaded: check.matched }), ...valueLines(check)];
  return [
    `${check.ok ? "OK" : "NOT OK"}: ${check.path}`,
    formatTable(facts(check)),
    ...(problems.length > 0 ? [problems.map((line) => `✗ ${line}`).join("\n")] : []),
    ...(check.remarks.length > 0 ? [check.remarks.join("\n")] : []),
  ].join("\n\n");
}

function facts(check: CheckpointCheck): string[][] {
  const { architecture, family, fusion, against, basis, matched, missing, mismatched } = check;
  const { parameters: counts, tensors, bytes, dtypes, losses, assumed, wrappers } = check;
  const expected = matched + missing.length + mismatched.length + check.wrongDtype.length;
  const number = (count: number) => count.toLocaleString("en-US");
  const kinds = Object.entries(dtypes).map(([dtype, count]) => `${count} ${dtype}`).join(", ");
  const known = (name: string, value: unknown): string[][] =>
    value === null || value === "" ? [] : [[name, String(value)]];
  return [
    ["is", architecture === null ? "no known policy" : `${architecture} ${family}:${fusion}`],
    ["compared with", `${policyName(against)}, ${BASIS[basis]}`],
    ["fit", `${matched} of ${plural(expected, "tensor")}`],
    ["layout", `${check.layout}${wrappers.length > 0 ? ` without ${wrappers.join(" ")}` : ""}`],
    ...known("stage", check.stage),
    ...known("program", check.program),
    ...known("completed epochs", check.epoch),
    ...known("completed steps", check.globalStep),
    ...known("training loss", losses.train),
    ...known("validation loss", losses.validation),
    [
      "parameters",
      `${number(counts.total)}: sensor encoder ${number(counts.sensorEncoder)}, action expert ` +
      `${number(counts.actionExpert)}`,
    ],
    ["tensors", `${tensors} (${kinds || "none"}), ${(bytes / 1e6).toFixed(1)} MB`],
    ...check.ignored.map(({ name, tensors: count, bytes }) => [
      `beside it, ${name}`,
      `${plural(count, "tensor")}, ${(bytes / 1e6).toFixed(1)} MB`,
    ]),
    ["values", check.valuesRead ? "all read" : "not read (--stats reads them)"],
    ...known("not shown by shapes", assumed.join(", ")),
  ];
}

function valueLines({ nonFinite, allZero, duplicated }: CheckpointCheck): string[] {
  const list = (keys: readonly string[]) =>
    keys.slice(0, SHOWN).join(", ") + (keys.length > SHOWN ? ", …" : "");
  const lines: string[] = [];
  if (nonFinite.length > 0) {
    lines.push(`${plural(nonFinite.length, "tensor")} with NaN or infinity: ${list(nonFinite)}`);
  }
  if (allZero.length > 0) {
    lines.push(`${plural(allZero.length, "tensor")} of zeros only: ${list(allZero)}`);
  }
  if (duplicated.length > 0) {
    lines.push(
      `${
        plural(duplicated.length, "group")
      } of tensors with the same numbers, as untrained layers ` +
        `have: ${list(duplicated.map((keys) => keys.join(" = ")))}`,
    );
  }
  return lines;
}
