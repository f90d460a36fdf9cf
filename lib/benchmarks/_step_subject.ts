/** A whole training step of the stack: forward, backward, clip by global norm, AdamW. */
import {
  adamw,
  clipByGlobalNorm,
  compile,
  read,
  tf,
  type TraceReport,
  valueAndGradients,
  type Variable,
  variable,
} from "../engine/mod.ts";
import { fill } from "./fill.ts";
import { stack, stackFills, type StackSize } from "./stack.ts";
import type { Subject } from "./_subject.ts";

/** Which step. */
export interface StepConfig {
  readonly size: StackSize;
  readonly batch: number;
  /** Rows of the sensor window. */
  readonly window: number;
  readonly precision: "f32" | "bf16";
  /** `eager`: op by op; `compiled`: TensorFlow's executor with oneDNN; `xla`: one program. */
  readonly variant: "eager" | "compiled" | "xla";
}

/** What readying the step found. */
export interface StepFacts {
  /** Loss of the first step, and of the second, after one update. */
  readonly losses: readonly [number, number];
  /** Global norm of the first step's gradients, before the clip. */
  readonly gradientNorm: number;
  /** Seconds of the first call, with tracing and compiling. */
  readonly firstCallSeconds: number;
  /** Seconds of tracing alone; absent op by op. */
  readonly traceSeconds?: number;
  /** Nodes of the traced graph; absent op by op. */
  readonly nodes?: number;
}

/** Makes the network and takes its first two steps. */
export async function stepSubject(config: StepConfig): Promise<Subject> {
  const { size, batch, window, precision, variant } = config;
  const parameters = stackVariables(size);
  const inputs = [
    tf.tensor(fill(1000, batch * window * size.channels, 1), [batch, window, size.channels]),
    tf.tensor(fill(1001, batch * size.context, 1), [batch, size.context]),
    tf.tensor(fill(1002, batch * size.horizon * size.actions, 1), [
      batch,
      size.horizon,
      size.actions,
    ]),
  ] as const;
  const optimizer = adamw({ learningRate: 1e-4, weightDecay: 0.01 });
  const state = optimizer.init(parameters);
  const update = (x: tf.Tensor, context: tf.Tensor, target: tf.Tensor) => {
    const { value, gradients } = valueAndGradients(
      (p) => stack(p, size, x, context).sub(target).square().mean(),
      read(parameters),
    );
    const { norm, scale, finite } = clipByGlobalNorm(gradients, 1);
    optimizer.update(gradients, state, parameters, { gradientScale: scale, enabled: finite });
    return [value, norm];
  };
  let report: TraceReport | undefined;
  const compiled = compile(update, {
    name: "step",
    executor: variant === "xla" ? "xla" : "onednn",
    precision: precision === "bf16" ? "bfloat16" : "float32",
    onTrace: (made) => report = made,
  });
  const step = variant === "eager"
    ? () => tf.tidy(() => update(...inputs))
    : () => compiled(...inputs);
  const run = async () => {
    const [loss, norm] = step() as [tf.Tensor, tf.Tensor];
    const values = [(await loss.data())[0]!, (await norm.data())[0]!] as const;
    tf.dispose([loss, norm]);
    return values;
  };

  const start = performance.now();
  const [first, gradientNorm] = await run();
  const firstCallSeconds = (performance.now() - start) / 1000;
  const [second] = await run();
  const facts: StepFacts = {
    losses: [first, second],
    gradientNorm,
    firstCallSeconds,
    ...(report && { traceSeconds: report.seconds, nodes: report.nodes }),
  };
  return {
    facts: { ...facts },
    run: async () => void await run(),
    repeats: 1,
    release: () => {
      compiled.dispose();
      [...Object.values(parameters), ...Object.values(state)].forEach((v) => v.dispose());
      tf.dispose([...inputs]);
    },
  };
}

function stackVariables(size: StackSize): Record<string, Variable> {
  const made: Record<string, Variable> = {};
  for (const { name, shape, values } of stackFills(size)) {
    const initial = tf.tensor(values, shape);
    made[name] = variable(initial, name);
    initial.dispose();
  }
  return made;
}
