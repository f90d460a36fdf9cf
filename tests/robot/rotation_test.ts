import assert from "node:assert/strict";
import { rotationMatrix, rotationVector, wrapDegrees } from "../../lib/robot/rotation.ts";
import { range } from "../episodes/_logs.ts";

const angle = (from: number[], to: number[]) => Math.hypot(...rotationVector(from, to));

Deno.test("angles are reduced to [-180, 180)", () => {
  for (
    const [angle, wrapped] of [
      [-358.8, 1.2],
      [358.8, -1.2],
      [180, -180],
      [190, -170],
      [359, -1],
      [181, -179],
      [-180, -180],
      [720 + 5, 5],
    ] as const
  ) assert(Math.abs(wrapDegrees(angle) - wrapped) < 1e-9, `${angle}`);
});

Deno.test("true rotation angles see through gimbal lock", () => {
  assert(angle([0, 90, 0], [90, 90, -90]) < 1e-6);
  assert(Math.abs(angle([0, 89, 0], [90, 89, -90]) - 1.4142) < 1e-3);
  const moved = angle([178.747768, 19.072951, 144.284313], [179.9, 19, 144]);
  assert(Math.abs(moved - 1.09549) < 1e-5);
});

Deno.test("the rotation vector leads from the first orientation to the second", () => {
  let state = 7;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31 * 360 - 180;
  const multiply = (a: readonly number[], b: readonly number[]) =>
    range(
      9,
      (k) =>
        range(3).reduce((sum, m) => sum + a[3 * Math.floor(k / 3) + m]! * b[3 * m + k % 3]!, 0),
    );
  /** Rodrigues' formula. */
  const exponential = (v: readonly number[]) => {
    const degrees = Math.hypot(...v), t = degrees * Math.PI / 180;
    const [x, y, z] = v.map((each) => degrees === 0 ? 0 : each / degrees) as [
      number,
      number,
      number,
    ];
    const k = [0, -z, y, z, 0, -x, -y, x, 0], kk = multiply(k, k);
    return range(
      9,
      (i) => (i % 4 === 0 ? 1 : 0) + Math.sin(t) * k[i]! + (1 - Math.cos(t)) * kk[i]!,
    );
  };
  const cases = range(500).map(() => [range(3, random), range(3, random)] as const);
  const half = [[0, 0, 0], [180, 0, 0]], halfTilted = [[0, 0, 0], [0, 180, 0]];
  for (const [from, to] of [...cases, half, halfTilted, [[1, 2, 3], [1, 2, 3]]]) {
    const reached = multiply(
      rotationMatrix(from![0]!, from![1]!, from![2]!),
      exponential(rotationVector(from!, to!)),
    );
    rotationMatrix(to![0]!, to![1]!, to![2]!).forEach((value, k) =>
      assert(Math.abs(reached[k]! - value) < 1e-9, `${from} to ${to}`)
    );
  }
});
