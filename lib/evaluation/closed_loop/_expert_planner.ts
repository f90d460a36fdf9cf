import { deriveKey, fillNormal } from "../../engine/_philox.ts";
import { expertVelocity } from "../../phantom/expert.ts";
import { ACTION_SECONDS, ACTION_VALUES, CHUNK_ACTIONS } from "../../phantom/samples.ts";
import type { PhantomScene } from "../../phantom/scene.ts";

/** Parts in which an action of a plan is computed. */
const PARTS = 10;
/** Share of a plan's error that all its actions have in common: plans differ as a whole. */
const COMMON = 0.8;

/** Plans chunks as a policy would, but from the truth, with errors. */
export class ExpertPlanner {
  readonly #scene: PhantomScene;
  readonly #error: number;
  readonly #key: readonly [number, number];

  /** @param error spread of the errors, mm and degrees per action */
  constructor(scene: PhantomScene, error: number) {
    this.#scene = scene;
    this.#error = error;
    this.#key = deriveKey(scene.seed, "errors of the planner");
  }

  /**
   * @param pose `(6)` where the robot is
   * @param isPunctured whether the membrane is
   * @param number of the plan, decides its errors
   * @returns `(8·7)` actions
   */
  plan(pose: ArrayLike<number>, isPunctured: boolean, number: number): Float64Array {
    const at = Float64Array.from({ length: 6 }, (_, i) => pose[i]!);
    const chunk = new Float64Array(CHUNK_ACTIONS * ACTION_VALUES);
    const errors = new Float32Array(6 * (CHUNK_ACTIONS + 1));
    fillNormal(errors, this.#key, number);
    for (let step = 0; step < CHUNK_ACTIONS; step++) {
      const before = at.slice();
      for (let part = 0; part < PARTS; part++) {
        const velocity = expertVelocity(this.#scene, at, isPunctured);
        velocity.forEach((value, i) => at[i] = at[i]! + value * ACTION_SECONDS / PARTS);
      }
      for (let i = 0; i < 6; i++) {
        const own = errors[6 * (step + 1) + i]!, common = errors[i]!;
        const error = this.#error * (COMMON * common + Math.sqrt(1 - COMMON ** 2) * own);
        chunk[step * ACTION_VALUES + i] = at[i]! - before[i]! + error;
      }
      chunk[step * ACTION_VALUES + 6] = 1;
    }
    return chunk;
  }
}
