import type { PickleReference } from "./pickle_values.ts";

/** Parts of a {@linkcode PickleCall} besides name and arguments. */
export interface PickleCallRest {
  /** Set in the result, which is a kind of dict. */
  readonly entries?: ReadonlyMap<unknown, unknown>;
  /** Given to the result's `__setstate__`. */
  readonly state?: unknown;
}

/** A value to be written that Python makes by calling a name. */
export class PickleCall {
  readonly callable: PickleReference;
  readonly args: readonly unknown[];
  readonly entries: ReadonlyMap<unknown, unknown> | undefined;
  readonly state: unknown;

  constructor(callable: PickleReference, args: readonly unknown[], rest: PickleCallRest = {}) {
    this.callable = callable;
    this.args = args;
    this.entries = rest.entries;
    this.state = rest.state;
  }
}

/** Data to be written outside of the pickle; it holds only what they are. */
export class PicklePersistent {
  readonly id: readonly unknown[];

  constructor(id: readonly unknown[]) {
    this.id = id;
  }
}
