/** What the C API's graph functions must know of an op: which inputs are lists, and whether it has effects. */
import { check, cString, type Library, type Pointer } from "./_library.ts";
import { outputRef, outputRefs, type Symbolic } from "./_symbolic.ts";

/** One input of an op. */
interface InputArg {
  /** The attribute that holds the list's length, if the input is a list of one type. */
  readonly numberAttr: string;
  /** The attribute that lists the types, if the input is a list of several types. */
  readonly typeListAttr: string;
}

/** The parts of an `OpDef` (`op_def.proto`) that tracing needs. */
export interface OpDef {
  readonly inputs: readonly InputArg[];
  /** Attributes that follow from the inputs and must not be set on a graph node. */
  readonly inferred: ReadonlySet<string>;
  /** Whether the op reads or writes state, so that its order matters. */
  readonly stateful: boolean;
}

const decoder = new TextDecoder();

/** Calls `visit` for each field of a serialised protocol buffer: bytes, or a number for varints. */
function fields(bytes: Uint8Array, visit: (field: number, value: Uint8Array | number) => void) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    switch (tag & 7) {
      case 0:
        visit(tag >>> 3, varint());
        break;
      case 2: {
        const length = varint();
        visit(tag >>> 3, bytes.subarray(at, at += length));
        break;
      }
      default: // fixed 64 or 32 bits
        at += (tag & 7) === 1 ? 8 : 4;
    }
  }
}

const text = (value: Uint8Array | number) => decoder.decode(value as Uint8Array);

function parse(bytes: Uint8Array): OpDef {
  const inputs: InputArg[] = [];
  let stateful = false;
  fields(bytes, (field, value) => {
    if (field === 17) stateful = value === 1;
    if (field !== 2) return;
    const arg = { numberAttr: "", typeListAttr: "" };
    fields(value as Uint8Array, (inner, name) => {
      if (inner === 5) arg.numberAttr = text(name);
      if (inner === 6) arg.typeListAttr = text(name);
    });
    inputs.push(arg);
  });
  const inferred = new Set(inputs.flatMap((i) => [i.numberAttr, i.typeListAttr]));
  inferred.delete("");
  return { inputs, inferred, stateful };
}

const cache = new Map<string, OpDef>();

/** The definition of an op, asked of TensorFlow once per name. */
export function opDef(library: Library, graph: Pointer, name: string): OpDef {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const { api, status } = library;
  const buffer = api.TF_NewBuffer();
  api.TF_GraphGetOpDef(graph, cString(name), buffer, status);
  try {
    check(library, `Cannot find op "${name}"`);
    const view = new Deno.UnsafePointerView(buffer!);
    const bytes = new Uint8Array(Number(view.getBigUint64(8)));
    if (bytes.length > 0) Deno.UnsafePointerView.copyInto(view.getPointer(0)!, bytes);
    const def = parse(bytes);
    cache.set(name, def);
    return def;
  } finally {
    api.TF_DeleteBuffer(buffer);
  }
}

/**
 * How many of an op's flat inputs belong to each of its arguments.
 *
 * @param def The op's definition.
 * @param count The number of flat inputs.
 * @param lengthOf The value of a length or type-list attribute, if it was given.
 */
export function groupInputs(
  def: OpDef,
  count: number,
  lengthOf: (attribute: string) => number | undefined,
): number[] {
  const lists = def.inputs.filter((arg) => arg.numberAttr || arg.typeListAttr).length;
  return def.inputs.map((arg) => {
    const attribute = arg.numberAttr || arg.typeListAttr;
    if (attribute === "") return 1;
    if (lists === 1) return count - (def.inputs.length - 1);
    const length = lengthOf(attribute);
    if (length === undefined) {
      throw new TypeError(`Cannot trace op: it needs attribute "${attribute}" for its list inputs`);
    }
    return length;
  });
}

/**
 * Adds the inputs of a graph node.
 *
 * @param library The open library.
 * @param description The node's `TF_OperationDescription`.
 * @param def The op's definition.
 * @param groups What {@link groupInputs} says.
 * @param inputs The flat inputs.
 */
export function addInputs(
  { api }: Library,
  description: Pointer,
  def: OpDef,
  groups: readonly number[],
  inputs: readonly Symbolic[],
): void {
  let at = 0;
  groups.forEach((count, i) => {
    const arg = def.inputs[i]!;
    if (arg.numberAttr || arg.typeListAttr) {
      api.TF_AddInputList(description, outputRefs(inputs.slice(at, at + count)), count);
    } else api.TF_AddInput(description, outputRef(inputs[at]!));
    at += count;
  });
}
