/** The policy of a first stage, before anything is loaded. */
import { configDifferences } from "../checkpoints/_config.ts";
import { openCheckpoint, pointerPath } from "../checkpoints/mod.ts";
import { kebab } from "../cli/_kebab.ts";
import type { JsonValue } from "../features/mod.ts";
import { isThere } from "../formats/_partial_file.ts";
import type { PolicyConfig, PresetName } from "../policies/mod.ts";
import { preset, PRESETS } from "../policies/mod.ts";
import { readRunConfig } from "../training/mod.ts";
import type { SeenFeatures } from "./_seen_features.ts";
import type { TrainingValues } from "./flags.ts";
import type { TrainingProgram } from "./program.ts";
import { PROGRAM_OF_STAGE1 } from "./program.ts";
import { policyOf } from "./resolve.ts";
import { runOf } from "./run_of.ts";
import { startPointer } from "./stage2_start.ts";

/** What a training begins with. */
export interface Beginning {
  /** The policy. */
  readonly config: PolicyConfig;
  /** Flags, those that describe a policy as this one has them. */
  readonly values: TrainingValues;
  /** Where a run that goes on had it from; null for one that begins. */
  readonly source: { readonly path: string; readonly digest: string } | null;
  /** What it saw, where that is known and not yet verified. */
  readonly seen: SeenFeatures | null;
}

/** Flags that say what a policy is. */
const POLICY_FLAGS = [
  ...["preset", "architecture", "fusionStrategy", "noSensor", "sensorWindowSize", "horizon"],
  ...["diffusionTimesteps", "sensorOutputDim"],
];

/**
 * The policy of `--stage1-checkpoint`; of a run that goes on, that which it began with.
 *
 * @param program that trains
 * @param values of its flags
 * @param given flags that were given
 * @returns the policy and what it makes of the flags; null for a new policy
 * @throws {RangeError} when the checkpoint is none to begin with, or a flag that was given says otherwise
 */
export function findBeginning(
  program: TrainingProgram,
  values: TrainingValues,
  given: ReadonlySet<string>,
): Beginning | null {
  const { stage1Checkpoint, resume } = values;
  const isTaken = program.stage === "stage2" || !("trainingStage" in program.flags);
  if (stage1Checkpoint === undefined || !isTaken) return null;
  const resumed = resume === undefined ? null : ofRun(resume);
  if (resumed !== null) {
    const { config, source, size } = resumed;
    return { config, source, values: withPolicy(values, config, size), seen: null };
  }
  using checkpoint = openCheckpoint(stage1Checkpoint, { which: startPointer(stage1Checkpoint) });
  const { config, trainingStage, path } = checkpoint;
  const refuse = (expected: string, found: string): never => {
    throw new RangeError(
      `Cannot begin with ${path}: it should be ${expected}, current value is ${found}. ` +
        "Look at it with: deno task inspect PATH",
    );
  };
  if (config === null) {
    return refuse("a checkpoint that says what policy it is", "one that does not");
  }
  if (trainingStage === "stage2") refuse("of a first stage", "one of stage 2");
  const first = PROGRAM_OF_STAGE1[program.name];
  if ((config.family === "diffusion") !== (program.family === "diffusion")) {
    refuse(`a policy of family ${program.family} for ${program.name}`, config.family);
  }
  const { program: maker } = checkpoint;
  if (first !== undefined && maker?.startsWith("train:") && !first.includes(maker)) {
    refuse(`a policy of ${first.join(" or ")}`, `one of ${maker}`);
  }
  const all = withPolicy(values, config, presetOf(path, config));
  const names = POLICY_FLAGS.filter((flag) => given.has(flag));
  if (names.length > 0) {
    const { visionDim } = config.actionExpert;
    const asked = policyOf(program, { ...all, ...pick(values, names) }, visionDim);
    const differences = configDifferences(asked, config, checkpoint.assumed);
    if (differences.length > 0) {
      const flags = names.map((name) => `--${kebab(name)}`).join(", ");
      throw new RangeError(
        `Cannot begin with ${path}: its policy should be what ${flags} says, current value is ` +
          `another (flags, checkpoint): ${differences.slice(0, 5).join("; ")}. Leave ${flags} out.`,
      );
    }
  }
  const features = checkpoint.document?.features as { identity?: JsonValue } | null | undefined;
  const identity = features?.identity;
  const seen = identity === undefined ? null : { path, identity };
  return { config, values: all, source: null, seen };
}

/** What a run that goes on began with; null if it is to begin anew. */
function ofRun(run: string) {
  if (!isThere(pointerPath(run, "latest"))) return null;
  const { settings, notes } = readRunConfig(run);
  const { policy, beginsWith } = settings as { policy?: PolicyConfig; beginsWith?: string };
  if (policy === undefined || beginsWith === undefined) return null;
  const source = { path: String(notes.stage1Checkpoint), digest: beginsWith };
  return { config: policy, source, size: knownPreset(notes.preset) };
}

/** Flags that describe this policy. */
function withPolicy(
  values: TrainingValues,
  { architecture, fusion, family, sensorEncoder, actionExpert }: PolicyConfig,
  size: PresetName | null,
): TrainingValues {
  return {
    ...values,
    preset: size ?? values.preset,
    architecture,
    fusionStrategy: fusion,
    noSensor: false,
    horizon: actionExpert.horizon,
    ...(sensorEncoder === null ? {} : { sensorWindowSize: sensorEncoder.temporalLength }),
    ...(sensorEncoder === null ? {} : { sensorOutputDim: sensorEncoder.outputDim }),
    ...(family === "diffusion" ? { diffusionTimesteps: actionExpert.timesteps } : {}),
  };
}

/** The size that a checkpoint's run was made with; else the one of the same width. */
function presetOf(checkpoint: string, { actionExpert }: PolicyConfig): PresetName | null {
  const run = runOf(checkpoint);
  const noted = run === null ? null : knownPreset(readRunConfig(run).notes.preset);
  const { hiddenDim } = actionExpert;
  return noted ?? PRESETS.find((name) => preset(name).actionExpert.hiddenDim === hiddenDim) ?? null;
}

function knownPreset(name: unknown): PresetName | null {
  return PRESETS.find((each) => each === name) ?? null;
}

function pick(values: TrainingValues, names: readonly string[]): Partial<TrainingValues> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}
