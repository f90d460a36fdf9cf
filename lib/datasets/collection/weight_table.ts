import { readJson } from "../_json.ts";

/** A number for each data set by its name; {@linkcode OTHERS} is what no other name claims. */
export type WeightTable = Readonly<Record<string, number>>;

/** Name of the data set that holds the episodes which no other one claims. */
export const OTHERS = "others";

/** How often the field's data sets are drawn against each other: 3 : 2 : 1. */
export const DEFAULT_WEIGHTS: WeightTable = {
  New_dataset: 3,
  New_dataset2: 3,
  White_silicone_white_circle: 2,
  Needle_insertion_eye_trocar: 2,
  OCT_insertion: 1,
  part1: 1,
  [OTHERS]: 1,
};

/**
 * Reads a table of weights as flags give it.
 *
 * @param texts `NAME=WEIGHT`, several of them joined by commas, or the path of a `.json` file such as
 * `{"New_dataset": 3}`; what is given as text wins over files
 * @param base what the texts are laid over; default {@linkcode DEFAULT_WEIGHTS}
 * @returns the table
 * @throws {SyntaxError} when a text is malformed, a weight is not a finite number of at least 0, or a
 * name is given twice
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseWeights } from "./mod.ts";
 *
 * const weights = parseWeights(["Blue_point=4,part1=0.5"]);
 * assert.deepEqual([weights.Blue_point, weights.part1, weights.New_dataset], [4, 0.5, 3]);
 * assert.throws(() => parseWeights(["part1=many"]), /at least 0/);
 * ```
 */
export function parseWeights(
  texts: readonly string[],
  base: WeightTable = DEFAULT_WEIGHTS,
): WeightTable {
  const isFile = (text: string) => text.endsWith(".json");
  const files = texts.filter(isFile).flatMap(readFile);
  const pairs = texts.filter((text) => !isFile(text)).flatMap((text) =>
    text.split(",").map(parsePair)
  );
  for (const given of [files, pairs]) {
    const names = given.map(([name]) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) fail(twice, "each name should be given once", `${twice}, twice`);
  }
  return Object.fromEntries([...Object.entries(base), ...files, ...pairs]);
}

function parsePair(text: string): [name: string, weight: number] {
  const [, name, digits] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined) fail(text, "it should be NAME=WEIGHT, such as New_dataset=3", text);
  const isNumber = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits!);
  return [name.trim(), checked(text, isNumber ? Number(digits) : NaN, digits!)];
}

function readFile(path: string): [name: string, weight: number][] {
  const record = readJson(path, "table of weights");
  return record.names().map((name) => {
    const weight = record.number(name);
    return [name, checked(`${name} of ${path}`, weight, String(weight))];
  });
}

function checked(place: string, weight: number, found: string): number {
  if (Number.isFinite(weight) && weight >= 0) return weight;
  return fail(place, "the weight should be a finite number of at least 0", found);
}

function fail(place: string, expected: string, found: string): never {
  throw new SyntaxError(
    `Cannot use the weight ${place}: ${expected}, current value is "${found}".`,
  );
}
