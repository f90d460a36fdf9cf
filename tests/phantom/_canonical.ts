// Where tests speak of the prototype, their numbers come from an independent one in NumPy.
import assert from "node:assert/strict";
import { createScene, type PhantomScene } from "../../lib/phantom/mod.ts";

/** A scene without random parts: all gains 1, no offsets of the plate. */
export const canonicalScene: PhantomScene = createScene(0, "Blue_point", {
  offset: [0, 0],
  turn: 0,
  membraneDistance: 6,
  startOffset: [15, 3, -2],
  startAngleOffset: [1, -1, 2],
  baseForce: 2.4,
  punctureForce: 0.6,
  echoGain: 1,
  viewGains: new Array(5).fill(1),
  channelGains: new Array(15).fill(1),
  cameraPhases: new Array(5).fill(0),
});

/** Compares number by number. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-4,
): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= tolerance,
      `value ${i}: ${actual[i]}, expected ${expected[i]} ± ${tolerance}`,
    );
  }
}
