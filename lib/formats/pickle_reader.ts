import { HANDLERS } from "./_pickle_handlers.ts";
import { type Item, PickleMachine } from "./_pickle_machine.ts";
import { OPCODES } from "./_pickle_opcodes.ts";
import { PickleSource } from "./_pickle_source.ts";
import type { PickleContext, PickleGlobal } from "./pickle_globals.ts";
import type { PickleValue } from "./pickle_values.ts";

/**
 * How a pickle is read.
 *
 * @typeParam Custom what `globals` and `persistentLoad` return beside plain values
 */
export interface PickleReadOptions<Custom = never> {
  /** Stands in error messages for the path when bytes are read. Default `pickle`. */
  readonly name?: string;
  /** `tagged` reads each Python `float` as a `PickleFloat`. Default `number`. */
  readonly floats?: "number" | "tagged";
  /** Further allowed names by module and name, e.g. `torch._utils._rebuild_tensor_v2`. */
  readonly globals?: Readonly<Record<string, PickleGlobal<Custom>>>;
  /** Resolves data that lie outside the pickle, by what was saved as their persistent id. */
  readonly persistentLoad?: (
    id: PickleValue<Custom>,
    context: PickleContext,
  ) => PickleValue<Custom>;
  /** What bytes after the end of the pickle are. Default `refuse`: an error. */
  readonly trailing?: "refuse" | "ignore";
}

/**
 * Reads a pickle of plain Python values and NumPy arrays, protocols 0 to 5. Nothing is ever
 * executed: a pickle that asks for a name that is not on a short list is refused, and named.
 *
 * On the list is what numbers, texts, bytes, sets, `complex`, `OrderedDict` (its attributes are
 * dropped) and NumPy's arrays, scalars and dtypes need, of NumPy 1 and 2. Arrays come out in C
 * order and the machine's byte order; those of Python objects, structures or times are refused.
 * Python 2's `str` is text where it is ASCII, else bytes. Bytes are views of what is read.
 * Containers may hold themselves, as in Python: walk them with that in mind.
 *
 * Format: Python's `pickle` and `pickletools`, PEP 307, PEP 3154 and PEP 574.
 *
 * @param source path of the file, or its bytes
 * @param options further allowed names, and how floats are returned
 * @returns the value
 * @throws {SyntaxError} with path and byte offset when the file is damaged or asks for more than
 * data
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readPickle } from "./mod.ts";
 *
 * const bytes = new TextEncoder().encode("(dS'rate'\nI10\ns.");
 * assert.deepEqual(readPickle(bytes), new Map([["rate", 10]]));
 *
 * const hostile = new TextEncoder().encode("cposix\nsystem\n(S'echo hacked'\ntR.");
 * assert.throws(() => readPickle(hostile), /at byte 0.*posix\.system.*Nothing was executed/);
 * ```
 */
export function readPickle<Custom = never>(
  source: string | Uint8Array,
  options: PickleReadOptions<Custom> = {},
): PickleValue<NoInfer<Custom>> {
  const path = typeof source === "string" ? source : options.name ?? "pickle";
  const bytes = typeof source === "string" ? Deno.readFileSync(source) : source;
  const reader = new PickleSource(bytes, path);
  const { globals = {}, persistentLoad } = options as unknown as PickleReadOptions<object>;
  const machine = new PickleMachine(reader, {
    taggedFloats: options.floats === "tagged",
    globals,
    persistentLoad,
  });
  const value = run(machine);
  if (reader.remaining > 0 && options.trailing !== "ignore") {
    reader.fail(
      "the file should end after its value",
      `${reader.remaining} more bytes`,
      "It was written twice or damaged; give the option `trailing` to read its first value.",
    );
  }
  return value as PickleValue<NoInfer<Custom>>;
}

function run(machine: PickleMachine): Item {
  const { source } = machine;
  for (;;) {
    if (source.remaining === 0) {
      source.fail("it should end with the opcode STOP", "the end of the file", "It was cut short.");
    }
    const code = source.opcode();
    if (code === OPCODES.STOP) return machine.finish();
    const handler = HANDLERS[code];
    if (handler === undefined) {
      const hex = code.toString(16).padStart(2, "0");
      source.fail("an opcode should stand here", `0x${hex}`, "It is no pickle, or damaged.");
    }
    handler!(machine);
  }
}
