/** Gradient descent, with momentum if wanted: the simplest optimiser, for tests and baselines. */
import * as tf from "@tensorflow/tfjs";
import { fuse } from "../_fuse.ts";
import { type Variable, variable } from "../variable.ts";
import {
  expectRange,
  expectRates,
  type Optimizer,
  type ParameterGroup,
  piece,
  scheduleOf,
  settingsOf,
} from "./optimizer.ts";

/** Settings of {@link sgd}; the arithmetic is `torch.optim.SGD`'s. */
export interface SgdOptions {
  /** Learning rate. @default {1e-3} */
  readonly learningRate?: number;
  /** Momentum; 0 keeps no state. @default {0} */
  readonly momentum?: number;
  /** Weight decay, added to the gradient. @default {0} */
  readonly weightDecay?: number;
  /** Groups with their own learning rate and weight decay. @default {[]} */
  readonly groups?: readonly ParameterGroup[];
}

/**
 * Stochastic gradient descent.
 *
 * @param options Learning rate, momentum, weight decay, groups.
 * @returns The optimiser. With momentum its state is `momentum_buffer.NAME` (float32, of the
 * parameter's shape).
 * @throws {RangeError} If a setting is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sgd, startEngine, tf, variables } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const parameters = variables({ w: tf.tensor1d([1, 2]) });
 * const optimizer = sgd({ learningRate: 0.5 });
 * optimizer.update({ w: tf.tensor1d([2, 2]) }, optimizer.init(parameters), parameters);
 * assert((await parameters.w.read().data())[1] === 1);
 * ```
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { learningRate = 1e-3, momentum = 0, weightDecay = 0, groups = [] } = options;
  expectRates([{ name: "default", learningRate, weightDecay }, ...groups]);
  expectRange("momentum", momentum, 0, Infinity);
  return {
    init: (parameters) => {
      const state: Record<string, Variable> = {};
      if (momentum === 0) return state;
      for (const [name, { shape }] of Object.entries(parameters)) {
        const zeros = tf.zeros(shape);
        state[`momentum_buffer.${name}`] = variable(zeros, `momentum_buffer.${name}`);
        zeros.dispose();
      }
      return state;
    },
    update: (gradients, state, parameters, { schedule, gradientScale, enabled } = {}) => {
      tf.tidy(() => {
        const scale = gradientScale ?? tf.scalar(1);
        const on = enabled ?? tf.scalar(true, "bool");
        for (const [name, parameter] of Object.entries(parameters)) {
          const settings = settingsOf(groups, parameter, name, { learningRate, weightDecay });
          const { learningRate: rate, weightDecay: decay } = settings;
          const factor = scheduleOf(schedule, settings.group);
          const buffers = momentum === 0
            ? []
            : [piece(state, `momentum_buffer.${name}`, "the state")];
          fuse({
            key: `sgd ${rate} ${decay} ${momentum} ${enabled !== undefined}`,
            variables: [parameter, ...buffers],
            gradient: piece(gradients, name, "the gradient"),
            scalars: [scale, factor, on],
            body: ([p, buffer], g, scalars) => {
              const [scale, factor, on] = scalars();
              const keep = (next: tf.Tensor, old: tf.Tensor) =>
                enabled === undefined ? next : tf.where(on!, next, old);
              const p0 = p!.read();
              let direction: tf.Tensor = g.mul(scale!).add(p0.mul(decay));
              if (buffer !== undefined) {
                const b0 = buffer.read();
                direction = b0.mul(momentum).add(direction);
                buffer.assign(keep(direction, b0));
              }
              p!.assign(keep(p0.sub(direction.mul(factor!.mul(rate))), p0));
            },
          });
        }
      });
    },
  };
}
