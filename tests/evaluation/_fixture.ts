import assert from "node:assert/strict";
import type { ChunkPredictions } from "../../lib/evaluation/mod.ts";

/** Where the recorded numbers lie. */
export const FOLDER = new URL("../../data-fixtures/evaluation/", import.meta.url);
/** Published predictions of a trained policy on a real episode. */
export const GREEN_POINT = new URL("green_point_predictions.json", FOLDER).pathname;

/** What NumPy says of errors. */
export type RecordedErrors = Readonly<Record<string, unknown>>;

/** `evaluation.json`. */
export const recorded = JSON.parse(
  Deno.readTextFileSync(new URL("evaluation.json", FOLDER)),
) as {
  windows: number;
  horizon: number;
  dimensions: number;
  formula: Record<string, RecordedErrors>;
  green_point: Record<string, RecordedErrors>;
};

/** The integer formula of make_evaluation.py. */
export function formula(count: number, salt: number): Float64Array {
  return Float64Array.from(
    { length: count },
    (_, i) => ((i * 7919 + salt * 104729) % 1009) / 1009 - 0.5,
  );
}

/** The chunks of make_evaluation.py; `rotationScale` multiplies dimensions 3 to 5. */
export function formulaChunks(rotationScale = 1): ChunkPredictions {
  const { windows, horizon, dimensions: width } = recorded;
  const scale = (values: Float64Array) =>
    values.map((value, i) => i % width >= 3 && i % width < 6 ? value * rotationScale : value);
  const truth = formula(windows * horizon * width, 1);
  const noise = formula(windows * horizon * width, 2);
  const mask = new Uint8Array(windows * horizon).fill(1);
  for (let w = 0; w < windows; w += 4) {
    mask.fill(0, w * horizon + 1 + w % horizon, (w + 1) * horizon);
  }
  const lastAction = formula(windows * width, 3);
  for (let w = 0; w < windows; w += 9) lastAction.fill(NaN, w * width, (w + 1) * width);
  return {
    windows,
    horizon,
    dimensions: ["dx", "dy", "dz", "da", "db", "dr", "gripper"],
    units: ["mm", "mm", "mm", "deg", "deg", "deg", "1"],
    counted: [0, 1, 2],
    rotation: "euler",
    truth: scale(truth),
    predicted: scale(truth.map((value, i) => value + 0.3 * noise[i]!)),
    mask,
    episode: new Int32Array(windows),
    lastAction,
    meanAction: formula(width, 4),
    startAngles: formula(3 * windows, 5).map((value) => 360 * value),
  };
}

/** Compares every number that was recorded. */
export function assertErrors(actual: object, expected: RecordedErrors, tolerance = 1e-12): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = (actual as Record<string, unknown>)[name];
    assertNear(found, value, tolerance, name);
  }
}

function assertNear(actual: unknown, expected: unknown, tolerance: number, at: string): void {
  if (typeof expected === "number") {
    const near = Math.abs(Number(actual) - expected) <= tolerance * Math.max(1, Math.abs(expected));
    assert(near, `${at}: ${actual} should be ${expected}`);
    return;
  }
  const entries = Object.entries(expected as object);
  assert(entries.length > 0, `${at} holds nothing`);
  for (const [key, value] of entries) {
    assertNear((actual as Record<string, unknown>)[key], value, tolerance, `${at}.${key}`);
  }
}
