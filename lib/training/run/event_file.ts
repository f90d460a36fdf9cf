import { join } from "node:path";
import { writeAll } from "../../formats/_partial_file.ts";
import { maskedCrc32c } from "./_crc32c.ts";
import { bytesField, doubleField, floatField, textField, varintField } from "./_protobuf.ts";
import { histogramTensor, summaryOf, textTensor } from "./_tensor_summary.ts";

const PREFIX = "events.out.tfevents.";

/** Values counted in bins. */
export interface BinnedValues {
  /** Edges of the bins, increasing: one more than bins. */
  readonly edges: ArrayLike<number>;
  /** Values in each bin, not negative. */
  readonly counts: ArrayLike<number>;
}

/**
 * Scalars, histograms and texts for TensorBoard: a file of TFRecords, each an `Event` message
 * (tensorflow/core/util/event.proto).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EventFile } from "./event_file.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * using events = EventFile.create(folder);
 * events.text(0, "settings", "| seed |\n| --- |\n| 1 |");
 * events.scalars(1, { "train/loss_step": 0.5 });
 * events.histogram(1, "train/diffusion_t", { edges: [0, 50, 100], counts: [3, 5] });
 * assert.throws(
 *   () => events.histogram(2, "train/diffusion_t", { edges: [0, 50], counts: [3, 5] }),
 *   /3 edges, current value is 2/,
 * );
 * assert.match([...Deno.readDirSync(folder)][0]!.name, /^events\.out\.tfevents\./);
 * ```
 */
export class EventFile implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /**
   * Begins a file of its own in a folder; TensorBoard joins the files of a folder.
   *
   * @param folder of the run
   * @param options `fromStep`: the step after which the run goes on: TensorBoard forgets what earlier
   * files say of later ones; default 0, which forgets all
   * @returns the open file
   */
  static create(folder: string, options: { readonly fromStep?: number } = {}): EventFile {
    const { fromStep = 0 } = options;
    const time = Math.max(Date.now() / 1000, lastTime(folder) + 0.001);
    const name = `${PREFIX}${time.toFixed(6)}.trocar.${Deno.pid}`;
    const file = Deno.openSync(join(folder, name), { write: true, createNew: true });
    const events = new EventFile(file);
    events.#write(0, textField(3, "brain.Event:2")); // file_version, always the first record
    // SessionLog {status: START} forgets its own step too. Step 0 is that of what is told once, at the
    // beginning: whoever begins again tells it again.
    events.#write(fromStep === 0 ? 0 : fromStep + 1, bytesField(7, varintField(1, 1)));
    return events;
  }

  /**
   * Appends scalars of a step.
   *
   * @param step optimiser steps so far
   * @param values by name; those that are no finite number are left out
   */
  scalars(step: number, values: Readonly<Record<string, unknown>>): void {
    const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    if (finite.length === 0) return;
    const summary = finite.map(([tag, value]) =>
      bytesField(1, [...textField(1, tag), ...floatField(2, value as number)])
    );
    this.#write(step, bytesField(5, summary.flat()));
  }

  /**
   * Appends a histogram of a step; TensorBoard shows it on its pages Histograms and Distributions.
   *
   * @param step optimiser steps so far
   * @param name of the values, e.g. `train/diffusion_t`
   * @param values how many there are in each bin
   * @throws {RangeError} when the edges do not increase or the numbers of edges and counts do not fit
   */
  histogram(step: number, name: string, values: BinnedValues): void {
    this.#write(step, summaryOf(name, "histograms", histogramTensor(name, values)));
  }

  /**
   * Appends a text of a step; TensorBoard shows it on its page Text.
   *
   * @param step optimiser steps so far
   * @param name of the text, e.g. `run/settings`
   * @param markdown what it says
   */
  text(step: number, name: string, markdown: string): void {
    this.#write(step, summaryOf(name, "text", textTensor(markdown)));
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #write(step: number, content: readonly number[]): void {
    const event = Uint8Array.from([
      ...doubleField(1, Date.now() / 1000),
      ...varintField(2, step),
      ...content,
    ]);
    const record = new Uint8Array(event.length + 16);
    const view = new DataView(record.buffer);
    view.setBigUint64(0, BigInt(event.length), true);
    view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
    record.set(event, 12);
    view.setUint32(12 + event.length, maskedCrc32c(event), true);
    writeAll(this.#file, record);
  }
}

/** TensorBoard reads files in the order of their names, which a clock that was set back must not change. */
function lastTime(folder: string): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith(PREFIX))
    .reduce((last, { name }) => Math.max(last, parseFloat(name.slice(PREFIX.length)) || 0), 0);
}
