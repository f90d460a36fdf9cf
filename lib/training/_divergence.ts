import { tf, type Variables } from "../engine/mod.ts";
import type { EpochTotals } from "./epoch_totals.ts";
import type { TrainingState } from "./training_state.ts";

/**
 * Refuses a training that has nothing more to learn from: parameters that are not finite, or so large
 * that loss and gradient are not. The same on all processes.
 *
 * @param state after the epoch
 * @param totals of the epoch
 * @param validationLoss as validation gave it; null without
 * @param variables of the policy
 * @throws {RangeError} when no step can change anything any more
 */
export async function expectFinite(
  { epoch, globalStep }: TrainingState,
  { steps, skipped }: EpochTotals,
  validationLoss: number | null,
  variables: Variables,
): Promise<void> {
  const isNumber = validationLoss === null || Number.isFinite(validationLoss);
  const wrong = await nonFiniteKey(variables);
  let found: string;
  if (wrong !== undefined) found = `${wrong} with values that are not`;
  else if (skipped === steps || (skipped > 0 && !isNumber)) {
    const validated = validationLoss === null ? "" : ` and a validation loss of ${validationLoss}`;
    found = `${skipped} of ${steps} steps skipped in epoch ${epoch}${validated}`;
  } else return;
  throw new RangeError(
    `Cannot go on training: after step ${globalStep} parameters, loss and gradient should be finite, ` +
      `current value is ${found}. Nothing of this epoch was saved as best or final. Lower the ` +
      "learning rate, or look at the data, and train in a new folder.",
  );
}

/** The first tensor that is not finite. */
async function nonFiniteKey(variables: Variables): Promise<string | undefined> {
  const entries = Object.entries(variables);
  const finite = tf.tidy(() =>
    tf.stack(entries.map(([, variable]) => tf.isFinite(variable.read().cast("float32")).all()))
  );
  try {
    const flags = await finite.data();
    return entries.find((_, i) => !flags[i])?.[0];
  } finally {
    finite.dispose();
  }
}
