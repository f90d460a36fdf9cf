import { openSafetensors } from "../formats/safetensors.ts";
import { CONTENTS } from "./convert/_read_ours.ts";
import { canonicalTensors } from "./_canonical.ts";
import { isMembers, parseConfig } from "./_config.ts";
import { isTextList, NO_LOSSES } from "./_document.ts";
import { notesOf } from "./_notes.ts";
import { type CheckpointContents, VISUAL_MEMBER } from "./document.ts";
import type { OpenCheckpoint } from "./open.ts";

/** Metadata: the settings of the configuration that nobody named, as JSON. */
export const ASSUMED = "assumed";

/** Opens a safetensors file; a configuration may stand in its metadata as JSON. */
export function openTensorFile(path: string): OpenCheckpoint {
  const file = openSafetensors(path);
  try {
    const entries = file.names.map((name) => [name, file.tensor(name)] as const);
    const { copies: [copy], others, ...found } = canonicalTensors(path, entries);
    if (copy !== undefined) {
      throw new SyntaxError(
        `Cannot read ${path}: its keys should name each tensor once, current value is ${copy[0]} ` +
          "twice, with and without a wrapper's prefix. Write it again.",
      );
    }
    const { config: text, [ASSUMED]: settings, [CONTENTS]: said } = file.metadata;
    return {
      path,
      layout: "safetensors",
      ...found,
      config: text === undefined ? null : parseConfig(path, parseJson(path, text)),
      assumed: text === undefined || settings === undefined ? [] : assumedOf(path, settings),
      program: null,
      trainingStage: null,
      epoch: null,
      epochBase: null,
      globalStep: null,
      losses: NO_LOSSES,
      remarks: [],
      document: null,
      notes: said === undefined ? null : notesIn(path, said),
      value: null,
      training: () => null,
      others: () => others.size === 0 ? null : { tensors: others, training: new Map() },
      verify: () => Promise.resolve(),
      close: () => file.close(),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function notesIn(path: string, text: string) {
  const value = parseJson(path, text);
  if (!isMembers(value)) return null;
  const { features, extra } = value as Partial<CheckpointContents>;
  return notesOf(features, extra?.[VISUAL_MEMBER]);
}

function assumedOf(path: string, text: string): string[] {
  const value = parseJson(path, text);
  if (isTextList(value)) return value;
  throw new SyntaxError(
    `Cannot read the configuration in ${path}: its assumed settings should be a list of texts, ` +
      `current value is ${text.slice(0, 60)}. Convert it again.`,
  );
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read the configuration in ${path}: ${(error as Error).message}`);
  }
}
