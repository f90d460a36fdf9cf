import { validateConfig } from "../config.ts";
import type { Family, Fusion, ReferenceConfig } from "../reference/config.ts";
import { FixtureRecord, type FixtureTensor } from "./_record.ts";

export type { FixtureTensor } from "./_record.ts";

/** What PyTorch computed for one small policy: weights, inputs, outputs, one training step. */
export interface ParityFixture {
  /** Path of the file. */
  readonly file: string;
  /** The policy, told from the sizes and keys in the file. */
  readonly config: ReferenceConfig;
  /** Sensor windows `(B, T, C)`, visual-language tokens, true and given chunks, noise. */
  readonly inputs: Readonly<
    Record<"window" | "vl" | "actions" | "z_chunk" | "eps", FixtureTensor>
  >;
  /** Diffusion step of each sample. */
  readonly steps: readonly number[];
  /** Confidence in each sample. */
  readonly confidence: readonly number[];
  /** Whether each sample has a sensor. */
  readonly hasSensor: readonly boolean[];
  /** State before the step. */
  readonly before: ReadonlyMap<string, FixtureTensor>;
  /** State after the step. */
  readonly after: ReadonlyMap<string, FixtureTensor>;
  /** Gradients of the step before clipping; parameters that the loss does not reach have none. */
  readonly gradients: ReadonlyMap<string, FixtureTensor>;
  /** Loss of the step. */
  readonly loss: number;
  /** Norm of all gradients before clipping. */
  readonly gradientNorm: number;
  /** Sensor features in evaluation; null without a sensor encoder. */
  readonly sensorFeatures: FixtureTensor | null;
  /** Output in evaluation: actions, or the noise in `z_chunk`. */
  readonly output: FixtureTensor;
  /** Samples that DDIM draws from `z_chunk`, by number of steps. */
  readonly samples: ReadonlyMap<number, FixtureTensor>;
}

/**
 * Reads a fixture of the format that the script in `data-fixtures/oracle` writes.
 *
 * @param path The JSON file.
 * @returns Its contents; numbers rounded to float32.
 * @throws {SyntaxError} If the file is no such fixture, naming file and field.
 * @throws {RangeError} If its sizes are impossible.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readFixture } from "./mod.ts";
 *
 * const path = `${Deno.makeTempDirSync()}/fixture.json`;
 * Deno.writeTextFileSync(path, "{}");
 * assert.throws(() => readFixture(path), /config must be an object/);
 * ```
 */
export function readFixture(path: string): ParityFixture {
  const root = new FixtureRecord(parse(path), path);
  const sizes = root.record("config");
  const before = root.tensors("before");
  const config = configOf(sizes, before);
  const inputs = root.record("inputs");
  const tensor = (key: string) => inputs.tensor(key);
  return {
    file: path,
    config,
    inputs: {
      window: tensor("window"),
      vl: tensor("vl"),
      actions: tensor("actions"),
      z_chunk: tensor("z_chunk"),
      eps: tensor("eps"),
    },
    steps: inputs.list("t", "number"),
    confidence: inputs.list("confidence", "number"),
    hasSensor: inputs.list("has_sensor", "boolean"),
    before,
    after: root.tensors("after"),
    gradients: root.tensors("grads"),
    loss: root.number("loss"),
    gradientNorm: root.number("grad_norm"),
    sensorFeatures: config.sensorEncoder === null ? null : root.tensor("eval_sensor"),
    output: root.tensor("eval_out"),
    samples: new Map(
      root.keys().flatMap((key) => {
        const [, steps] = /^eval_ddim(\d+)$/.exec(key) ?? [];
        return steps === undefined ? [] : [[Number(steps), root.tensor(key)] as const];
      }),
    ),
  };
}

function parse(path: string): unknown {
  const text = Deno.readTextFileSync(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read parity fixture ${path}: ${(error as Error).message}`);
  }
}

function configOf(
  config: FixtureRecord,
  before: ReadonlyMap<string, FixtureTensor>,
): ReferenceConfig {
  const keys = [...before.keys()];
  const hasKey = (start: string) => keys.some((key) => key.startsWith(start));
  const optional = (key: string, fallback: number) =>
    config.has(key) ? config.number(key) : fallback;
  const dropout = config.number("dropout");
  if (dropout !== 0) {
    throw new RangeError(
      `Cannot compare with a fixture: its dropout must be 0, because PyTorch draws other random numbers, current value is ${dropout}`,
    );
  }
  const family: Family = hasKey("action_expert.context_proj.")
    ? "no-sensor"
    : hasKey("action_expert.time_embed.")
    ? "diffusion"
    : "regression";
  const made: ReferenceConfig = {
    architecture: "reference",
    family,
    fusion: family === "no-sensor" ? "none" : config.text("fusion_strategy") as Fusion,
    sensorEncoder: hasKey("sensor_encoder.") ? encoderOf(config, keys) : null,
    actionExpert: {
      visionDim: config.number("vl_dim"),
      sensorDim: optional("sensor_dim", 0),
      actionDim: config.number("action_dim"),
      horizon: config.number("horizon"),
      hiddenDim: config.number("hidden_dim"),
      heads: config.number("nhead"),
      layers: config.number("num_layers"),
      timesteps: optional("timesteps", 1),
      dropout,
    },
  };
  validateConfig(made);
  return made;
}

function encoderOf(
  config: FixtureRecord,
  keys: readonly string[],
): ReferenceConfig["sensorEncoder"] {
  const count = (pattern: RegExp) => keys.filter((key) => pattern.test(key)).length;
  return {
    inputChannels: config.number("C"),
    temporalLength: config.number("T"),
    interpolation: config.has("interpolation_mode")
      ? config.text("interpolation_mode") as "linear" | "nearest"
      : "linear",
    hiddenDim: config.number("W"),
    outputDim: config.number("SD"),
    convLayers: count(/^sensor_encoder\.conv_backbone\.\d+\.running_mean$/),
    transformerLayers: count(/^sensor_encoder\.transformer\.layers\.\d+\.norm1\.weight$/),
    heads: config.number("tower_heads"),
    dropout: config.number("dropout"),
  };
}
