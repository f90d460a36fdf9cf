import { tf } from "../../engine/mod.ts";
import { evaluate, type NetworkInputs, networkInputs } from "./_network.ts";
import {
  load,
  type ParityMode,
  prepare,
  type StepResult,
  take,
  takeSteps,
  type Values,
} from "./_step.ts";
import { compareTensors, failed, type ParityCheck } from "./check.ts";
import type { FixtureTensor, ParityFixture } from "./fixture.ts";

export type { ParityMode } from "./_step.ts";

/** Below this share of its tensor's largest gradient an element's step is not compared end to end. */
const SMALL_ELEMENT = 1e-4;
/** Gradients below this share of the norm of all are rounding noise, and their Adam step is arbitrary. */
const NOISE = 1e-6;

/**
 * Compares the networks with PyTorch's numbers on the engine in use: outputs in evaluation, loss,
 * gradients, norm, and parameters after one AdamW step with clipping.
 *
 * Where a gradient is zero but for rounding, Adam makes a full step of the noise. So the step is
 * compared twice: from the fixture's gradients for every element, and from the engine's for elements
 * whose gradient is above 1e-4 of the largest in its tensor and 1e-6 of the norm of all.
 *
 * @param fixture What PyTorch computed.
 * @param mode Op by op, or as compiled functions.
 * @returns One check per kind of result.
 * @throws {RangeError} If the tensors of the fixture are not those of its configuration.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { startEngine } from "../../engine/mod.ts";
 * import { readFixture, runParity } from "./mod.ts";
 *
 * await startEngine({ engine: "wasm", quiet: true });
 * const fixture = readFixture("data-fixtures/oracle/more/no_sensor.json");
 * assert((await runParity(fixture, "eager")).every(({ pass }) => pass));
 * ```
 */
export async function runParity(
  fixture: ParityFixture,
  mode: ParityMode,
): Promise<ParityCheck[]> {
  const checks = await checkEvaluation(fixture, mode);
  const { own, given } = await takeSteps(fixture, mode);
  checks.push(...checkStep(fixture, own), checkOptimizer(fixture, given));
  return checks.map((check) => ({ ...check, name: `${check.name}, ${mode}` }));
}

async function checkEvaluation(fixture: ParityFixture, mode: ParityMode): Promise<ParityCheck[]> {
  const parameters = load(fixture);
  const inputs = networkInputs(fixture);
  const run = prepare(
    mode,
    "evaluation",
    (p: Record<string, tf.Tensor>, x: NetworkInputs) => evaluate(fixture, p, x),
  );
  const found = await take(run(parameters, inputs));
  run.dispose();
  tf.dispose([parameters, inputs]);
  const check = (name: string, key: string, { data }: FixtureTensor) =>
    compareTensors(name, [{ key, found: found[key]!, expected: data }]);
  const { sensorFeatures, output, samples } = fixture;
  return [
    ...(sensorFeatures === null ? [] : [check("sensor features", "features", sensorFeatures)]),
    check("forward", "output", output),
    ...[...samples].map(([steps, sample]) => check(`DDIM ${steps} steps`, `ddim${steps}`, sample)),
  ];
}

function checkStep(fixture: ParityFixture, { loss, gradients, after }: StepResult): ParityCheck[] {
  const scalar = (name: string, found: ArrayLike<number>, expected: number) =>
    compareTensors(name, [{ key: name, found, expected: [expected] }]);
  return [
    scalar("loss", loss.loss!, fixture.loss),
    compareGradients(fixture, gradients),
    scalar("gradient norm", loss.norm!, fixture.gradientNorm),
    ...compareState(fixture, after),
  ];
}

function compareGradients({ gradients }: ParityFixture, found: Values): ParityCheck {
  const name = "gradients";
  const odd = [...gradients.keys()].filter((key) => !(key in found))
    .concat(Object.keys(found).filter((key) => !gradients.has(key)));
  if (odd.length > 0) return failed(name, `only one side has a gradient of ${odd.join(", ")}`);
  return compareTensors(
    name,
    [...gradients].map(([key, { data }]) => ({ key, found: found[key]!, expected: data })),
  );
}

function compareState(
  { after, gradients, gradientNorm }: ParityFixture,
  found: Values,
): ParityCheck[] {
  const odd = Object.keys(found).filter((key) => !after.has(key));
  if (odd.length > 0) return [failed("parameters after the step", `lacks ${odd.join(", ")}`)];
  const comparison = (key: string) => ({
    key,
    found: found[key] ?? [],
    expected: after.get(key)!.data,
  });
  const isStatistic = (key: string) => /\.(running_(mean|var)|num_batches_tracked)$/.test(key);
  const [statistics, parameters] = [true, false].map((wanted) =>
    [...after.keys()].filter((key) => isStatistic(key) === wanted)
  ) as [string[], string[]];
  const reached = parameters.filter((key) => gradients.has(key)).map((key) => {
    const { data } = gradients.get(key)!;
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const least = Math.max(SMALL_ELEMENT * largest, NOISE * gradientNorm);
    return { ...comparison(key), counts: (i: number) => Math.abs(data[i]!) > least };
  });
  const untouched = parameters.filter((key) => !gradients.has(key)).map(comparison);
  const all = (name: string, comparisons: typeof untouched) =>
    comparisons.length === 0 ? [] : [compareTensors(name, comparisons)];
  return [
    compareTensors("parameters after the step", reached),
    ...all("parameters without gradient", untouched),
    ...all("BatchNorm statistics", statistics.map(comparison)),
  ];
}

function checkOptimizer({ after, gradients }: ParityFixture, { after: found }: StepResult) {
  return compareTensors(
    "AdamW step from the fixture's gradients",
    [...gradients.keys()].map((key) => ({
      key,
      found: found[key] ?? [],
      expected: after.get(key)?.data ?? [],
    })),
  );
}
