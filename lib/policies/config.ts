import { FAMILIES, FUSIONS, type ReferenceConfig } from "./reference/config.ts";
import type { TrocarConfig } from "./trocar/config.ts";

/** A policy: architecture, family, sizes. Plain data, stored with every checkpoint. */
export type PolicyConfig = ReferenceConfig | TrocarConfig;

type Sizes = Readonly<Record<string, unknown>>;

/** Settings that are counts, and the least that each may be. */
const COUNTS: Readonly<Record<string, number>> = {
  inputChannels: 1,
  temporalLength: 1,
  pooling: 1,
  hiddenDim: 1,
  outputDim: 1,
  convLayers: 1,
  groups: 1,
  transformerLayers: 0,
  heads: 1,
  visionDim: 1,
  visionHidden: 1,
  sensorDim: 0,
  actionDim: 1,
  horizon: 1,
  layers: 1,
  timesteps: 1,
};
const RATES = ["dropout", "missingRate"];

/**
 * Checks a configuration, from a file for instance.
 *
 * @param config The configuration.
 * @throws {RangeError} Naming the first setting that is wrong.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { preset, validateConfig } from "./mod.ts";
 *
 * const config = preset("tiny");
 * validateConfig(config);
 * assert.throws(() => validateConfig({ ...config, fusion: "sum" } as never), /concat/);
 * ```
 */
export function validateConfig(config: PolicyConfig): void {
  const { architecture, family, fusion, sensorEncoder, actionExpert } = config;
  expectOneOf("architecture", architecture, ["reference", "trocar"]);
  expectOneOf("family", family, architecture === "reference" ? FAMILIES : FAMILIES.slice(0, 2));
  expectOneOf("fusion", fusion, FUSIONS);
  expectSizes("actionExpert", { ...actionExpert });
  expectHeads("actionExpert", actionExpert.hiddenDim, actionExpert.heads);
  if (sensorEncoder !== null) {
    expectSizes("sensorEncoder", { ...sensorEncoder });
    const width = sensorEncoder.hiddenDim * (sensorEncoder.convLayers > 1 ? 2 : 1);
    if (sensorEncoder.transformerLayers > 0) {
      expectHeads("sensorEncoder", width, sensorEncoder.heads);
    }
  }
  if (architecture === "reference") return expectReference(config);
  expectTrocar(config);
}

function expectReference({ fusion, sensorEncoder, actionExpert }: ReferenceConfig): void {
  if (sensorEncoder === null) return;
  expectOneOf("sensorEncoder.interpolation", sensorEncoder.interpolation, ["linear", "nearest"]);
  if (fusion !== "none") expectSameWidth(sensorEncoder.outputDim, actionExpert.sensorDim);
}

function expectTrocar({ fusion, sensorEncoder, actionExpert }: TrocarConfig): void {
  const { actionClip } = actionExpert;
  if (!(actionClip > 0)) fail("actionExpert.actionClip", "above 0", actionClip);
  if ((fusion === "none") !== (sensorEncoder === null)) {
    fail("sensorEncoder", "null with fusion none and only then", sensorEncoder && "not null");
  }
  if (sensorEncoder === null) return;
  const { hiddenDim, groups, inputChannels, outputDim } = sensorEncoder;
  expectSameWidth(outputDim, actionExpert.sensorDim);
  if (inputChannels < 2) fail("sensorEncoder.inputChannels", "force and A-line", inputChannels);
  if (groups < 2) fail("sensorEncoder.groups", "at least 2: force has its own", groups);
  if (hiddenDim % groups !== 0) {
    fail("sensorEncoder.hiddenDim", `a multiple of its ${groups} groups`, hiddenDim);
  }
  if (hiddenDim % 2 !== 0) fail("sensorEncoder.hiddenDim", "even", hiddenDim);
}

function expectSameWidth(outputDim: number, sensorDim: number): void {
  if (outputDim === sensorDim) return;
  fail("sensorEncoder.outputDim", `the ${sensorDim} of actionExpert.sensorDim`, outputDim);
}

function expectSizes(part: string, sizes: Sizes): void {
  for (const [name, value] of Object.entries(sizes)) {
    const least = COUNTS[name];
    if (least !== undefined && !(Number.isInteger(value) && Number(value) >= least)) {
      fail(`${part}.${name}`, `an integer of at least ${least}`, value);
    }
    if (RATES.includes(name) && !(Number(value) >= 0 && Number(value) < 1)) {
      fail(`${part}.${name}`, "from 0 to below 1", value);
    }
  }
}

function expectHeads(part: string, width: number, heads: number): void {
  if (width % heads !== 0) fail(`the width of ${part}`, `a multiple of its ${heads} heads`, width);
}

function expectOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (!known.includes(value as string)) fail(name, `one of ${known.join(", ")}`, value);
}

function fail(name: string, expected: string, value: unknown): never {
  throw new RangeError(
    `Cannot configure policy: ${name} must be ${expected}, current value is ${
      JSON.stringify(value)
    }`,
  );
}
