import { type PolicyConfig, validateConfig } from "../policies/config.ts";
import { preset, type PresetName } from "../policies/presets.ts";
import { FAMILIES, type Family, type Fusion, FUSIONS } from "../policies/reference/config.ts";
import { shapesOf } from "./_shapes_of.ts";
import { readAs } from "./_read_as.ts";
import { inferPolicy, type InferredPolicy, policyAround } from "./infer.ts";
import type { OpenCheckpoint } from "./open.ts";

/** Which policy a checkpoint should be. */
export interface PolicyChoice {
  /** Default that which the checkpoint has. */
  readonly architecture?: PolicyConfig["architecture"];
  /** What the expert predicts with. */
  readonly family: Family;
  /** How features are joined. Default as the checkpoint does. */
  readonly fusion?: Fusion;
}

/**
 * Reads `FAMILY:FUSION`, with `reference/` or `trocar/` before it where the architecture matters;
 * `FAMILY` alone leaves the fusion open. Capitals do not matter.
 *
 * @param text such as `diffusion:concat`; `no-sensor` has one fusion only
 * @returns the choice
 * @throws {RangeError} naming what is possible
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePolicyChoice } from "./mod.ts";
 *
 * assert.deepEqual(parsePolicyChoice("diffusion:gated"), { family: "diffusion", fusion: "gated" });
 * assert.deepEqual(parsePolicyChoice("Regression"), { family: "regression" });
 * assert.throws(() => parsePolicyChoice("diffusion:sum"), /cross_attention/);
 * ```
 */
export function parsePolicyChoice(text: string): PolicyChoice {
  const [, architecture, family = "", joined] =
    /^(?:(reference|trocar)\/)?([^:/]*)(?::([^:/]*))?$/.exec(text.toLowerCase()) ?? [];
  const name = family.replaceAll("_", "-") as Family, isAlone = name === "no-sensor";
  const fusion = (isAlone ? joined ?? "none" : joined)?.replaceAll("-", "_") as Fusion | undefined;
  const isKnown = FAMILIES.includes(name) && (fusion === undefined || FUSIONS.includes(fusion)) &&
    (!isAlone || (fusion === "none" && architecture !== "trocar"));
  if (!isKnown) {
    throw new RangeError(
      `Cannot choose a policy: it should be FAMILY or FAMILY:FUSION of families ${
        FAMILIES.join(", ")
      } and fusions ${FUSIONS.join(", ")} (no-sensor has none only), current value is ` +
        `${JSON.stringify(text)}.`,
    );
  }
  return {
    ...(architecture === undefined
      ? {}
      : { architecture: architecture as PolicyConfig["architecture"] }),
    family: name,
    ...(fusion === undefined ? {} : { fusion }),
  };
}

/** What a checkpoint is compared with, and where that comes from. */
export interface Expectation {
  readonly config: PolicyConfig;
  readonly basis: "asked" | "recorded" | "inferred" | "default";
  /** What was asked for: `architecture`, `family`, `fusion`, `sizes`. */
  readonly asked: readonly string[];
  /** Settings of `config` that nobody named. */
  readonly assumed: readonly string[];
  readonly inferred: InferredPolicy | null;
}

/** Chooses what a checkpoint is compared with: what was asked for, else what it says, else its shapes. */
export function expectation(
  checkpoint: OpenCheckpoint,
  choice: PolicyChoice | undefined,
  size: PresetName | undefined,
): Expectation {
  const shapes = shapesOf(checkpoint), inferred = inferPolicy(shapes);
  const { config: recorded } = checkpoint;
  const own = recorded ?? inferred?.config ?? null;
  const open = recorded === null ? inferred?.assumed ?? [] : checkpoint.assumed;
  if (choice !== undefined || size !== undefined) {
    const asked = [...Object.keys(choice ?? {}), ...(size === undefined ? [] : ["sizes"])];
    // A preset names every size, also those that shapes do not show.
    const settled = asked.includes("fusion") ? [...asked, "actionExpert.visionDim"] : asked;
    const assumed = open.filter((name) => !settled.includes(name) && size === undefined);
    const found = own && { config: own, assumed: open };
    return { config: askedPolicy(found, choice, size), basis: "asked", asked, assumed, inferred };
  }
  const nothing = { asked: [], inferred };
  if (recorded !== null) return { config: recorded, basis: "recorded", assumed: open, ...nothing };
  if (inferred !== null) {
    return { config: inferred.config, basis: "inferred", assumed: open, ...nothing };
  }
  const config = policyAround(shapes) ?? preset("reference", { architecture: "reference" });
  return { config, basis: "default", assumed: [], ...nothing };
}

/** The policy that was asked for; sizes are the checkpoint's own unless a preset is named. */
function askedPolicy(
  found: InferredPolicy | null,
  choice: PolicyChoice | undefined,
  size: PresetName | undefined,
): PolicyConfig {
  const own = found?.config;
  const { family } = choice ?? own ?? { family: "regression" };
  const fusion = family === "no-sensor" ? "none" : choice?.fusion ?? own?.fusion ?? "concat";
  const architecture = family === "no-sensor"
    ? "reference"
    : choice?.architecture ?? own?.architecture ?? "reference";
  const wanted = preset(size ?? "reference", { architecture, family, fusion } as {
    architecture: "reference";
  });
  if (size !== undefined || found === null) return wanted;
  const { outputDim } = found.config.sensorEncoder ?? wanted.sensorEncoder ?? { outputDim: 0 };
  const overlaid = withSizes(wanted, readAs(found, wanted, outputDim));
  try {
    validateConfig(overlaid);
    return overlaid;
  } catch (error) {
    // Sizes that only the other architecture can have.
    if (error instanceof RangeError) return wanted;
    throw error;
  }
}

/** A policy with the sizes of another one. */
function withSizes(wanted: PolicyConfig, own: PolicyConfig): PolicyConfig {
  const { architecture, family, fusion } = wanted;
  const overlay = (base: object, sizes: object | null): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(base).map(([name, value]): [string, unknown] => [
        name,
        (sizes as Record<string, unknown> | null)?.[name] ?? value,
      ]),
    );
  // The reference also has policies with an encoder whose features are not used.
  const unused = architecture === "reference" && own.fusion === "none" ? own.sensorEncoder : null;
  const sensorEncoder = wanted.sensorEncoder === null
    ? unused
    : overlay(wanted.sensorEncoder, own.sensorEncoder);
  const sensorDim = fusion === "none" ? 0 : sensorEncoder?.outputDim;
  const actionExpert = { ...overlay(wanted.actionExpert, own.actionExpert), sensorDim };
  return { architecture, family, fusion, sensorEncoder, actionExpert } as unknown as PolicyConfig;
}
