/** Lets ops of a graph wait for ops whose results they do not use. */
import type { Pointer } from "./_library.ts";

/** What the ops wait for that are added next. */
export class OpOrder {
  #waits: readonly Pointer[] = [];
  /** The last op of the last section. */
  #sectionEnd: Pointer | undefined;
  #lastOp: Pointer | undefined;

  /** What an op that is added now must wait for. */
  get waits(): readonly Pointer[] {
    return this.#waits;
  }

  /** Told each op that is added. */
  added(op: Pointer): void {
    this.#lastOp = op;
  }

  /** Adds ops that do not run before others. */
  after<T>(ops: readonly Pointer[], body: () => T): T {
    const before = this.#waits;
    this.#waits = ops;
    try {
      return body();
    } finally {
      this.#waits = before;
    }
  }

  /** Adds ops that do not run before others, nor before those of the section before. */
  section(ops: readonly Pointer[], body: () => void): void {
    this.after(this.#sectionEnd === undefined ? ops : [...ops, this.#sectionEnd], () => {
      body();
      this.#sectionEnd = this.#lastOp;
    });
  }
}
