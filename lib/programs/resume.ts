/** `--resume`: a run goes on with the flags that it was made with. */
import { dirname, join, resolve } from "node:path";
import { openCheckpoint, pointerPath } from "../checkpoints/mod.ts";
import { type Flags, quote, UsageError } from "../cli/mod.ts";
import type { JsonValue } from "../features/mod.ts";
import { isFile, isThere } from "../formats/_path.ts";
import { readRunConfig } from "../training/mod.ts";
import { expectAdapter } from "./feature_flags.ts";

/** Flags that say where and how a program is called, not what it computes. */
const NOT_KEPT = ["run", "runs", "resume", "noResume", "mode"];
/** Flags that hold paths, which are meant from where the program was called. */
const PATHS = ["data", "cache", "import", "model", "adapter", "stage1Checkpoint"];

/**
 * Values of flags as a run's `config.json` keeps them in `notes.flags`.
 *
 * @param flags of the program
 * @param values of all of them
 * @returns the values, paths absolute
 */
export function keptFlags(
  flags: Flags,
  values: Readonly<Record<string, unknown>>,
): Record<string, JsonValue> {
  const absolute = (value: unknown) =>
    Array.isArray(value) ? value.map((path) => resolve(path)) : resolve(String(value));
  return Object.fromEntries(
    Object.keys(flags)
      .filter((name) => !NOT_KEPT.includes(name) && values[name] !== undefined)
      .map((name) => [name, PATHS.includes(name) ? absolute(values[name]) : values[name]]),
  ) as Record<string, JsonValue>;
}

/**
 * Values of the flags of a program that goes on with a run: those given, and for all others those that
 * the run was made with.
 *
 * @param program that trains, e.g. `train:stage1`
 * @param flags of the program
 * @param values as they were read
 * @param given names of the flags that were given
 * @returns the values; `resume` is the run's folder
 * @throws {UsageError} when `--run` or `--no-resume` contradicts `--resume`
 * @throws {RangeError} when `--resume` names no run of this program
 * @throws {Deno.errors.NotFound} when the run's adapter is no longer where it was
 */
export function resumedValues<
  T extends {
    readonly resume: string | undefined;
    readonly run: string | undefined;
    readonly noResume: boolean;
  },
>(program: string, flags: Flags, values: T, given: ReadonlySet<string>): T {
  if (values.resume === undefined) return values;
  if (values.run !== undefined || values.noResume) {
    throw new UsageError("Cannot use --resume with --run or --no-resume: leave one of them out.");
  }
  assertRun(values.resume);
  const found = readRunConfig(values.resume);
  if (found.program !== program) {
    throw new RangeError(
      `Cannot go on with ${values.resume}: it must be a run of ${program}, current value is one of ` +
        `${found.program}. Use deno task ${found.program}.`,
    );
  }
  const kept = Object.entries(found.notes.flags ?? {})
    .filter(([name]) => name in flags && !given.has(name) && !NOT_KEPT.includes(name))
    .map(([name, value]) => {
      const flag = flags[name]!;
      if (flag.kind === "switch") return [name, value === true];
      const texts = Array.isArray(value) ? value.map(String) : [String(value)];
      return [name, texts.length === 0 ? flag.fallback : flag.parse(`the run's ${name}`, texts)];
    });
  const resumed = { ...values, ...Object.fromEntries(kept) };
  const { adapter } = Object.fromEntries(kept);
  if (typeof adapter === "string") expectAdapter(values.resume, adapter);
  return resumed;
}

/** How many samples the steps of a run take. */
export interface ResumedBatch {
  /** Samples of a micro-batch. */
  readonly batchSize: number;
  /** Samples of a step, of all processes together. */
  readonly effectiveBatch: number;
}

/**
 * The steps of a run that goes on, maybe in another number of processes.
 *
 * @param run its folder; undefined for a new run
 * @returns its batch; null for a new run
 */
export function resumedBatch(run: string | undefined): ResumedBatch | null {
  if (run === undefined) return null;
  const { training } = readRunConfig(run).settings as { training?: Partial<ResumedBatch> };
  const { batchSize, effectiveBatch } = training ?? {};
  return typeof batchSize === "number" && typeof effectiveBatch === "number"
    ? { batchSize, effectiveBatch }
    : null;
}

/**
 * Refuses to end a run before where it is.
 *
 * @param run its folder
 * @param epochs that it should have in all
 * @throws {RangeError} when it has more
 */
export function expectLonger(run: string, epochs: number): void {
  if (!isThere(pointerPath(run, "latest"))) return;
  using checkpoint = openCheckpoint(run, { which: "latest" });
  const done = checkpoint.epoch ?? 0;
  if (done <= epochs) return;
  throw new RangeError(
    `Cannot go on with ${run}: --epochs counts all epochs and must be at least the ${done} that are ` +
      `done, current value is ${epochs}. Name more epochs.`,
  );
}

function assertRun(path: string): void {
  const isRun = (folder: string) => isFile(join(folder, "config.json"));
  if (isRun(path)) return;
  const place = resolve(path);
  const run = [dirname(place), dirname(dirname(place))].find(isRun);
  if (run !== undefined && isThere(path)) {
    throw new RangeError(
      `Cannot go on from ${path}: a run goes on from its latest state, not from a checkpoint of ` +
        `one's choice. Name the run: --resume ${quote(run)}`,
    );
  }
  throw new RangeError(
    `Cannot go on from ${path}: it must be a run, a folder with config.json, current value is ` +
      `${isThere(path) ? "another file or folder" : "nothing: it is not there"}. Check --resume.`,
  );
}
