/**
 * The sensor's file cannot be read, while the rest of the recording can.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DamagedSensorError } from "./damaged_sensor_error.ts";
 *
 * assert(new DamagedSensorError("Cannot read a.npz.").message.includes("--drop-damaged-sensor"));
 * ```
 */
export class DamagedSensorError extends SyntaxError {
  /** As error messages show it. */
  override readonly name = "DamagedSensorError";

  /**
   * Adds what to do.
   *
   * @param message what is wrong with the file, and where
   */
  constructor(message: string) {
    super(`${message} Copy the file again, or go on without the sensor: --drop-damaged-sensor.`);
  }
}
