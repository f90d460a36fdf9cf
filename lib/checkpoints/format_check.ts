import { formatBytes } from "../formats/format_bytes.ts";
import { printable } from "../formats/printable.ts";
import { plural } from "../episodes/_plural.ts";
import { policyName, settingValues } from "./_config.ts";
import { describeMismatch, listNames, type ListOptions } from "./_describe_mismatch.ts";
import type { CheckpointCheck } from "./check.ts";

const BASIS = {
  recorded: "as recorded",
  inferred: "by its shapes",
  default: "with an expert of the usual size, as it holds none",
} as const;

/** Why shapes do not show a setting, where that is no matter of course. */
const WHY: Readonly<Record<string, string>> = {
  fusion: "a projection of this width could also take vision alone",
};

/**
 * What a check found, on one screen: the verdict, facts, what is wrong, what to do.
 *
 * @param check what was found
 * @param formatTable makes lines of rows of cells
 * @param options `all`: every name, on a line of its own; default the first of each kind
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
  { all = false }: { readonly all?: boolean } = {},
): string {
  const options = { all, hint: "--verbose names all" };
  const compared = isComparable(check)
    ? check
    : { ...check, missing: [], mismatched: [], wrongDtype: [] };
  const problems = [
    ...describeMismatch({ ...compared, loaded: check.matched }, options).map((line) => `✗ ${line}`),
    ...valueLines(check, options),
  ];
  const rows = facts(check).map((row) => row.map((cell) => printable(cell)));
  const remarks = check.remarks.map((remark) => printable(remark, { lines: true }));
  return [
    `${check.ok ? "OK" : "NOT OK"}: ${printable(check.path)}`,
    formatTable(rows),
    ...(problems.length > 0 ? [problems.join("\n")] : []),
    ...(remarks.length > 0 ? [remarks.join("\n")] : []),
  ].join("\n\n");
}

function facts(check: CheckpointCheck): string[][] {
  const { architecture, family, fusion, matched, missing, mismatched } = check;
  const { parameters: counts, tensors, bytes, dtypes, losses, wrappers } = check;
  const expected = matched + missing.length + mismatched.length + check.wrongDtype.length;
  const number = (count: number) => count.toLocaleString("en-US");
  const kinds = Object.entries(dtypes).map(([dtype, count]) => `${count} ${dtype}`).join(", ");
  const known = (name: string, value: unknown): string[][] =>
    value === null || value === "" ? [] : [[name, String(value)]];
  return [
    ["is", architecture === null ? "no known policy" : `${architecture} ${family}:${fusion}`],
    ["compared with", comparedWith(check)],
    ...known("fit", isComparable(check) ? `${matched} of ${plural(expected, "tensor")}` : null),
    ["layout", [check.layout, ...wrappers.map((each) => `prefix ${each} taken off`)].join(", ")],
    ...known("stage", check.stage),
    ...known("program", check.program),
    ...known("completed epochs", check.epoch),
    ...known("completed steps", check.globalStep),
    ...known("training loss", losses.train?.toFixed(6) ?? null),
    ...known("validation loss", losses.validation?.toFixed(6) ?? null),
    [
      "parameters",
      `${number(counts.total)}: sensor encoder ${number(counts.sensorEncoder)}, action expert ` +
      `${number(counts.actionExpert)}`,
    ],
    ["tensors", `${tensors} (${kinds || "none"}), ${formatBytes(bytes)}`],
    ...known("visual-language model", check.visualLanguage),
    ...check.ignored.map(({ name, tensors: count, bytes }) => [
      `beside it, ${name}`,
      `${plural(count, "tensor")}, ${formatBytes(bytes)}`,
    ]),
    ["values", check.valuesRead ? "all read" : "not read (--stats reads them)"],
    ...assumedRows(check),
  ];
}

/** Of tensors that look like nothing known, no list says what is missing. */
function isComparable({ basis, matched }: CheckpointCheck): boolean {
  return basis !== "default" || matched > 0;
}

function comparedWith(check: CheckpointCheck): string {
  const { against, basis, asked, assumed } = check, name = policyName(against);
  if (!isComparable(check)) return "nothing: its tensors look like no policy's";
  if (basis === "asked") return `${name}, ${asked.join(", ")} as asked for`;
  const rest = basis === "recorded" && assumed.length > 0 ? ", but for what is assumed" : "";
  return `${name}, ${BASIS[basis]}${rest}`;
}

/** Settings that nobody named, with the values that stand for them, a row for each part. */
function assumedRows({ against, assumed }: CheckpointCheck): string[][] {
  const parts = Map.groupBy(assumed, (name) => name.split(".", 1)[0]);
  return [...parts.values()].map((names, i) => {
    const values = settingValues(against, names)
      .map((text, k) => text + (WHY[names[k]!] === undefined ? "" : ` (${WHY[names[k]!]})`));
    return [i === 0 ? "assumed" : "", values.join(", ")];
  });
}

function valueLines(
  { nonFinite, allZero, negative, duplicated }: CheckpointCheck,
  options: ListOptions,
): string[] {
  const list = (keys: readonly string[]) => `${options.all ? "" : " "}${listNames(keys, options)}`;
  const lines: string[] = [];
  if (nonFinite.length > 0) {
    lines.push(`✗ ${plural(nonFinite.length, "tensor")} with NaN or infinity:${list(nonFinite)}`);
  }
  if (allZero.length > 0) {
    lines.push(`✗ ${plural(allZero.length, "tensor")} of zeros only:${list(allZero)}`);
  }
  if (negative.length > 0) {
    lines.push(`✗ ${plural(negative.length, "variance")} below zero:${list(negative)}`);
  }
  if (duplicated.length > 0) {
    // No fault: a checkpoint may be OK and have these.
    lines.push(
      `! ${
        plural(duplicated.length, "group")
      } of tensors with the same numbers, as untrained layers ` +
        `have:${list(duplicated.map((keys) => keys.join(" = ")))}`,
    );
  }
  return lines;
}
