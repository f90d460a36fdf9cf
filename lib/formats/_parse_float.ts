/** No double needs more digits than this to be told apart from its neighbours (767 for float64). */
const MAX_LENGTH = 1000;

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const NOT_FINITE = /^([+-]?)(nan|inf|infinity)$/i;

/**
 * The number that a decimal text stands for, correctly rounded; what `Number()` takes beyond that
 * ("", " 1", "0x1f") is none here.
 *
 * @returns undefined when the text is no number; NaN and infinities for "nan", "-inf", "Infinity"
 */
export function parseFloatText(text: string): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (DECIMAL.test(text)) return Number(text);
  const match = NOT_FINITE.exec(text);
  if (match === null) return undefined;
  if (match[2]!.toLowerCase() === "nan") return NaN;
  return match[1] === "-" ? -Infinity : Infinity;
}
