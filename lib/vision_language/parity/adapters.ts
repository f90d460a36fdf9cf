import { join } from "node:path";
import {
  adamw,
  compile,
  type NamedTensors,
  read,
  tf,
  valueAndGradients,
  type Variable,
  variables,
} from "../../engine/mod.ts";
import { type Adapter, readAdapter, writeAdapter } from "../adapter_file.ts";
import { type BatchTensors, batchTensors, visionRuns } from "../batch.ts";
import { hiddenStates } from "../forward.ts";
import { mergeAdapter } from "../lora.ts";
import { pool } from "../pooling.ts";
import type { VisionRuns } from "../vision_layout.ts";
import type { Weight } from "../weights.ts";
import { batchOf } from "./_batch_of.ts";
import { readDocument, Recording } from "./_recording.ts";
import type { ComparedModel } from "./cases.ts";
import {
  checkEqual,
  compareNumbers,
  EXACT,
  FLOAT32,
  type Tolerance,
  type VisionLanguageCheck,
} from "./check.ts";

/** Gradients of the first step, of each tensor. */
const GRADIENT: Tolerance = { relL2: 2e-5 };
/** One optimiser step from given gradients. */
const STEP: Tolerance = { maxAbs: 1e-6 };
/** Losses before each of three steps and after the last. */
const LOSS: Tolerance = { maxAbs: 1e-4 };
const STEPS = 3;

interface RecordedAdapters {
  readonly adapters: Readonly<
    Record<string, {
      readonly case: string;
      readonly trainable: number;
      readonly losses_before_each_step_and_after_the_third: readonly number[];
    }>
  >;
}

/**
 * Compares adapters: their files both ways, pooled output, gradients, optimiser steps, the losses of
 * three steps, and the merged model.
 *
 * @param folder of the recording
 * @param model to compare
 * @param onAdapter called before each
 * @returns the checks
 */
export async function checkAdapters(
  folder: string,
  model: ComparedModel,
  onAdapter: (name: string) => void = () => {},
): Promise<VisionLanguageCheck[]> {
  const recorded = readDocument(folder, "lora", "lora.json") as RecordedAdapters | undefined;
  const checks: VisionLanguageCheck[] = [];
  for (const [name, entry] of Object.entries(recorded?.adapters ?? {})) {
    onAdapter(name);
    const place = join(folder, "lora", name);
    const adapter = readAdapter(place, model.config);
    using expected = new Recording(join(place, "expected.safetensors"));
    using input = new Recording(join(folder, "cases", `${entry.case}.safetensors`));
    const values = Object.values(adapter.tensors);
    const count = values.reduce((sum, { data }) => sum + data.length, 0);
    const at = (what: string) => [`lora ${name}`, what] as const;
    checks.push(
      compareNumbers(at("trainable"), [count], [entry.trainable], EXACT),
      checkEqual(at("files written again"), await isKept(place, adapter, model)),
      joined(at("initial values"), adapter, expected, "init", EXACT),
      ...await checkTraining(at, adapter, expected, input, model, entry),
    );
  }
  return checks;
}

async function checkTraining(
  at: (what: string) => readonly [string, string],
  { lora, tensors }: Adapter,
  expected: Recording,
  input: Recording,
  { config, weights }: ComparedModel,
  entry: RecordedAdapters["adapters"][string],
): Promise<VisionLanguageCheck[]> {
  const scale = lora.alpha / lora.rank, batch = batchOf(input, config);
  const initial = Object.fromEntries(
    Object.entries(tensors).map(([key, { data, shape }]) => [key, tf.tensor(data, [...shape])]),
  );
  const target = tf.tensor(expected.float32("target"), [...expected.shape("target")]);
  const inputs = batchTensors(batch, config), runs = visionRuns(batch);
  const pooled = (
    adapter: NamedTensors,
    x: BatchTensors,
    plan: VisionRuns | null,
    replaced: Readonly<Record<string, Weight>> = {},
  ) => {
    const forward = { config, weights, replaced, adapter: { tensors: adapter, scale } };
    return pool("mean", hiddenStates(forward, x, plan), x);
  };
  const state = variables(initial);
  const optimizer = adamw({ learningRate: 1e-3, weightDecay: 0 });
  const moments = optimizer.init(state);
  const step = compile((x: BatchTensors, goal: tf.Tensor, plan: VisionRuns | null) => {
    const { value, gradients, metrics } = valueAndGradients((parameters) => {
      const output = pooled(parameters, x, plan);
      return { loss: output.sub(goal).square().sum().mul(0.5), metrics: { output } };
    }, read(state));
    optimizer.update(gradients, moments, state);
    return { loss: value as tf.Tensor, output: metrics["output"]!, gradients: { ...gradients } };
  }, { name: "lora_step" });
  const update = compile((gradients: NamedTensors) => {
    optimizer.update(gradients, moments, state);
    return [];
  }, { name: "lora_update" });

  const losses: number[] = [], checks: VisionLanguageCheck[] = [];
  for (let i = 0; i <= STEPS; i++) {
    const { loss, output, gradients } = step(inputs, target, runs);
    losses.push((await loss.data())[0]!);
    if (i === 0) {
      const found = await output.data();
      checks.push(
        compareNumbers(at("pooled"), found, expected.float32("pooled"), FLOAT32),
        await worst(at("gradients of step 1"), gradients, expected, "grad1", GRADIENT),
      );
    }
    tf.dispose([loss, output, gradients]);
  }
  const { losses_before_each_step_and_after_the_third: wanted } = entry;
  checks.push(compareNumbers(at("losses"), losses, wanted, LOSS));

  reset(state, initial);
  for (const moment of Object.values(moments)) {
    tf.tidy(() => moment.assign(tf.zeros(moment.shape, moment.dtype)));
  }
  for (let i = 1; i <= STEPS; i++) {
    const given = Object.fromEntries(
      Object.entries(initial).map(([key, { shape }]) => [
        key,
        tf.tensor(expected.float32(`grad${i}.${key.slice(5)}`), shape),
      ]),
    );
    update(given);
    tf.dispose(given);
    if (i === 2) continue;
    const after = read(state);
    checks.push(await worst(at(`optimiser step ${i}`), after, expected, `step${i}`, STEP));
    tf.dispose(after);
  }
  const merged = mergeAdapter(weights, initial, scale);
  const alone = tf.tidy(() => pooled({}, inputs, runs, merged));
  const stored = expected.float32("pooled");
  checks.push(compareNumbers(at("pooled when merged"), await alone.data(), stored, FLOAT32));
  Object.values(merged).forEach((weight) => weight.dispose());
  step.dispose();
  update.dispose();
  [state, moments].flatMap((all) => Object.values(all)).forEach((variable) => variable.dispose());
  tf.dispose([alone, inputs, target, initial]);
  return checks;
}

function reset(state: Readonly<Record<string, Variable>>, initial: NamedTensors): void {
  for (const [key, variable] of Object.entries(state)) variable.assign(initial[key]!);
}

/** The check of the tensor that is worst for its tolerance. */
async function worst(
  [testCase, name]: readonly [string, string],
  tensors: NamedTensors,
  expected: Recording,
  prefix: string,
  tolerance: Tolerance,
): Promise<VisionLanguageCheck> {
  const checks: VisionLanguageCheck[] = [];
  for (const [key, tensor] of Object.entries(tensors)) {
    const wanted = expected.float32(`${prefix}.${key.slice(5)}`);
    checks.push(compareNumbers([testCase, name], await tensor.data(), wanted, tolerance));
  }
  const size = ({ relL2, maxAbs }: VisionLanguageCheck) =>
    (tolerance.relL2 === undefined ? maxAbs : relL2) ?? Infinity;
  return checks.reduce((a, b) => size(b) > size(a) ? b : a);
}

function joined(
  place: readonly [string, string],
  { tensors }: Adapter,
  expected: Recording,
  prefix: string,
  tolerance: Tolerance,
): VisionLanguageCheck {
  const found: number[] = [], wanted: number[] = [];
  for (const [key, { data }] of Object.entries(tensors)) {
    found.push(...data);
    wanted.push(...expected.float32(`${prefix}.${key.slice(5)}`));
  }
  return compareNumbers(place, found, wanted, tolerance);
}

/** Whether an adapter that is written again has the same tensors to the byte, and the same settings. */
async function isKept(place: string, adapter: Adapter, { config }: ComparedModel) {
  const folder = await Deno.makeTempDir();
  try {
    writeAdapter(folder, adapter);
    const file = (path: string) => Deno.readFileSync(join(path, "adapter_model.safetensors"));
    const [old, again] = [file(place), file(folder)];
    const settings = readAdapter(folder, config).settings;
    const same = Object.entries(adapter.settings).every(([key, value]) =>
      JSON.stringify(value) === JSON.stringify(settings[key])
    );
    return same && old.length === again.length && old.every((byte, i) => byte === again[i]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
