import { choiceFlag, type Flag, integerFlag, switchFlag } from "./flag.ts";

/** Names of the engines that `--engine` takes. */
export type EngineChoice = "auto" | "tensorflow" | "webgpu" | "wasm";

/**
 * `--engine auto|tensorflow|webgpu|wasm`.
 *
 * @returns the flag; default `auto`
 *
 * @example
 * ```ts
 * import { engineFlag } from "./mod.ts";
 * console.log(engineFlag().parse("--engine", ["wasm"])); // "wasm"
 * ```
 */
export function engineFlag(): Flag<EngineChoice> {
  return choiceFlag(
    "which engine computes; auto takes the first of the others that works here",
    ["auto", "tensorflow", "webgpu", "wasm"],
    { default: "auto" },
  );
}

/**
 * `--seed N`: every random number follows from it.
 *
 * @param fallback its default, 0 to 2^32 - 1; 0 if not given
 * @returns the flag
 *
 * @example
 * ```ts
 * import { seedFlag } from "./mod.ts";
 * console.log(seedFlag(7).fallback); // 7
 * ```
 */
export function seedFlag(fallback = 0): Flag<number> {
  return integerFlag("every random number follows from it", {
    default: fallback,
    min: 0,
    max: 2 ** 32 - 1,
  });
}

/** The flags that every command has. */
export const COMMON_FLAGS = {
  json: switchFlag("print one JSON document on standard output, everything else on standard error"),
  quiet: switchFlag("no progress and no remarks, only results, warnings and errors"),
  verbose: switchFlag("more detail, and the stack of an error"),
} as const;
