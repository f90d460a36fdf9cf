import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import { isThere, removeIfThere, writeAll } from "../../formats/_partial_file.ts";
import { writing } from "../../formats/_write_error.ts";
import { METRICS } from "./_json_file.ts";
import { type MetricsRecord, readMetrics } from "./metrics_log.ts";
import { varintField } from "./_protobuf.ts";
import { LOG_HEADER, logPieces, readLog } from "./_wandb_log.ts";
import {
  configRecord,
  exitRecord,
  headerRecord,
  historyRecord,
  metricRecord,
  readRecord,
  runRecord,
  STEP_METRIC,
  summaryRecord,
  type WandbConfig,
} from "./_wandb_records.ts";

export type { WandbConfig };

/** What a run is for Weights & Biases. */
export interface WandbOptions {
  /** Project, e.g. `QwenVLA-Sensor`. */
  readonly project: string;
  /** Settings of the run. */
  readonly config: WandbConfig;
  /** Name of the run. @default {the name of its folder} */
  readonly name?: string;
}

/** What of a file stays. */
interface Kept {
  readonly bytes: number;
  readonly rows: number;
  readonly records: number;
  readonly names: Set<string>;
  readonly start: number | null;
}

/**
 * A run of Weights & Biases that is recorded offline, in `wandb/offline-run-<time>-<id>/run-<id>.wandb`
 * of the run's folder, without the wandb package: `wandb sync FOLDER` uploads it, `wandb leet FOLDER`
 * shows it. Its history has a row per line of `metrics.jsonl`. A run that goes on keeps its id and its
 * file: rows of steps that are computed again are removed, rows that are missing are taken from
 * `metrics.jsonl`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { MetricsLog } from "./metrics_log.ts";
 * import { WandbRun } from "./wandb_run.ts";
 *
 * const run = Deno.makeTempDirSync();
 * const options = { project: "QwenVLA-Sensor", config: { lr: 1e-4 } };
 * const record = { global_step: 1, "train/loss_step": 0.5 };
 * using metrics = MetricsLog.open(`${run}/metrics.jsonl`);
 * using first = WandbRun.open(run, options);
 * metrics.append(record);
 * first.log(record);
 * first.finish();
 * using again = WandbRun.open(run, options);
 * assert.equal(again.path, first.path);
 * assert.match(again.path, /offline-run-\d{8}_\d{6}-(\w{8})\/run-\1\.wandb$/);
 * ```
 */
export class WandbRun implements Disposable {
  /** Id of the run, the same however often it goes on; also in `wandb.json` of its folder. */
  readonly id: string;
  /** The `.wandb` file. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #names: Set<string>;
  readonly #start: number;
  #at: number;
  #rows: number;
  #records: number;

  private constructor(id: string, path: string, kept: Kept) {
    this.id = id;
    this.path = path;
    this.#names = kept.names;
    this.#start = kept.start ?? Date.now();
    this.#at = kept.bytes;
    this.#rows = kept.rows;
    this.#records = kept.records;
    this.#file = Deno.openSync(path, { write: true, create: true });
    this.#file.truncateSync(kept.bytes);
    this.#file.seekSync(kept.bytes, Deno.SeekMode.Start);
  }

  /**
   * Begins the record of a run, or goes on with it after the last line of `metrics.jsonl`.
   *
   * @param run folder of the run, with `metrics.jsonl` as {@linkcode MetricsLog} opened it
   * @param options project and settings
   * @returns the open record
   * @throws {SyntaxError} when `wandb.json` or `metrics.jsonl` is damaged
   */
  static open(run: string, options: WandbOptions): WandbRun {
    const { project, config, name = basename(run) } = options;
    const id = idOf(run);
    const path = placeOf(run, id);
    const metrics = join(run, METRICS);
    const records = isThere(metrics) ? readMetrics(metrics) : [];
    const kept = isThere(path) ? keptOf(Deno.readFileSync(path), records) : nothing();
    removeIfThere(`${path}.synced`); // what was uploaded is no longer all
    const opened = new WandbRun(id, path, kept);
    try {
      if (kept.bytes === 0) {
        opened.#writeAll(LOG_HEADER);
        opened.#write(headerRecord());
        opened.#write(runRecord({ id, project, name, start: opened.#start }, config));
      } else {
        opened.#write(configRecord(config));
      }
      records.slice(kept.rows).forEach((record) => opened.#append(record));
      return opened;
    } catch (error) {
      opened[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Appends a row to the history.
   *
   * @param record the line that `metrics.jsonl` was given too
   */
  log(record: MetricsRecord): void {
    const now = Date.now();
    this.#append({
      ...record,
      _timestamp: now / 1000,
      _runtime: Math.max(0, now - this.#start) / 1000,
    });
  }

  /**
   * Tells how the run ended. One that has ended may go on.
   *
   * @param exitCode 0 done, others failed or interrupted; default 0
   */
  finish(exitCode = 0): void {
    this.#write(exitRecord(exitCode, Math.max(0, Date.now() - this.#start) / 1000));
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  /** A row is last, so that whatever belongs to it is there if it is. */
  #append(record: MetricsRecord): void {
    for (const name of [STEP_METRIC, ...Object.keys(record)]) {
      if (this.#names.has(name) || name.startsWith("_")) continue;
      this.#names.add(name);
      this.#write(metricRecord(name));
    }
    this.#write(summaryRecord({ ...record, _step: this.#rows }));
    this.#write(historyRecord(this.#rows, record));
    this.#rows++;
  }

  #write(content: readonly number[]): void {
    const record = [...varintField(1, ++this.#records), ...content];
    this.#writeAll(logPieces(Uint8Array.from(record), this.#at));
  }

  #writeAll(bytes: Uint8Array): void {
    writing(this.path, () => writeAll(this.#file, bytes));
    this.#at += bytes.length;
  }
}

const IDENTITY = "wandb.json";

/** The id that a run was given when it was first recorded. */
function idOf(run: string): string {
  const path = join(run, IDENTITY);
  if (!isThere(path)) {
    const id = randomBytes(4).toString("hex");
    writeFileAtomic(path, `${JSON.stringify({ id })}\n`);
    return id;
  }
  const text = Deno.readTextFileSync(path);
  const id = /^\s*\{\s*"id"\s*:\s*"(\w{1,64})"\s*\}\s*$/.exec(text)?.[1];
  if (id !== undefined) return id;
  throw new SyntaxError(
    `Cannot read ${path}: it must hold the id that the run has in Weights & Biases, current value ` +
      `is ${JSON.stringify(text.slice(0, 80))}. Remove the file to begin another record.`,
  );
}

/** The newest record of a run, or where it will be. */
function placeOf(run: string, id: string): string {
  const folder = join(run, "wandb"), start = "offline-run-";
  const names = isThere(folder) ? [...Deno.readDirSync(folder)].map(({ name }) => name) : [];
  const found = names.filter((name) => name.startsWith(start) && name.endsWith(`-${id}`)).sort();
  const stamp = new Date().toISOString().replace(/[-:]/g, "").replace("T", "_").slice(0, 15);
  const place = join(folder, found.at(-1) ?? `${start}${stamp}-${id}`);
  Deno.mkdirSync(join(place, "files"), { recursive: true });
  return join(place, `run-${id}.wandb`);
}

function nothing(): Kept {
  return { bytes: 0, rows: 0, records: 0, names: new Set(), start: null };
}

/** The longest beginning of a file that ends with a row and whose rows are the first of the metrics. */
function keptOf(bytes: Uint8Array, metrics: readonly MetricsRecord[]): Kept {
  let kept = nothing(), records = 0, start: number | null = null;
  const names = new Set<string>();
  for (const { end, data } of readLog(bytes)) {
    if (kept.rows === metrics.length) break;
    records++;
    const found = readRecord(data);
    if (found.kind === "run") start = found.start;
    if (found.kind !== "history") continue;
    if (found.step !== metrics[kept.rows]!.global_step) break;
    found.names.forEach((name) => names.add(name));
    kept = { bytes: end, rows: kept.rows + 1, records, names, start };
  }
  return kept;
}
