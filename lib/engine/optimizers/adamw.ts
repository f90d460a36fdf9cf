/** Adam with decoupled weight decay. */
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

/** Settings of {@link adamw}; the defaults are PyTorch's. */
export interface AdamWOptions {
  /** Learning rate. @default {1e-3} */
  readonly learningRate?: number;
  /** Decay rates of the two moments. @default {[0.9, 0.999]} */
  readonly betas?: readonly [number, number];
  /** Added to the denominator. @default {1e-8} */
  readonly epsilon?: number;
  /** Decoupled weight decay. @default {0.01} */
  readonly weightDecay?: number;
  /** Groups with their own learning rate and weight decay. @default {[]} */
  readonly groups?: readonly ParameterGroup[];
}

/**
 * AdamW. In a compiled function on the native engine each parameter's update is one program that reads
 * and writes parameter, moments and gradient in place.
 *
 * Loshchilov and Hutter, Decoupled Weight Decay Regularization, https://arxiv.org/abs/1711.05101; the
 * arithmetic and the names of the state (`exp_avg`, `exp_avg_sq`) are those of `torch.optim.AdamW`.
 *
 * @param options Learning rate, betas, epsilon, weight decay, groups.
 * @returns The optimiser. Its state is `step` (int32 scalar), `exp_avg.NAME` and `exp_avg_sq.NAME`
 * (float32, of the parameter's shape).
 * @throws {RangeError} If a setting is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { adamw, compile, read, startEngine, tf, valueAndGradients, variables } from "trocar/engine";
 *
 * await startEngine({ quiet: true });
 * const parameters = variables({ w: tf.tensor1d([3, -2]) });
 * const optimizer = adamw({ learningRate: 0.1, weightDecay: 0 });
 * const state = optimizer.init(parameters);
 * const step = compile(() => {
 *   const { value, gradients } = valueAndGradients(
 *     ({ w }) => w.square().sum(),
 *     read(parameters),
 *   );
 *   optimizer.update(gradients, state, parameters);
 *   return value;
 * }, { name: "step" });
 * for (let i = 0; i < 50; i++) step().dispose();
 * assert((await parameters.w.read().abs().max().data())[0]! < 0.2);
 * ```
 */
export function adamw(options: AdamWOptions = {}): Optimizer {
  const { learningRate = 1e-3, betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01 } = options;
  const groups = options.groups ?? [];
  const [beta1, beta2] = betas;
  expectRates([{ name: "default", learningRate, weightDecay }, ...groups]);
  expectRange("beta 1", beta1, 0, 1);
  expectRange("beta 2", beta2, 0, 1);
  expectRange("epsilon", epsilon, 0, Infinity);

  return {
    init: (parameters) => {
      const state: Record<string, Variable> = {};
      const add = (name: string, zeros: tf.Tensor) => {
        state[name] = variable(zeros, name);
        zeros.dispose();
      };
      add("step", tf.scalar(0, "int32"));
      for (const [name, { shape }] of Object.entries(parameters)) {
        add(`exp_avg.${name}`, tf.fill(shape, 0)); // unlike tf.zeros() not an array in JavaScript first
        add(`exp_avg_sq.${name}`, tf.fill(shape, 0));
      }
      return state;
    },
    update: (gradients, state, parameters, { schedule, gradientScale, enabled } = {}) => {
      tf.tidy(() => {
        const count = piece(state, "step", "the state variable");
        const step = count.read().add<tf.Scalar>(enabled?.cast("int32") ?? tf.scalar(1, "int32"));
        count.assign(step);
        const steps = step.cast("float32");
        // Where the update is off, these scalars make it add nothing; only the gradient, which may not
        // be finite then, is masked element by element.
        const on = (value: tf.Tensor, off: number) =>
          enabled === undefined ? value : tf.where(enabled, value, off);
        const scale = gradientScale ?? tf.scalar(1);
        const gain1 = on(tf.scalar(1 - beta1), 0);
        const [keep2, gain2] = [on(tf.scalar(beta2), 1), on(tf.scalar(1 - beta2), 0)];
        const first = on(correction(beta1, steps), 1);
        const root = on(correction(beta2, steps).sqrt(), 1);
        const mask = enabled ?? tf.scalar(true, "bool");
        const rates = new Map<string, readonly [size: tf.Tensor, shrinkage: tf.Tensor]>();
        for (const [name, parameter] of Object.entries(parameters)) {
          const settings = settingsOf(groups, parameter, name, { learningRate, weightDecay });
          if (!rates.has(settings.group)) {
            const rate = on(scheduleOf(schedule, settings.group).mul(settings.learningRate), 0);
            rates.set(settings.group, [rate.div(first), rate.mul(settings.weightDecay)]);
          }
          fuse({
            key: `adamw ${epsilon} ${enabled !== undefined}`,
            variables: [
              parameter,
              piece(state, `exp_avg.${name}`, "the state"),
              piece(state, `exp_avg_sq.${name}`, "the state"),
            ],
            gradient: piece(gradients, name, "the gradient"),
            scalars: [scale, mask, gain1, keep2, gain2, root, ...rates.get(settings.group)!],
            body: ([p, m, v], g, scalars, isFused) => {
              const [p0, m0, v0] = [p!.read(), m!.read(), v!.read()];
              const scaled = ([scale, mask]: readonly tf.Tensor[]) =>
                enabled === undefined ? g.mul(scale!) : tf.where(mask!, g.mul(scale!), 0);
              const first = (s: readonly tf.Tensor[]) => m0.add(scaled(s).sub(m0).mul(s[2]!));
              const second = (s: readonly tf.Tensor[]) =>
                v0.mul(s[3]!).add(scaled(s).square().mul(s[4]!));
              const [m1, v1] = [first(scalars()), second(scalars())];
              const s = scalars();
              const [root, size, shrinkage] = [s[5]!, s[6]!, s[7]!];
              const [m2, v2] = isFused ? [first(s), second(s)] : [m1, v1];
              const step = m2.div(v2.sqrt().div(root).add(epsilon)).mul(size);
              p!.assign(p0.sub(p0.mul(shrinkage)).sub(step));
              m!.assign(m1);
              v!.assign(v1);
            },
          });
        }
      });
    },
  };
}

/** 1 − βᵗ without the cancellation that float32 would suffer in the first steps. */
function correction(beta: number, steps: tf.Tensor): tf.Tensor {
  return beta === 0 ? tf.onesLike(steps) : steps.mul(Math.log(beta)).expm1().neg();
}
