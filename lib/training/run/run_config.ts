import { createHash } from "node:crypto";
import { join } from "node:path";
import { canonicalJson, type JsonValue } from "../../features/canonical_json.ts";
import { isFile } from "../../formats/_path.ts";
import { CONFIG, readJsonFile } from "./_json_file.ts";
import { isRecord } from "../../formats/_is_record.ts";

/** What a run computes: whoever trains with the same settings on the same data gets the same policy. */
export interface RunConfig {
  /** Program, e.g. `train:stage1`. */
  readonly program: string;
  /** Everything that the result follows from: policy, data digests, settings, seed. */
  readonly settings: { readonly [name: string]: JsonValue };
  /** What is good to know but changes no number: paths, versions, machine. */
  readonly notes: { readonly [name: string]: JsonValue };
}

const FORMAT = "trocar run", VERSION = 1;

/** What `config.json` holds. */
export function runConfigDocument(config: RunConfig): object {
  return { format: FORMAT, version: VERSION, ...config };
}

/**
 * Reads what a run computes.
 *
 * @param folder of the run
 * @returns its configuration
 * @throws {SyntaxError} when `config.json` is damaged, larger than 16 MB, nested too deep, or not of a
 * run
 */
export function readRunConfig(folder: string): RunConfig {
  const path = join(folder, CONFIG);
  const bad = (what: string) =>
    new SyntaxError(`Cannot read ${path}: it must be the configuration of a run, ${what}.`);
  let value: Record<string, unknown> | null;
  try {
    value = readJsonFile(path) as Record<string, unknown> | null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw bad(error.message);
  }
  if (value?.format !== FORMAT || value.version !== VERSION) {
    const found = [value?.format, value?.version].map((member) => JSON.stringify(member));
    throw bad(`of version ${VERSION}, current value is ${found.join(" ").slice(0, 60)}`);
  }
  const { program, settings, notes } = value;
  if (typeof program !== "string" || !isRecord(settings) || !isRecord(notes)) {
    throw bad("current value lacks program, settings or notes");
  }
  return { program, settings, notes } as RunConfig;
}

/** Bytes within which a run's configuration tells that it is one: its first member. */
const HEAD_BYTES = 1024;

/** Whether a file begins as a run's configuration does, damaged or not, without reading it whole. */
export function isRunConfig(path: string): boolean {
  if (!isFile(path)) return false;
  using file = Deno.openSync(path);
  const head = new Uint8Array(HEAD_BYTES);
  const text = new TextDecoder().decode(head.subarray(0, file.readSync(head) ?? 0));
  return text.includes(`"${FORMAT}"`);
}

/**
 * SHA-256 of what a run computes: equal for runs that give the same policy.
 *
 * @param config of a run
 * @returns 64 hexadecimal digits
 */
export function runDigest({ program, settings }: RunConfig): string {
  return createHash("sha256").update(canonicalJson({ program, settings })).digest("hex");
}

/**
 * Settings by their full names.
 *
 * @param settings nested by name
 * @returns values that are not nested, e.g. of `training.seed`; lists are one value
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { flatSettings } from "./run_folder.ts";
 *
 * const flat = flatSettings({ policy: { fusion: "concat" }, seed: 1 });
 * assert.deepEqual([...flat], [["policy.fusion", "concat"], ["seed", 1]]);
 * ```
 */
export function flatSettings(settings: RunConfig["settings"]): Map<string, JsonValue> {
  const flat = (value: JsonValue, name: string): [string, JsonValue][] =>
    isRecord(value)
      ? Object.entries(value).flatMap(([key, member]) =>
        flat(member as JsonValue, name === "" ? key : `${name}.${key}`)
      )
      : [[name, value]];
  return new Map(flat(settings, ""));
}

/**
 * Settings as a table in Markdown, for TensorBoard's page of texts.
 *
 * @param config of a run
 * @returns a row for each setting
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { settingsMarkdown } from "./run_config.ts";
 *
 * const text = settingsMarkdown({ program: "train:stage1", settings: { seed: 1 }, notes: {} });
 * assert.deepEqual(text.split("\n").slice(2), ["| program | train:stage1 |", "| seed | 1 |"]);
 * ```
 */
export function settingsMarkdown({ program, settings }: RunConfig): string {
  const rows = [["setting", "value"], ["---", "---"], ["program", program]];
  for (const [name, value] of flatSettings(settings)) {
    rows.push([name, typeof value === "string" ? value : JSON.stringify(value)]);
  }
  return rows.map((row) =>
    `| ${row.map((cell) => cell.replace(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`
  )
    .join("\n");
}

/** How long a run trains does not change what it begins with. */
export function withoutEpochs({ program, settings, notes }: RunConfig): RunConfig {
  const { training } = settings;
  if (!isRecord(training)) return { program, settings, notes };
  const { epochs: _, ...rest } = training as Record<string, JsonValue>;
  return { program, settings: { ...settings, training: rest }, notes };
}

/** The first setting in which two runs differ, in words; null if there is none. */
export function firstChange(found: RunConfig, wanted: RunConfig): string | null {
  if (runDigest(found) === runDigest(wanted)) return null;
  if (found.program !== wanted.program) return `program ${found.program}, not ${wanted.program}`;
  const old = flatSettings(found.settings), now = flatSettings(wanted.settings);
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [is, other] = [old, now].map((settings) => JSON.stringify(settings.get(name)));
    if (is !== other) return `${name} = ${is ?? "nothing"}, not ${other ?? "nothing"}`;
  }
  return "other settings";
}
