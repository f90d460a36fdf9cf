import { join, resolve } from "node:path";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import { isFile, isFolder } from "../../formats/_path.ts";
import { isThere, PARTIAL, removeIfThere } from "../../formats/_partial_file.ts";
import { quote } from "../../formats/quote.ts";
import { CONFIG, SUMMARY } from "./_json_file.ts";
import { LOCK, takeLock } from "./_lock.ts";
import {
  firstChange,
  readRunConfig,
  type RunConfig,
  runConfigDocument,
  withoutEpochs,
} from "./run_config.ts";

export {
  flatSettings,
  readRunConfig,
  type RunConfig,
  runDigest,
  settingsMarkdown,
} from "./run_config.ts";
export { isHeld } from "./_lock.ts";

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
    if (isThere(join(place, CONFIG))) {
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
        removeIfThere(run.file(SUMMARY));
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
    if (isThere(join(place, SUMMARY)) && isThere(join(place, CONFIG))) {
      throw new RangeError(
        `Cannot go on in ${place}: its run is finished, see summary.json there. Choose another ` +
          `--run folder, or train longer with: --resume ${quote(path)} --epochs N`,
      );
    }
    if (isThere(join(place, CONFIG))) return;
    const other = [...Deno.readDirSync(place)].map(({ name }) => name)
      .find((name) => name !== LOCK && !name.includes(PARTIAL));
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
      if (!isThere(join(path, CONFIG)) || isThere(join(path, SUMMARY))) continue;
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
    this.writeJson(SUMMARY, summary);
  }

  /** Lets others have the folder. */
  [Symbol.dispose](): void {
    this.#lock.close();
  }

  static #begin(path: string, config: RunConfig): RunFolder {
    const run = RunFolder.#hold(path, config);
    run.writeJson(CONFIG, runConfigDocument(config));
    return run;
  }

  static #hold(path: string, config: RunConfig): RunFolder {
    let lock: Deno.FsFile;
    const place = join(path, LOCK);
    try {
      if (isThere(place) && !isFile(place)) throw new TypeError(`${LOCK} is no file`);
      lock = Deno.openSync(place, { write: true, create: true });
    } catch (error) {
      throw new RangeError(
        `Cannot train in ${path}: it must be writable, current value is "${
          (error as Error).message
        }". Choose another folder.`,
        { cause: error },
      );
    }
    if (!takeLock(lock)) {
      lock.close();
      throw new RangeError(
        `Cannot train in ${path}: another process does. Wait for it, or choose another --run folder.`,
      );
    }
    return new RunFolder(path, config, lock);
  }
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
