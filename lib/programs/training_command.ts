import type { CommandDefinition, Flags } from "../cli/mod.ts";
import { TRAINING_ALIASES, type TrainingValues } from "./flags.ts";
import type { TrainingProgram } from "./program.ts";
import { trainProgram } from "./train_program.ts";

/**
 * The command of a training program.
 *
 * @param program what it trains
 * @returns what `runCommand` takes
 */
export function trainingCommand(program: TrainingProgram): CommandDefinition<Flags> {
  const { name, summary, details, flags } = program;
  const aliases = { ...TRAINING_ALIASES, fusion: "fusionStrategy" };
  return {
    ...{ name, summary, details, flags },
    aliases: Object.fromEntries(Object.entries(aliases).filter(([, flag]) => flag in flags)),
    run: (values, context) =>
      // The flags are the program's, of which TrainingValues are the types.
      trainProgram(program, values as unknown as TrainingValues & typeof values, context),
  };
}
