import type { DataPkl } from "../../formats/data_pkl.ts";
import { ACTION_WIDTH } from "../actions.ts";

/** Refuses a `data.pkl` whose contents make no episode. */
export function checkPickle(path: string, { action, metadata }: DataPkl): void {
  const wrong = action.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new SyntaxError(
      `Cannot use ${path}: action[${Math.floor(wrong / ACTION_WIDTH)}, ${wrong % ACTION_WIDTH}] ` +
        `should be a finite number, current value is ${action[wrong]}.`,
    );
  }
  if (action.length === 0) {
    throw new SyntaxError(`Cannot use ${path}: action should have rows, current value is 0.`);
  }
  const { actionHz } = metadata;
  if (!(actionHz > 0 && actionHz <= 1000)) {
    throw new SyntaxError(
      `Cannot use ${path}: metadata.action_hz should be above 0 and at most 1000, ` +
        `current value is ${actionHz}.`,
    );
  }
}
