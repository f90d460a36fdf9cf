import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** A flag of a command: how its text becomes a value, and what `--help` says about it. */
export interface Flag<T> {
  /** `switch` takes no value, `list` may be given several values. */
  readonly kind: "switch" | "value" | "list";
  /** What the flag does, as `--help` shows it. */
  readonly summary: string;
  /** Name of the value in `--help`, e.g. `N`. */
  readonly placeholder: string;
  /** Value when the flag is not given. */
  readonly fallback: T;
  /** How `--help` writes the default. */
  readonly fallbackText: string;
  /** Turns the text into a value; `name` is the flag as `--kebab-case`. */
  readonly parse: (name: string, texts: readonly string[]) => T;
}

/** Limits of a numeric flag. */
export interface NumberLimits {
  /** Smallest value, included. */
  readonly min?: number;
  /** Largest value, included. */
  readonly max?: number;
  /** Name of the value in `--help`; default `N`. */
  readonly placeholder?: string;
}

/** Default of a flag; without one the value is `undefined` when the flag is not given. */
/** A flag that may have a default. */
export interface WithDefault<T> {
  /** Its value when it is not given. */
  readonly default?: T;
  /** How `--help` writes the default, where the value itself says too little. */
  readonly defaultText?: string;
}

/** A number, or undefined if the flag has no default. */
export type NumberFlag<O> = Flag<O extends { default: number } ? number : number | undefined>;
/** One of a few words, or undefined if the flag has no default. */
export type ChoiceFlag<T extends string, O> = Flag<
  O extends { default: string } ? T : T | undefined
>;
/** A text, or undefined if the flag has no default. */
export type TextFlag<O> = Flag<O extends { default: string } ? string : string | undefined>;

/**
 * A flag that is on when given: `--json`.
 *
 * @param summary what it does
 * @returns the flag; default off
 *
 * @example
 * ```ts
 * import { switchFlag } from "./mod.ts";
 * console.log(switchFlag("overwrite what is there").fallback); // false
 * ```
 */
export function switchFlag(summary: string): Flag<boolean> {
  return {
    kind: "switch",
    summary,
    placeholder: "",
    fallback: false,
    fallbackText: "off",
    parse: () => true,
  };
}

/**
 * A flag that takes a finite number.
 *
 * @param summary what it does, with its unit
 * @param options limits and default
 * @returns the flag; its `parse` throws {@linkcode UsageError} for NaN, infinity, and outside limits
 *
 * @example
 * ```ts
 * import { numberFlag } from "./mod.ts";
 * const flag = numberFlag("dropped share", { default: 0.1, min: 0, max: 1 });
 * console.log(flag.parse("--dropout", ["0.25"])); // 0.25
 * ```
 */
export function numberFlag<const O extends NumberLimits & WithDefault<number>>(
  summary: string,
  options: O = {} as O,
): NumberFlag<O> {
  return numeric(summary, options, false) as NumberFlag<O>;
}

/**
 * A flag that takes a whole number.
 *
 * @param summary what it does, with its unit
 * @param options limits and default
 * @returns the flag; its `parse` throws {@linkcode UsageError} for fractions and outside limits
 *
 * @example
 * ```ts
 * import { integerFlag } from "./mod.ts";
 * const flag = integerFlag("samples per step", { default: 4, min: 1 });
 * console.log(flag.parse("--batch", ["8"])); // 8
 * ```
 */
export function integerFlag<const O extends NumberLimits & WithDefault<number>>(
  summary: string,
  options: O = {} as O,
): NumberFlag<O> {
  return numeric(summary, options, true) as NumberFlag<O>;
}

/**
 * A flag that takes any text, such as a path.
 *
 * @param summary what it does
 * @param options default, and name of the value in `--help` (default `TEXT`)
 * @returns the flag
 *
 * @example
 * ```ts
 * import { textFlag } from "./mod.ts";
 * console.log(textFlag("where to write", { placeholder: "DIR" }).fallback); // undefined
 * ```
 */
export function textFlag<const O extends WithDefault<string> & { placeholder?: string }>(
  summary: string,
  options: O = {} as O,
): TextFlag<O> {
  const flag: Flag<string | undefined> = {
    kind: "value",
    summary,
    placeholder: options.placeholder ?? "TEXT",
    fallback: options.default,
    fallbackText: options.defaultText ?? options.default ?? "none",
    parse: (_name, texts) => texts.at(-1),
  };
  return flag as TextFlag<O>;
}

/**
 * A flag that takes one of a few words.
 *
 * @param summary what it does
 * @param choices the words
 * @param options which of them is the default; without one the value is undefined
 * @returns the flag; its `parse` throws {@linkcode UsageError} naming the nearest choice
 *
 * @example
 * ```ts
 * import { choiceFlag } from "./mod.ts";
 * const flag = choiceFlag("of products", ["f32", "bf16"], { default: "f32" });
 * console.log(flag.parse("--precision", ["bf16"])); // "bf16"
 * ```
 */
export function choiceFlag<
  const T extends string,
  const O extends WithDefault<NoInfer<T>> = Record<never, never>,
>(
  summary: string,
  choices: readonly T[],
  options: O = {} as O,
): ChoiceFlag<T, O> {
  const flag: Flag<T | undefined> = {
    kind: "value",
    summary,
    placeholder: choices.join("|"),
    fallback: options.default,
    fallbackText: options.defaultText ?? options.default ?? "none",
    parse: (name, texts) => {
      const text = texts.at(-1)!;
      const found = choices.find((choice) => choice === text);
      if (found !== undefined) return found;
      throw bad(name, `it should be one of ${choices.join(", ")}`, text, nearest(text, choices));
    },
  };
  return flag as ChoiceFlag<T, O>;
}

/**
 * A flag that takes several texts: `--data A B` or `--data A --data B`.
 *
 * @param summary what it does
 * @param options default, and name of one value in `--help` (default `TEXT`)
 * @returns the flag; default no values
 *
 * @example
 * ```ts
 * import { listFlag } from "./mod.ts";
 * console.log(listFlag("folders").parse("--data", ["a", "b"])); // [ "a", "b" ]
 * ```
 */
export function listFlag(
  summary: string,
  options: {
    readonly default?: readonly string[];
    readonly defaultText?: string;
    readonly placeholder?: string;
  } = {},
): Flag<readonly string[]> {
  const fallback = options.default ?? [];
  return {
    kind: "list",
    summary,
    placeholder: options.placeholder ?? "TEXT",
    fallback,
    fallbackText: options.defaultText ?? (fallback.length > 0 ? fallback.join(" ") : "none"),
    parse: (_name, texts) => texts,
  };
}

function numeric(
  summary: string,
  options: NumberLimits & WithDefault<number>,
  whole: boolean,
): Flag<number | undefined> {
  const { min = -Infinity, max = Infinity } = options;
  const range = Number.isFinite(min) && Number.isFinite(max)
    ? ` from ${min} to ${max}`
    : Number.isFinite(min)
    ? ` of at least ${min}`
    : Number.isFinite(max)
    ? ` of at most ${max}`
    : "";
  return {
    kind: "value",
    summary,
    placeholder: options.placeholder ?? "N",
    fallback: options.default,
    fallbackText: options.defaultText ?? options.default?.toString() ?? "none",
    parse: (name, texts) => {
      const text = texts.at(-1)!;
      // Number() also takes "", " 1", "0x1f" and "Infinity": none of them is meant here.
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
      const fits = Number.isFinite(value) && value >= min && value <= max;
      if (fits && (!whole || Number.isSafeInteger(value))) return value;
      throw bad(name, `it should be a ${whole ? "whole number" : "number"}${range}`, text);
    },
  };
}

function bad(name: string, should: string, text: string, meant?: string): UsageError {
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return new UsageError(`Cannot use ${name}: ${should}, current value is "${text}".${hint}`);
}
