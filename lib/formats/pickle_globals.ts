import type { PickleValue } from "./pickle_values.ts";

/**
 * What a name that a pickle asks for stands for. Without functions it may only be mentioned, and is
 * a `PickleReference` in the data.
 *
 * @typeParam Custom what the functions return beside plain values
 */
export interface PickleGlobal<Custom = never> {
  /**
   * Makes the value where Python would call the name.
   *
   * @param args of the call
   * @param context reports what is wrong
   * @returns the value
   */
  readonly construct?: (
    args: readonly PickleValue<Custom>[],
    context: PickleContext,
  ) => PickleValue<Custom>;
  /**
   * Gives an object that `construct` made its state, as Python's `__setstate__`.
   *
   * @param object as `construct` returned it, to be changed
   * @param state the second part of what Python saved
   * @param context reports what is wrong
   */
  readonly build?: (
    object: PickleValue<Custom>,
    state: PickleValue<Custom>,
    context: PickleContext,
  ) => void;
}

/** Where in which file a {@linkcode PickleGlobal} is called. */
export interface PickleContext {
  /** The file, or what was given as its name. */
  readonly path: string;
  /** Byte offset of the opcode that makes the call. */
  readonly offset: number;
  /**
   * Ends the reading with a `SyntaxError` that names file and byte offset.
   *
   * @param state what should be
   * @param value what was found instead
   * @param advice what to do next
   */
  fail(state: string, value: unknown, advice?: string): never;
  /**
   * Counts memory that the value to be made will take, before it is taken; ends the reading when a
   * file asks for much more than its size lets expect.
   *
   * @param bytes of the value
   */
  charge(bytes: number): void;
}
