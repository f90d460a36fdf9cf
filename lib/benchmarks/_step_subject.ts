/** A whole training step of a policy: forward, backward, clip by global norm, AdamW. */
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
import {
  decays,
  exchangeLayout,
  policyLoss,
  policyShapes,
  type ReferenceConfig,
  type TensorSpec,
  training,
} from "../policies/mod.ts";
import { fill } from "./fill.ts";
import { stepWeights, weightValues } from "./step_weights.ts";
import type { Subject } from "./_subject.ts";

/** Which step. */
export interface StepConfig {
  readonly policy: ReferenceConfig;
  readonly batch: number;
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
  const { policy, precision, variant } = config;
  const state = stateOf(policy);
  const parameters = Object.fromEntries(stepWeights(policy).map(({ key }) => [key, state[key]!]));
  const inputs = inputsOf(config);
  const optimizer = adamw({
    learningRate: 1e-4,
    groups: [{ name: "kept", matches: (...of) => !decays(...of), weightDecay: 0 }],
  });
  const moments = optimizer.init(parameters);
  const update = (sensor: tf.Tensor, vision: tf.Tensor, actions: tf.Tensor) => {
    const all = read(state);
    const { value, gradients, metrics } = valueAndGradients(
      (p) => {
        const context = training();
        const loss = policyLoss({ ...all, ...p }, policy, { vision, sensor, actions }, context);
        return { loss, metrics: context.updates };
      },
      read(parameters),
    );
    const { norm, scale, finite } = clipByGlobalNorm(gradients, 1);
    optimizer.update(gradients, moments, parameters, { gradientScale: scale, enabled: finite });
    for (const [key, statistic] of Object.entries(metrics)) state[key]!.assign(statistic);
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
      [...Object.values(state), ...Object.values(moments)].forEach((v) => v.dispose());
      tf.dispose([...inputs]);
    },
  };
}

function stateOf(policy: ReferenceConfig): Record<string, Variable> {
  const places = new Map(stepWeights(policy).map((weight, i) => [weight.key, { weight, i }]));
  return Object.fromEntries(
    policyShapes(policy).map((spec) => {
      const place = places.get(spec.key);
      const initial = tf.tidy(() =>
        place
          ? exchangeLayout(spec, tf.tensor(weightValues(place.i, place.weight), [...spec.shape]))
          : runningStatistic(spec)
      );
      const made = variable(initial, spec.key);
      initial.dispose();
      return [spec.key, made];
    }),
  );
}

function runningStatistic({ shape, dtype, initial }: TensorSpec): tf.Tensor {
  const value = initial.distribution === "constant" ? initial.value : 0;
  return tf.fill([...shape], value, dtype === "int64" ? "int32" : "float32");
}

/** Sensor windows, visual-language tokens, chunks. */
function inputsOf({ policy, batch }: StepConfig) {
  const { temporalLength, inputChannels } = policy.sensorEncoder!;
  const { visionDim, horizon, actionDim } = policy.actionExpert;
  const tensor = (index: number, ...shape: number[]) =>
    tf.tensor(fill(index, shape.reduce((product, size) => product * size, 1), 1), shape);
  return [
    tensor(1000, batch, temporalLength, inputChannels),
    tensor(1001, batch, 1, visionDim),
    tensor(1002, batch, horizon, actionDim),
  ] as const;
}
