import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { canonicalJson, type JsonValue } from "../../features/canonical_json.ts";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import { isFolder } from "../../formats/_path.ts";
import { isThere, PARTIAL, removeIfThere } from "../../formats/_partial_file.ts";
import { quote } from "../../formats/quote.ts";

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

/**
 * The folder of a run: `config.json`, `metrics.jsonl`, `split.json`, TensorBoard events, checkpoints,
 * and at the very end `summary.json`: a run without it is unfinished. One process at a time holds it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { RunFolder } from "./run_folder.ts";
 *
 * const runs = Deno.makeTempDirSync();
 * const config = { program: "train:stage1", settings: { seed: 1 }, notes: {} };
 * {
 *   using run = RunFolder.create(runs, config);
 *   assert.match(run.path, /\d{8}-\d{6}-train-stage1$/);
 * }
 * using again = RunFolder.unfinished(runs, config)!; // the same settings: the run goes on
 * again.finish({ steps: 10 });
 * assert.equal(RunFolder.unfinished(runs, config), null);
 * ```
 */
export class RunFolder implements Disposable {
  /** Absolute path. */
  readonly path: string;
  /** What it computes. */
  readonly config: RunConfig;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, config: RunConfig, lock: Deno.FsFile) {
    this.path = path;
    this.config = config;
    this.#lock = lock;
  }

  /**
   * Makes the folder of a new run, named by time and program.
   *
   * @param runs folder of all runs; made if it is not there
   * @param config what it computes
   * @param time of its name; default now
   * @returns the run
   */
  static create(runs: string, config: RunConfig, time: Date = new Date()): RunFolder {
    const stamp = time.toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
    const name = `${stamp}-${config.program.replaceAll(":", "-")}`;
    makeFolder(runs, { recursive: true });
    for (let n = 1;; n++) {
      const path = resolve(runs, n === 1 ? name : `${name}-${n}`);
      if (isThere(path) || !makeFolder(path)) continue;
      return RunFolder.#begin(path, config);
    }
  }

  /**
   * Opens a folder that the user named: a new one, or that of an unfinished run of the same settings.
   *
   * @param path the folder
   * @param config what the run computes
   * @param options `extend`: the run may be finished, and have been meant to end after another number
   * of epochs; default false
   * @returns the run
   * @throws {RangeError} when the folder holds another run, a finished one, or other files, or another
   * process trains in it
   */
  static open(
    path: string,
    config: RunConfig,
    options: { readonly extend?: boolean } = {},
  ): RunFolder {
    const { extend = false } = options;
    const place = resolve(path);
    if (isThere(join(place, "config.json"))) {
      const found = readRunConfig(place);
      const change = extend
        ? firstChange(withoutEpochs(found), withoutEpochs(config))
        : firstChange(found, config);
      if (change !== null) {
        throw new RangeError(
          `Cannot go on in ${place}: its run has ${change}. ` +
            (extend
              ? "With --resume only the number of epochs may change: leave other flags out."
              : "Choose another --run folder, or the same settings."),
        );
      }
      if (extend) {
        const run = RunFolder.#begin(place, config);
        removeIfThere(run.file("summary.json"));
        return run;
      }
      RunFolder.assertUsable(place);
      return RunFolder.#hold(place, found);
    }
    RunFolder.assertUsable(place);
    makeFolder(place, { recursive: true });
    return RunFolder.#begin(place, config);
  }

  /**
   * Refuses a folder that the user named and in which no run can begin or go on, whatever its settings.
   *
   * @param path the folder, which need not be there
   * @throws {RangeError} when it is a file, or holds a finished run or other files
   */
  static assertUsable(path: string): void {
    const place = resolve(path);
    if (!isThere(place)) return;
    const refuse = (found: string) => {
      throw new RangeError(
        `Cannot train in ${place}: it must be empty or hold a run, current value is ${found}. ` +
          "Choose another --run folder.",
      );
    };
    if (!isFolder(place)) refuse("no folder");
    if (isThere(join(place, "summary.json")) && isThere(join(place, "config.json"))) {
      throw new RangeError(
        `Cannot go on in ${place}: its run is finished, see summary.json there. Choose another ` +
          `--run folder, or train longer with: --resume ${quote(path)} --epochs N`,
      );
    }
    if (isThere(join(place, "config.json"))) return;
    const other = [...Deno.readDirSync(place)].map(({ name }) => name)
      .find((name) => name !== ".lock" && !name.includes(PARTIAL));
    if (other !== undefined) refuse(`a folder with other files, such as ${other}`);
  }

  /**
   * The newest unfinished run of the same settings that no other process holds.
   *
   * @param runs folder of all runs
   * @param config what the run computes
   * @returns the run; null if there is none
   */
  static unfinished(runs: string, config: RunConfig): RunFolder | null {
    if (!isThere(runs)) return null;
    const names = [...Deno.readDirSync(runs)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => name).sort().reverse();
    for (const name of names) {
      const path = resolve(runs, name);
      if (!isThere(join(path, "config.json")) || isThere(join(path, "summary.json"))) continue;
      try {
        const found = readRunConfig(path);
        if (firstChange(found, config) === null) return RunFolder.#hold(path, found);
      } catch (error) {
        // Somebody else's run, damaged or in progress, is no reason not to begin one.
        if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error;
      }
    }
    return null;
  }

  /**
   * Path of a file of the run.
   *
   * @param name of the file
   * @returns absolute path
   */
  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * Writes a JSON file of the run, whole or not at all.
   *
   * @param name of the file
   * @param value what it holds
   */
  writeJson(name: string, value: unknown): void {
    writeFileAtomic(this.file(name), `${JSON.stringify(value, null, 2)}\n`);
  }

  /**
   * Writes `summary.json`: the run is finished.
   *
   * @param summary what came out
   */
  finish(summary: object): void {
    this.writeJson("summary.json", summary);
  }

  /** Lets others have the folder. */
  [Symbol.dispose](): void {
    this.#lock.close();
  }

  static #begin(path: string, config: RunConfig): RunFolder {
    const run = RunFolder.#hold(path, config);
    run.writeJson("config.json", { format: FORMAT, version: VERSION, ...config });
    return run;
  }

  static #hold(path: string, config: RunConfig): RunFolder {
    let lock: Deno.FsFile;
    try {
      lock = Deno.openSync(join(path, ".lock"), { write: true, create: true });
    } catch (error) {
      throw new RangeError(
        `Cannot train in ${path}: it must be writable, current value is "${
          (error as Error).message
        }". Choose another folder.`,
        { cause: error },
      );
    }
    if (!lock.tryLockSync(true)) {
      lock.close();
      throw new RangeError(
        `Cannot train in ${path}: another process does. Wait for it, or choose another --run folder.`,
      );
    }
    return new RunFolder(path, config, lock);
  }
}

/**
 * Reads what a run computes.
 *
 * @param folder of the run
 * @returns its configuration
 * @throws {SyntaxError} when `config.json` is damaged or not of a run
 */
export function readRunConfig(folder: string): RunConfig {
  const path = join(folder, "config.json");
  const bad = (what: string) =>
    new SyntaxError(`Cannot read ${path}: it must be the configuration of a run, ${what}.`);
  let value: Record<string, unknown> | null;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw bad(`current value is no JSON: ${error.message}`);
  }
  if (value?.format !== FORMAT || value.version !== VERSION) {
    throw bad(
      `of version ${VERSION}, current value is ${JSON.stringify(value?.format)} ${value?.version}`,
    );
  }
  const { program, settings, notes } = value;
  if (typeof program !== "string" || !isObject(settings) || !isObject(notes)) {
    throw bad("current value lacks program, settings or notes");
  }
  return { program, settings, notes } as RunConfig;
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

/** Whether a folder was made; false when another process was first. */
function makeFolder(path: string, options: Deno.MkdirOptions = {}): boolean {
  try {
    Deno.mkdirSync(path, options);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists && isFolder(path)) return false;
    throw new RangeError(
      `Cannot make the run's folder ${path}: ${
        (error as Error).message
      }. Choose another one with ` +
        "--run or --runs.",
      { cause: error },
    );
  }
}

/** How long a run trains does not change what it begins with. */
function withoutEpochs({ program, settings, notes }: RunConfig): RunConfig {
  const { training } = settings;
  if (!isObject(training)) return { program, settings, notes };
  const { epochs: _, ...rest } = training as Record<string, JsonValue>;
  return { program, settings: { ...settings, training: rest }, notes };
}

/** The first setting in which two runs differ, in words; null if there is none. */
function firstChange(found: RunConfig, wanted: RunConfig): string | null {
  if (runDigest(found) === runDigest(wanted)) return null;
  if (found.program !== wanted.program) return `program ${found.program}, not ${wanted.program}`;
  const flat = (value: JsonValue, name: string): [string, string][] =>
    isObject(value)
      ? Object.entries(value).flatMap(([key, member]) =>
        flat(member as JsonValue, name === "" ? key : `${name}.${key}`)
      )
      : [[name, JSON.stringify(value)]];
  const old = new Map(flat(found.settings, "")), now = new Map(flat(wanted.settings, ""));
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    if (old.get(name) === now.get(name)) continue;
    return `${name} = ${old.get(name) ?? "nothing"}, not ${now.get(name) ?? "nothing"}`;
  }
  return "other settings";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
