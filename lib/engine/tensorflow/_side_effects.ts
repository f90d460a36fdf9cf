/**
 * Orders the ops of a graph that read or write state, as `tf.function`'s automatic control
 * dependencies do: writes of a variable wait for its earlier reads and for the ops that use what was
 * read, reads wait for earlier writes, and all other ops with effects run in the order of tracing.
 */
import type { Pointer } from "./_library.ts";
import { DT } from "./_dtypes.ts";

interface Node {
  readonly op: Pointer;
  readonly dtype: number;
}

/** Ops whose output may share its input's memory. */
const ALIASING = new Set(["Identity", "Reshape", "ExpandDims", "Squeeze", "SplitV", "Slice"]);

interface VariableOrder {
  lastWrite: Pointer | undefined;
  /** Reads since the last write, and the ops that use the memory they returned. */
  users: Set<Pointer>;
}

/** Control edges of one graph. */
export class SideEffects {
  readonly #variables = new Map<Pointer, VariableOrder>();
  /** Operations whose output is a variable's memory, and the placeholders of those variables. */
  readonly #aliases = new Map<Pointer, Pointer>();
  #lastOther: Pointer | undefined;

  /** Operations that must run before this one. */
  before(name: string, stateful: boolean, inputs: readonly Node[]): Pointer[] {
    const resources = inputs.filter((input) => input.dtype === DT.resource);
    const before: Pointer[] = [];
    for (const { op } of resources) {
      const { lastWrite, users } = this.#order(op);
      if (name !== "ReadVariableOp") before.push(...users);
      if (lastWrite !== undefined) before.push(lastWrite);
    }
    if (resources.length === 0 && stateful && this.#lastOther !== undefined) {
      before.push(this.#lastOther);
    }
    return before;
  }

  /** Notes an operation that was added. */
  after(name: string, stateful: boolean, op: Pointer, inputs: readonly Node[]): void {
    const resources = inputs.filter((input) => input.dtype === DT.resource);
    for (const { op: resource } of resources) {
      const order = this.#order(resource);
      if (name === "ReadVariableOp") {
        order.users.add(op);
        this.#aliases.set(op, resource);
      } else {
        order.lastWrite = op;
        order.users = new Set();
      }
    }
    for (const input of inputs) {
      const resource = this.#aliases.get(input.op);
      if (resource === undefined) continue;
      this.#order(resource).users.add(op);
      if (ALIASING.has(name)) this.#aliases.set(op, resource);
    }
    if (resources.length === 0 && stateful) this.#lastOther = op;
  }

  /** Operations that the function must run even though nothing it returns depends on them. */
  last(): Pointer[] {
    const last = new Set<Pointer>();
    for (const { lastWrite } of this.#variables.values()) {
      if (lastWrite !== undefined) last.add(lastWrite);
    }
    if (this.#lastOther !== undefined) last.add(this.#lastOther);
    return [...last];
  }

  #order(resource: Pointer): VariableOrder {
    let order = this.#variables.get(resource);
    if (order === undefined) {
      order = { lastWrite: undefined, users: new Set() };
      this.#variables.set(resource, order);
    }
    return order;
  }
}
