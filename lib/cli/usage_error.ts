/**
 * An error of whoever typed the command: an unknown flag, a value out of range. Ends the process
 * with exit code 2.
 *
 * @example
 * ```ts
 * import { UsageError } from "./mod.ts";
 * const error = new UsageError('Cannot use --data: the folder should exist, current value is "x"');
 * console.log(error.name); // "UsageError"
 * ```
 */
export class UsageError extends Error {
  /** Always `UsageError`. */
  override readonly name = "UsageError";
}
