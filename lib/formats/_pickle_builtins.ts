import { encodeLatin1 } from "./_pickle_text.ts";
import type { PickleContext, PickleGlobal } from "./pickle_globals.ts";
import {
  NumpyScalar,
  PickleFloat,
  PickleTuple,
  pickleTypeName,
  type PickleValue,
} from "./pickle_values.ts";

type Item = PickleValue<object>;

/** Names of Python's standard library that plain data need; older protocols use them. */
export const BUILTIN_GLOBALS: Readonly<Record<string, PickleGlobal<object>>> = {
  "_codecs.encode": { construct: encode },
  "builtins.bytes": { construct: bytes },
  "builtins.bytearray": { construct: bytes },
  "builtins.complex": { construct: complex },
  "builtins.set": { construct: set },
  "builtins.frozenset": { construct: set },
  // Its attributes are not data.
  "collections.OrderedDict": { construct: orderedDict, build: () => {} },
};

/** `encode(text, "latin1")` is how protocols 0 to 2 write bytes. */
function encode(args: readonly Item[], context: PickleContext): Item {
  const [text, encoding = "utf-8"] = args;
  if (typeof text !== "string" || !/^latin-?1$/.test(String(encoding)) || args.length > 2) {
    return wrong("_codecs.encode", "(str, 'latin1')", args, context);
  }
  context.charge(text.length);
  return encodeLatin1(text) ?? context.fail("bytes should be characters below 256", "others");
}

function bytes(args: readonly Item[], context: PickleContext): Item {
  const [from] = args;
  if (args.length === 0) return new Uint8Array();
  if (typeof from === "string") return encode(args, context);
  if (!(from instanceof Uint8Array) || args.length > 1) {
    return wrong("bytes", "() or (bytes)", args, context);
  }
  context.charge(from.length);
  return from.slice();
}

function complex(args: readonly Item[], context: PickleContext): Item {
  const [real, imaginary] = args.map(toFloat);
  if (real === undefined || imaginary === undefined || args.length !== 2) {
    return wrong("complex", "(float, float)", args, context);
  }
  return new NumpyScalar("complex128", [real, imaginary]);
}

function set(args: readonly Item[], context: PickleContext): Item {
  const [items = []] = args;
  if (!Array.isArray(items) || args.length > 1) return wrong("set", "(list)", args, context);
  context.charge(200 + items.length * 32);
  const wrongMember = items.find((item) => Array.isArray(item) || item instanceof Map);
  if (wrongMember !== undefined) {
    context.fail("members of sets should be immutable", pickleTypeName(wrongMember));
  }
  return new Set(items);
}

function orderedDict(args: readonly Item[], context: PickleContext): Item {
  const [items = []] = args;
  if (!Array.isArray(items) || args.length > 1) {
    return wrong("OrderedDict", "() or (list)", args, context);
  }
  context.charge(200 + items.length * 48);
  const dict = new Map<Item, Item>();
  for (const item of items) {
    const pair = item instanceof PickleTuple ? item.items : item;
    if (!Array.isArray(pair) || pair.length !== 2) {
      return context.fail("an OrderedDict is made of pairs", pickleTypeName(item));
    }
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

function toFloat(item: Item): number | undefined {
  if (item instanceof PickleFloat) return item.value;
  return typeof item === "number" ? item : undefined;
}

function wrong(
  name: string,
  should: string,
  args: readonly Item[],
  context: PickleContext,
): never {
  const found = `(${args.map(pickleTypeName).join(", ")})`;
  return context.fail(`${name} should be called with ${should}`, found);
}
