/** What kept a set-up from finishing; a stable word that a caller can branch on. */
export type InstallErrorCode =
  | "bad-setting"
  | "unsupported-platform"
  | "no-python"
  | "no-pip"
  | "no-network"
  | "pip-failed"
  | "wrong-hash"
  | "bad-wheel"
  | "no-space"
  | "not-writable"
  | "interrupted"
  | "lock-lost"
  | "cannot-load";

/**
 * An error of the set-up of TensorFlow: what happened, where, and what to do about it.
 *
 * @example
 * ```ts
 * import { InstallError } from "trocar/engine";
 * const error = new InstallError("no-python", "Cannot download TensorFlow: python3 is missing");
 * console.log(error.code); // "no-python"
 * ```
 */
export class InstallError extends Error {
  /** Always `InstallError`. */
  override readonly name = "InstallError";
  /** Which kind of obstacle it was. */
  readonly code: InstallErrorCode;

  /**
   * @param code which kind of obstacle it was
   * @param message what happened, where, and what to do next
   * @param options the error that caused this one, if any
   */
  /**
   * An error with a code.
   *
   * @param code what went wrong
   * @param message what happened, where, and what to do
   * @param options the cause
   */
  constructor(code: InstallErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}
