/** A whole training step of a policy: forward, backward, clip by global norm, AdamW. */
import {
  adamw,
  clipByGlobalNorm,
  compile,
  type Compiled,
  type NamedTensors,
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
  type PolicyBatch,
  policyLoss,
  policyShapes,
  type ReferenceConfig,
  type TensorSpec,
  training,
} from "../policies/mod.ts";
import { fill } from "./fill.ts";
import { measureBlock } from "./interleave.ts";
import { quantile } from "./statistics.ts";
import { stepWeights, weightValues } from "./step_weights.ts";
import type { Subject } from "./_subject.ts";

/** Which step. */
export interface StepConfig {
  readonly policy: ReferenceConfig;
  readonly batch: number;
  readonly precision: "f32" | "bf16";
  /** `eager`: op by op; `compiled`: TensorFlow's executor with oneDNN; `xla`: one program. */
  readonly variant: "eager" | "compiled" | "xla";
  /** Whether to time the parts of a compiled step, too. */
  readonly profile?: boolean;
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
  /** Milliseconds of the parts of a step, in their order; only if asked for. */
  readonly phases?: Readonly<Record<string, number>>;
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
  const lossOf = (batch: PolicyBatch, p: NamedTensors) => {
    const context = training();
    const loss = policyLoss({ ...read(state), ...p }, policy, batch, context);
    return { loss, metrics: context.updates };
  };
  const backward = (batch: PolicyBatch) => {
    const found = valueAndGradients((p) => lossOf(batch, p), read(parameters));
    return { ...found, ...clipByGlobalNorm(found.gradients, 1) };
  };
  const update = (batch: PolicyBatch) => {
    const { value, gradients, metrics, norm, scale, finite } = backward(batch);
    optimizer.update(gradients, moments, parameters, { gradientScale: scale, enabled: finite });
    for (const [key, statistic] of Object.entries(metrics)) state[key]!.assign(statistic);
    return [value, norm];
  };
  let report: TraceReport | undefined;
  const how = {
    executor: variant === "xla" ? "xla" : "onednn",
    precision: precision === "bf16" ? "bfloat16" : "float32",
  } as const;
  const compiled = compile((tensors: Record<string, tf.Tensor>) => update(tensors as never), {
    ...{ name: "step", onTrace: (made: TraceReport) => report = made },
    ...how,
  });
  const step = variant === "eager"
    ? () => tf.tidy(() => update(inputs))
    : () => compiled(inputs as never);
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
    ...(config.profile && variant !== "eager" && {
      phases: await phasesOf(inputs, [
        ["forward", compile((batch: PolicyTensors) => lossOf(batch, {}).loss, how)],
        [
          "backward to the layers' outputs, norm",
          compile((b: PolicyTensors) => backward(b).norm, how),
        ],
        ["gradients of the weights, update", compile((b: PolicyTensors) => update(b)[1]!, how)],
      ]),
    }),
  };
  return {
    facts: { ...facts },
    run: async () => void await run(),
    repeats: 1,
    release: () => {
      compiled.dispose();
      [...Object.values(state), ...Object.values(moments)].forEach((v) => v.dispose());
      tf.dispose(inputs as never);
    },
  };
}

type PolicyTensors = PolicyBatch & Record<string, tf.Tensor>;

/** Each function does what the one before does and more: a part's time is the difference. */
async function phasesOf(
  inputs: PolicyBatch,
  parts: readonly (readonly [name: string, part: Compiled<[PolicyTensors], tf.Tensor>])[],
): Promise<Record<string, number>> {
  const phases: Record<string, number> = {};
  let before = 0;
  for (const [name, part] of parts) {
    const run = async () => {
      const result = part(inputs as PolicyTensors);
      await result.data();
      result.dispose();
    };
    await run();
    const time = quantile(await measureBlock(run, { runs: 9, milliseconds: 1e9 }), 0.5);
    phases[name] = time - before;
    before = time;
    part.dispose();
  }
  return phases;
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

/** Sensor windows, visual-language tokens, chunks; of diffusion the steps and the noise. */
function inputsOf({ policy, batch }: StepConfig): PolicyBatch {
  const { temporalLength, inputChannels } = policy.sensorEncoder!;
  const { visionDim, horizon, actionDim, timesteps } = policy.actionExpert;
  const tensor = (index: number, ...shape: number[]) =>
    tf.tensor(fill(index, shape.reduce((product, size) => product * size, 1), 1), shape);
  const steps = Array.from({ length: batch }, (_, i) => Math.floor(timesteps * (i + 0.5) / batch));
  return {
    sensor: tensor(1000, batch, temporalLength, inputChannels),
    vision: tensor(1001, batch, 1, visionDim),
    actions: tensor(1002, batch, horizon, actionDim),
    ...(policy.family === "diffusion" && {
      steps: tf.tensor1d(steps, "int32"),
      noise: tensor(1003, batch, horizon, actionDim),
    }),
  };
}
