import { createHash } from "node:crypto";
import manifest from "../../deno.json" with { type: "json" };
import { canonicalJson, type JsonValue } from "../features/canonical_json.ts";
import { isMembers, parseConfig } from "./_config.ts";
import {
  CHECKPOINT_FORMAT,
  CHECKPOINT_VERSION,
  type CheckpointContents,
  type CheckpointDocument,
  type CheckpointFile,
  type CheckpointLosses,
  MODEL_FILE,
  TRAINING_FILE,
} from "./document.ts";

/** State of samplers and random numbers is small. */
const MAX_BYTES = 64 * 2 ** 20;
const CREATED_BY = `trocar ${manifest.version}`;
const COUNTS = ["epoch", "globalStep", "consumedSamples"] as const;
const TEXTS = ["program", "trainingStage", "statisticsDigest", "splitDigest"] as const;
const OPAQUE = ["features", "optimizer", "schedule", "sampler", "random"] as const;
const LOSSES = ["train", "validation", "bestValidation", "bestEpoch"] as const;

/** Nothing is known of the losses. */
export const NO_LOSSES: CheckpointLosses = {
  train: null,
  validation: null,
  bestValidation: null,
  bestEpoch: null,
};

/**
 * The text of `checkpoint.json`.
 *
 * @throws {TypeError} naming the member that JSON cannot express or that is of a wrong type
 */
export function encodeDocument(
  path: string,
  contents: CheckpointContents,
  files: readonly CheckpointFile[],
): { readonly document: CheckpointDocument; readonly text: string } {
  const { config, assumed = [], actionRepresentation = null, losses, extra = {} } = contents;
  const either = (names: readonly (keyof CheckpointContents)[]) =>
    Object.fromEntries(names.map((name) => [name, contents[name] ?? null]));
  const members = {
    format: CHECKPOINT_FORMAT,
    formatVersion: CHECKPOINT_VERSION,
    createdBy: CREATED_BY,
    ...either(TEXTS),
    epochBase: 1,
    ...either(COUNTS),
    losses: { ...NO_LOSSES, ...losses },
    config,
    assumed,
    actionRepresentation,
    ...either(OPAQUE),
    extra,
    files,
  };
  let digest: string;
  try {
    digest = digestOf(members as unknown as JsonValue);
  } catch (error) {
    throw new TypeError(`Cannot write ${path}: ${(error as Error).message}`);
  }
  const document = { ...members, digest } as unknown as CheckpointDocument;
  const text = `${JSON.stringify(document, null, 2)}\n`;
  const problem = documentProblem(JSON.parse(text));
  if (problem !== undefined) throw new TypeError(`Cannot write ${path}: ${problem}.`);
  return { document, text };
}

/**
 * Reads and checks `checkpoint.json`. Members that are not known are kept.
 *
 * @throws {SyntaxError} naming the member that is not as it should be
 */
export function readDocument(path: string): CheckpointDocument {
  const refuse = (problem: string): never => {
    throw new SyntaxError(
      `Cannot read ${path}: ${problem}. Copy the checkpoint again, or take an older one.`,
    );
  };
  const { size } = Deno.statSync(path);
  if (size > MAX_BYTES) {
    refuse(`it should hold at most ${MAX_BYTES} bytes, current value is ${size}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refuse(error.message);
  }
  if (isMembers(value) && value.format === CHECKPOINT_FORMAT && isNewer(value.formatVersion)) {
    throw new SyntaxError(
      `Cannot read ${path}: its version should be at most ${CHECKPOINT_VERSION}, current value is ` +
        `${value.formatVersion}. Update trocar.`,
    );
  }
  const problem = documentProblem(value);
  if (problem !== undefined) refuse(problem);
  const { digest, ...members } = value as unknown as CheckpointDocument;
  let found = "none";
  try {
    found = digestOf(members as unknown as JsonValue);
  } catch (error) {
    refuse((error as Error).message);
  }
  if (digest !== found) {
    refuse(
      `its digest should be ${digest}, current value is ${found}; it was changed after it was written`,
    );
  }
  parseConfig(path, members.config);
  return value as unknown as CheckpointDocument;
}

function isNewer(version: unknown): boolean {
  return typeof version === "number" && version > CHECKPOINT_VERSION;
}

function digestOf(members: JsonValue): string {
  try {
    return createHash("sha256").update(canonicalJson(members)).digest("hex");
  } catch (error) {
    if (error instanceof TypeError) throw error;
    throw new TypeError("it is nested too deeply"); // RangeError of the stack
  }
}

/** What a document should be and is not. */
function documentProblem(value: unknown): string | undefined {
  if (!isMembers(value)) return "it should be an object";
  const problems = [
    expect("format", value.format === CHECKPOINT_FORMAT, `"${CHECKPOINT_FORMAT}"`),
    expect("formatVersion", value.formatVersion === CHECKPOINT_VERSION, `${CHECKPOINT_VERSION}`),
    expect("epochBase", value.epochBase === 1, "1"),
    expect("createdBy", typeof value.createdBy === "string", "a text"),
    expect("digest", typeof value.digest === "string", "a text"),
    expect("assumed", isTextList(value.assumed), "a list of texts"),
    expect("extra", isMembers(value.extra), "an object"),
    expect("actionRepresentation", isNullOr(isMembers)(value.actionRepresentation), "an object"),
    ...TEXTS.map((name) => expect(name, isNullOr(isText)(value[name]), "a text or null")),
    ...COUNTS.map((name) => expect(name, isNullOr(isCount)(value[name]), "a count or null")),
    ...OPAQUE.map((name) => expect(name, Object.hasOwn(value, name), "there")),
    ...lossProblems(value.losses),
    ...fileProblems(value.files),
  ];
  return problems.find((problem) => problem !== undefined);
}

function lossProblems(losses: unknown): (string | undefined)[] {
  if (!isMembers(losses)) return ["losses should be an object"];
  return LOSSES.map((name) =>
    expect(`losses.${name}`, isNullOr(Number.isFinite)(losses[name]), "a number or null")
  );
}

function fileProblems(files: unknown): (string | undefined)[] {
  if (!Array.isArray(files)) return ["files should be a list"];
  const known: unknown[] = [MODEL_FILE, TRAINING_FILE];
  const names = files.map((file) => isMembers(file) ? file.name : undefined);
  return [
    expect("files", names.includes(MODEL_FILE), `a list with ${MODEL_FILE}`),
    expect("files", new Set(names).size === names.length, "a list without repetitions"),
    ...files.map((file, i) => {
      const isFile = isMembers(file) && known.includes(file.name) && isCount(file.bytes) &&
        typeof file.sha256 === "string" && /^[0-9a-f]{64}$/.test(file.sha256);
      return expect(`files[${i}]`, isFile, `a name of ${known.join(", ")}, bytes and sha256`);
    }),
  ];
}

function expect(name: string, holds: boolean, should: string): string | undefined {
  return holds ? undefined : `${name} should be ${should}`;
}

function isNullOr(is: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === null || is(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/** Whether a value is a list of texts. */
export function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
