/** Instruction texts of the field's data sets, as older files hold them. */
const WHITE_SILICONE = "Insert into the white square silicone with a white circle sticker attached";
const EYE_TROCAR = "Insert the needle through the trocar into the eye phantom model";
const OCT = "Insert the needle into the tissue using OCT guidance";
const GENERIC = "Perform the insertion task";

/** One row of the instruction table: what a task's name must hold, and its instruction. */
export interface InstructionRule {
  /** Words that the name holds as consecutive words, lower case, separated by blanks. */
  readonly words: string;
  /** What the policy is told. */
  readonly instruction: string;
}

/**
 * Instructions by task name. The rule with the longest match wins, so the order does not matter.
 * Names are compared in lower case with `_` and `-` as blanks.
 */
export const INSTRUCTION_RULES: readonly InstructionRule[] = [
  { words: "white silicone white circle", instruction: WHITE_SILICONE },
  { words: "white silicone", instruction: WHITE_SILICONE },
  { words: "white circle", instruction: WHITE_SILICONE },
  { words: "needle insertion eye trocar", instruction: EYE_TROCAR },
  { words: "oct insertion", instruction: OCT },
  { words: "part1", instruction: GENERIC },
  { words: "blue point", instruction: "Perform Blue point insertion task" },
  { words: "green point", instruction: "Perform Green point insertion task" },
  { words: "red point", instruction: "Perform Red point insertion task" },
  { words: "white point", instruction: "Perform White point insertion task" },
  { words: "yellow point", instruction: "Perform Yellow point insertion task" },
  { words: "eye trocar", instruction: "Perform Eye trocar insertion task" },
];

/**
 * The instruction of a task, by its name: the longest rule of the table that the name holds, else the
 * fallback.
 *
 * @param task name of the task, usually the folder above the recording, e.g. `Blue_point`
 * @param options the table, default {@linkcode INSTRUCTION_RULES}; the fallback, default
 * `Perform the insertion task`
 * @returns what the policy is told
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { instructionOf } from "./instruction.ts";
 *
 * assert.equal(instructionOf("Blue_point"), "Perform Blue point insertion task");
 * assert.equal(instructionOf("something else"), "Perform the insertion task");
 * ```
 */
export function instructionOf(
  task: string,
  options: { readonly rules?: readonly InstructionRule[]; readonly fallback?: string } = {},
): string {
  const name = ` ${task.toLowerCase().replaceAll(/[_\-\s]+/g, " ").trim()} `;
  let best: InstructionRule | undefined;
  for (const rule of options.rules ?? INSTRUCTION_RULES) {
    if (!name.includes(` ${rule.words} `)) continue;
    if (best === undefined || rule.words.length > best.words.length) best = rule;
  }
  return best?.instruction ?? options.fallback ?? GENERIC;
}

/**
 * The rules of the Python reference, for comparison with its old files: they look at the folder's
 * name as it is and know two tasks.
 *
 * @param folder name of the folder above the recording
 * @param program which of its two programs: `step0` (data.pkl) or `sensor` (interval JSON)
 * @returns the instruction that program gave
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { referenceInstruction } from "./instruction.ts";
 *
 * assert.equal(referenceInstruction("Eye_trocar", "step0"), "Perform the insertion task");
 * ```
 */
export function referenceInstruction(folder: string, program: "step0" | "sensor"): string {
  const name = folder.toLowerCase();
  const isWhite = program === "step0"
    ? name.includes("white") && name.includes("circle")
    : name.includes("white_silicone") || name.includes("white_circle");
  if (isWhite) return WHITE_SILICONE;
  return name.includes("needle") && name.includes("trocar") ? EYE_TROCAR : GENERIC;
}
