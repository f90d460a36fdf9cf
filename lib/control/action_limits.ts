/** How fast a robot may be told to move. */
import { assertPositive } from "./_positive.ts";

/** Largest commands. */
export interface ActionLimits {
  /** Speed of the tool, mm/s. */
  readonly speedMm: number;
  /** Speed of turning, °/s: the sum of the three angles' speeds, which the turn never exceeds. */
  readonly turnDeg: number;
  /** Change of the tool's velocity, mm/s². @default {any} */
  readonly accelerationMm?: number;
}

/** Which limit changed an action. */
export type LimitReason = "speed" | "turn" | "acceleration";

/** An action that may be sent. */
export interface LimitedAction {
  /** `(6)` differences of x, y, z in mm and of a, b, r in degrees, for one period. */
  readonly action: Float64Array;
  /** Limits that changed it, in the order in which they did. */
  readonly reasons: readonly LimitReason[];
}

/** Quotients are this exact: what is just at its limit was not changed by it. */
const ROUNDING = 1e-9;

/**
 * Brings an action within its limits. A motion that is too fast is made shorter and keeps its
 * direction; limiting each axis by itself, as the Python reference did, would bend the path. Speed
 * goes before acceleration: a robot that is faster than it may be is slowed down at once.
 *
 * @param action `(≥ 6)` differences of x, y, z in mm and of a, b, r in degrees
 * @param limits largest speeds
 * @param options `before`: `(≥ 3)` action that was sent last, default rest; `periodSeconds`: how long
 * an action takes, default 0.1
 * @returns the action that may be sent, and what changed it
 * @throws {RangeError} when a value is not finite, or a limit or the period not positive
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { limitAction } from "./mod.ts";
 *
 * const limits = { speedMm: 5, turnDeg: 10 };
 * const { action, reasons } = limitAction([0.6, 0, -0.8, 0, 0, 0.1], limits); // 10 mm/s
 * assert.deepEqual([...action.map((v) => Number(v.toFixed(3)))], [0.3, 0, -0.4, 0, 0, 0.1]);
 * assert.deepEqual(reasons, ["speed"]);
 * ```
 */
export function limitAction(
  action: ArrayLike<number>,
  limits: ActionLimits,
  options: { readonly before?: ArrayLike<number>; readonly periodSeconds?: number } = {},
): LimitedAction {
  const { before = [0, 0, 0], periodSeconds = 0.1 } = options;
  const out = Float64Array.from({ length: 6 }, (_, i) => action[i]!);
  const last = Float64Array.from({ length: 3 }, (_, i) => before[i]!);
  assertFinite("the action", out);
  assertFinite("the action before", last);
  const { speedMm, turnDeg, accelerationMm = Infinity } = limits;
  assertPositive("limit an action", { speedMm, turnDeg, accelerationMm, periodSeconds });
  const reasons: LimitReason[] = [];
  const scale = (reason: LimitReason, size: number, most: number): number => {
    if (size <= most * (1 + ROUNDING)) return 1;
    if (!reasons.includes(reason)) reasons.push(reason);
    return most / size;
  };
  const slower = () =>
    scale("speed", Math.hypot(out[0]!, out[1]!, out[2]!), speedMm * periodSeconds);
  const shorter = slower();
  const turn = Math.abs(out[3]!) + Math.abs(out[4]!) + Math.abs(out[5]!);
  const less = scale("turn", turn, turnDeg * periodSeconds);
  for (let i = 0; i < 6; i++) out[i] = out[i]! * (i < 3 ? shorter : less);
  const change = Math.hypot(out[0]! - last[0]!, out[1]! - last[1]!, out[2]! - last[2]!);
  const part = scale("acceleration", change, accelerationMm * periodSeconds ** 2);
  for (let i = 0; i < 3 && part < 1; i++) out[i] = last[i]! + part * (out[i]! - last[i]!);
  const again = slower(); // the action before may have been too fast
  for (let i = 0; i < 3; i++) out[i] = out[i]! * again;
  return { action: out, reasons };
}

function assertFinite(what: string, values: Float64Array): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new RangeError(
    `Cannot limit an action: value ${bad} of ${what} must be finite, current value is ` +
      `${values[bad]}. Hold the robot, and look at what the policy was given.`,
  );
}
