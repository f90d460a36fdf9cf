import { join } from "node:path";
import { writeAll } from "../../formats/_partial_file.ts";
import { maskedCrc32c } from "./_crc32c.ts";
import { bytesField, doubleField, floatField, textField, varintField } from "./_protobuf.ts";

/**
 * Scalars for TensorBoard: a file of TFRecords, each an `Event` message (tensorflow/core/util/event.proto).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EventFile } from "./event_file.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * using events = EventFile.create(folder);
 * events.scalars(1, { "train/loss_step": 0.5 });
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
   * @param options `fromStep`: the step from which the run goes on: TensorBoard forgets what earlier
   * files say of it and later ones; default 0
   * @returns the open file
   */
  static create(folder: string, options: { readonly fromStep?: number } = {}): EventFile {
    const { fromStep = 0 } = options;
    const now = Date.now() / 1000;
    const name = `events.out.tfevents.${now.toFixed(6)}.trocar.${Deno.pid}`;
    const file = Deno.openSync(join(folder, name), { write: true, createNew: true });
    const events = new EventFile(file);
    events.#write(0, textField(3, "brain.Event:2")); // file_version, always the first record
    // SessionLog {status: START}
    if (fromStep > 0) events.#write(fromStep, bytesField(7, varintField(1, 1)));
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
