import { formatBytes } from "../formats/format_bytes.ts";
import type { Inspection, TensorEntry, TensorStatistics } from "./inspection.ts";

/** Of more arrays than a screen holds the first ones are in the table, unless values were asked for. */
const MOST_ARRAYS = 40, FIRST_ARRAYS = 20;

/**
 * What was found, as people read it: a line for the whole, a table of arrays, further facts. Of more
 * than 40 arrays the first 20 are in the table, and all if they have statistics.
 *
 * @param inspection what was found
 * @param formatTable makes lines of rows of cells
 * @returns lines
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatInspection } from "./mod.ts";
 *
 * const text = formatInspection({
 *   kind: "npy",
 *   path: "/data/force.npy",
 *   bytes: 1320,
 *   tensors: [{ name: "force", dtype: "float32", shape: [298], bytes: 1192 }],
 *   keys: ["force"],
 *   details: {},
 * }, (rows) => rows.map((row) => row.join(" ")).join("\n"));
 * assert.equal(text, [
 *   "/data/force.npy: npy, 1.32 kB",
 *   "",
 *   "array dtype shape size",
 *   "force float32 298 1.19 kB",
 * ].join("\n"));
 * ```
 */
export function formatInspection(
  { kind, path, bytes, tensors, details }: Inspection,
  formatTable: (rows: (string | number)[][]) => string,
): string {
  const blocks = [`${path}: ${kind}, ${formatBytes(bytes)}`];
  if (tensors.length > 0) blocks.push(describeTensors(tensors, formatTable));
  const facts = Object.entries(details).filter(([, value]) => !isTable(value))
    .flatMap(([name, value]) => factRows(name, value));
  if (facts.length > 0) blocks.push(formatTable(facts));
  for (const [name, value] of Object.entries(details)) {
    if (isTable(value)) blocks.push(`${name}\n${formatTable(recordRows(value))}`);
  }
  return blocks.join("\n\n");
}

function describeTensors(
  tensors: readonly TensorEntry[],
  formatTable: (rows: (string | number)[][]) => string,
): string {
  const isShort = tensors.length <= MOST_ARRAYS || tensors[0]!.statistics !== undefined;
  if (isShort) return formatTable(tensorRows(tensors));
  const { length } = tensors;
  const bytes = formatBytes(tensors.reduce((sum, tensor) => sum + tensor.bytes, 0));
  return `${formatTable(tensorRows(tensors.slice(0, FIRST_ARRAYS)))}\n` +
    `… and ${
      length - FIRST_ARRAYS
    } more, ${length} in all with ${bytes}; --keys and --json show all`;
}

const COLUMNS = ["count", "min", "max", "mean", "std", "nan", "infinite"] as const;

/** A row per array; narrow tables have one per column too, whose units may differ. */
function tensorRows(tensors: readonly TensorEntry[]): string[][] {
  const hasStatistics = tensors.some(({ statistics }) => statistics !== undefined);
  const head = ["array", "dtype", "shape", "size", ...(hasStatistics ? COLUMNS : [])];
  return [
    head,
    ...tensors.flatMap(({ name, dtype, shape, bytes, statistics, columns = [] }) => [
      [
        name,
        dtype,
        shape.join("×") || "single",
        formatBytes(bytes),
        ...(hasStatistics && columns.length === 0 ? figures(statistics) : []),
      ],
      ...columns.map((column, c) => [`  ${name}[:, ${c}]`, "", "", "", ...figures(column)]),
    ]),
  ];
}

/** Extremes and mean have as many digits as tell them apart; times in seconds need more than 7. */
function figures(statistics: TensorStatistics | null | undefined): string[] {
  if (statistics === null || statistics === undefined) return COLUMNS.map(() => "–");
  const min = Number(statistics.min), max = Number(statistics.max);
  const spread = max - min, size = Math.max(Math.abs(min), Math.abs(max));
  const digits = spread > 0 && Number.isFinite(spread)
    ? Math.min(17, Math.max(DIGITS, Math.ceil(Math.log10(size / spread)) + APART))
    : DIGITS;
  return COLUMNS.map((column) => figure(statistics[column], column === "std" ? DIGITS : digits));
}

/** Digits of a number, and of the difference between the smallest and the largest. */
const DIGITS = 7, APART = 4;

function figure(value: number | string | null, digits: number): string {
  if (value === null) return "–";
  if (typeof value === "string" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(digits)));
}

type Row = Readonly<Record<string, unknown>>;

/** A list of records is a table of its own. */
function isTable(value: unknown): value is readonly Row[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item));
}

function recordRows(records: readonly Row[]): (string | number)[][] {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const cell = (value: unknown) => typeof value === "number" ? value : formatFact(value ?? "");
  return [columns, ...records.map((record) => columns.map((column) => cell(record[column])))];
}

const RATE_DECIMALS = 3;
/** Names of rates, in hertz, and of objects that hold them. */
const RATE = /^rates?$|Hz$|(^|_)hz$/;

/** Names of large counts, and of objects that hold them. */
const COUNT = /^parameters$/;

function factRows(
  name: string,
  value: unknown,
  isRate = RATE.test(name),
  isCount = COUNT.test(name),
): string[][] {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const members = isObject ? Object.entries(value) : [];
  if (members.length === 0) {
    const isLong = isRate && typeof value === "number";
    if (isCount && Number.isInteger(value)) return [[name, Number(value).toLocaleString("en")]];
    return [[name, formatFact(isLong ? Number(value.toFixed(RATE_DECIMALS)) : value)]];
  }
  return [
    [name],
    ...members.flatMap(([key, member]) => factRows(key, member, isRate || RATE.test(key), isCount))
      .map((
        [key = "", ...rest],
      ) => [
        `  ${key}`,
        ...rest,
      ]),
  ];
}

function formatFact(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return JSON.stringify(value) ?? "none";
  const isFlat = value.every((item) => typeof item !== "object" || item === null);
  return isFlat ? value.join(", ") || "none" : value.map((item) => JSON.stringify(item)).join(", ");
}
