import type { PolicyConfig } from "../policies/config.ts";
import { preset, type PresetName } from "../policies/presets.ts";
import { FAMILIES, type Family, type Fusion, FUSIONS } from "../policies/reference/config.ts";
import { shapesOf } from "./_shapes_of.ts";
import { inferPolicy, type InferredPolicy } from "./infer.ts";
import type { OpenCheckpoint } from "./open.ts";

/** Which policy a checkpoint should be. */
export interface PolicyChoice {
  /** Default that which the checkpoint has. */
  readonly architecture?: PolicyConfig["architecture"];
  /** What the expert predicts with. */
  readonly family: Family;
  /** How features are joined. */
  readonly fusion: Fusion;
}

/**
 * Reads `FAMILY:FUSION`, with `reference/` or `trocar/` before it where the architecture matters.
 *
 * @param text such as `diffusion:concat`; `no-sensor` alone has one fusion only
 * @returns the choice
 * @throws {RangeError} naming what is possible
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePolicyChoice } from "./mod.ts";
 *
 * assert.deepEqual(parsePolicyChoice("diffusion:gated"), { family: "diffusion", fusion: "gated" });
 * assert.throws(() => parsePolicyChoice("diffusion:sum"), /cross_attention/);
 * ```
 */
export function parsePolicyChoice(text: string): PolicyChoice {
  const [, architecture, family = "", fusion] =
    /^(?:(reference|trocar)\/)?([^:/]*)(?::([^:/]*))?$/.exec(text) ?? [];
  const name = family.replaceAll("_", "-") as Family;
  const joined = (fusion ?? (name === "no-sensor" ? "none" : "")).replaceAll("-", "_") as Fusion;
  const isKnown = FAMILIES.includes(name) && FUSIONS.includes(joined) &&
    (name !== "no-sensor" || (joined === "none" && architecture !== "trocar"));
  if (!isKnown) {
    throw new RangeError(
      `Cannot choose a policy: it should be FAMILY:FUSION of families ${FAMILIES.join(", ")} and ` +
        `fusions ${FUSIONS.join(", ")} (no-sensor has none only), current value is ` +
        `${JSON.stringify(text)}.`,
    );
  }
  const choice = { family: name, fusion: joined };
  return architecture === undefined
    ? choice
    : { architecture: architecture as PolicyConfig["architecture"], ...choice };
}

/** What a checkpoint is compared with, and where that comes from. */
export interface Expectation {
  readonly config: PolicyConfig;
  readonly basis: "asked" | "recorded" | "inferred" | "default";
  readonly inferred: InferredPolicy | null;
}

/** Chooses what a checkpoint is compared with: what was asked for, else what it says, else its shapes. */
export function expectation(
  checkpoint: OpenCheckpoint,
  choice: PolicyChoice | undefined,
  size: PresetName | undefined,
): Expectation {
  const inferred = inferPolicy(shapesOf(checkpoint));
  const own = checkpoint.config ?? inferred?.config ?? null;
  if (choice !== undefined || size !== undefined) {
    return { config: askedPolicy(own, choice, size), basis: "asked", inferred };
  }
  if (checkpoint.config !== null) return { config: checkpoint.config, basis: "recorded", inferred };
  if (inferred !== null) return { config: inferred.config, basis: "inferred", inferred };
  return { config: preset("reference", { architecture: "reference" }), basis: "default", inferred };
}

/** The policy that was asked for; sizes are the checkpoint's own unless a preset is named. */
function askedPolicy(
  own: PolicyConfig | null,
  choice: PolicyChoice | undefined,
  size: PresetName | undefined,
): PolicyConfig {
  const { family, fusion } = choice ?? own ?? { family: "regression", fusion: "concat" };
  const architecture = family === "no-sensor"
    ? "reference"
    : choice?.architecture ?? own?.architecture ?? "reference";
  const wanted = preset(size ?? "reference", { architecture, family, fusion } as {
    architecture: "reference";
  });
  if (size !== undefined || own === null) return wanted;
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
