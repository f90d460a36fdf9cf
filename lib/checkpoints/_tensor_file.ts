import { openSafetensors } from "../formats/safetensors.ts";
import { canonicalTensors } from "./_canonical.ts";
import { parseConfig } from "./_config.ts";
import { NO_LOSSES } from "./_document.ts";
import type { OpenCheckpoint } from "./open.ts";

/** Opens a safetensors file; a configuration may stand in its metadata as JSON. */
export function openTensorFile(path: string): OpenCheckpoint {
  const file = openSafetensors(path);
  try {
    const entries = file.names.map((name) => [name, file.tensor(name)] as const);
    const { copies: [copy], ...found } = canonicalTensors(path, entries);
    if (copy !== undefined) {
      throw new SyntaxError(
        `Cannot read ${path}: its keys should name each tensor once, current value is ${copy[0]} ` +
          "twice, with and without a wrapper's prefix. Write it again.",
      );
    }
    const text = file.metadata.config;
    return {
      path,
      layout: "safetensors",
      ...found,
      config: text === undefined ? null : parseConfig(path, parseJson(path, text)),
      program: null,
      trainingStage: null,
      epoch: null,
      epochBase: null,
      globalStep: null,
      losses: NO_LOSSES,
      remarks: [],
      document: null,
      value: null,
      training: () => null,
      verify: () => Promise.resolve(),
      close: () => file.close(),
      [Symbol.dispose]: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`Cannot read the configuration in ${path}: ${(error as Error).message}`);
  }
}
