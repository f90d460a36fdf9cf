import { encodeElements } from "./_npy_encode.ts";
import { OPCODES } from "./_pickle_opcodes.ts";
import { PickleOutput } from "./_pickle_output.ts";
import { scalarElements } from "./_pickle_scalar.ts";
import { encodeLong, encodeUtf8 } from "./_pickle_text.ts";
import type { NpyInput } from "./npy_types.ts";
import {
  isNumpyArray,
  NumpyDtype,
  NumpyScalar,
  PickleFloat,
  PickleReference,
  PickleTuple,
  pickleTypeName,
} from "./pickle_values.ts";

/** Values between two marks, as many as Python writes at once. */
const BATCH = 1000;
/** Python's own pickler ends at about this depth. */
const MAX_DEPTH = 1000;

const TEXT = [OPCODES.SHORT_BINUNICODE, OPCODES.BINUNICODE, OPCODES.BINUNICODE8] as const;
const BYTES = [OPCODES.SHORT_BINBYTES, OPCODES.BINBYTES, OPCODES.BINBYTES8] as const;
const TUPLES = [
  OPCODES.EMPTY_TUPLE,
  OPCODES.TUPLE1,
  OPCODES.TUPLE2,
  OPCODES.TUPLE3,
] as const;

/** The spellings of NumPy 1, which NumPy 2 reads without a warning. */
const RECONSTRUCT = new PickleReference("numpy.core.multiarray._reconstruct");
const SCALAR = new PickleReference("numpy.core.multiarray.scalar");
const NDARRAY = new PickleReference("numpy.ndarray");
const DTYPE = new PickleReference("numpy.dtype");

/** Python holds each bytes object of length 1 once. */
const TYPE_CODE = new Uint8Array([0x62]);

/** Writes values as Python's pickler does, byte for byte where identities of texts allow it. */
export class PickleEncoder {
  readonly output = new PickleOutput();
  /** Indices by value for texts and descriptions of dtypes, by identity for the rest. */
  readonly #memo = new Map<unknown, number>();
  readonly #dtypes = new Map<string, NumpyDtype>();
  /** Keys and indices on the way to the value, for error messages. */
  readonly #path: unknown[] = [];

  save(value: unknown): void {
    this.output.boundary();
    switch (typeof value) {
      case "number":
        return this.#number(value);
      case "bigint":
        return this.#long(value);
      case "boolean":
        return this.output.byte(value ? OPCODES.NEWTRUE : OPCODES.NEWFALSE);
      case "string":
        return this.#recall(value) ? undefined : this.#text(value);
      case "object":
        if (value === null) return this.output.byte(OPCODES.NONE);
        return this.#recall(value) ? undefined : this.#object(value);
      default:
        this.#refuse(value);
    }
  }

  #number(value: number): void {
    const { output } = this;
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) return this.#float(value);
    if (value !== (value | 0)) return this.#long(BigInt(value));
    if (value < 0 || value > 0xffff) {
      output.byte(OPCODES.BININT);
      output.i32(value);
    } else if (value > 0xff) {
      output.byte(OPCODES.BININT2);
      output.u16(value);
    } else {
      output.byte(OPCODES.BININT1);
      output.byte(value);
    }
  }

  #float(value: number): void {
    this.output.byte(OPCODES.BINFLOAT);
    this.output.f64BigEndian(value);
  }

  #long(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) return this.#number(Number(value));
    const bytes = encodeLong(value);
    if (bytes.length < 256) {
      this.output.byte(OPCODES.LONG1);
      this.output.byte(bytes.length);
    } else {
      this.output.byte(OPCODES.LONG4);
      this.output.i32(bytes.length);
    }
    this.output.bytes(bytes);
  }

  #text(text: string): void {
    this.output.counted(TEXT, encodeUtf8(text));
    this.#memoize(text);
  }

  #object(value: object): void {
    if (value instanceof PickleFloat) return this.#float(value.value);
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (value instanceof PickleReference) return this.#reference(value);
    if (this.#path.length > MAX_DEPTH) this.#refuse(value, `deeper than ${MAX_DEPTH} levels`);
    if (Array.isArray(value)) return this.#list(value);
    if (value instanceof PickleTuple) return this.#tuple(value.items, value);
    if (value instanceof Map) return this.#dict(value, value);
    if (value instanceof Set) return this.#set(value);
    if (value instanceof NumpyScalar) return this.#scalar(value);
    if (value instanceof NumpyDtype) return this.#dtype(value);
    if (ArrayBuffer.isView(value)) this.#refuse(value);
    if (isNumpyArray(value)) return this.#array(value as NpyInput);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) this.#refuse(value);
    this.#dict(new Map(Object.entries(value)), value);
  }

  #bytes(bytes: Uint8Array): void {
    this.output.counted(BYTES, bytes);
    this.#memoize(bytes);
  }

  #list(list: readonly unknown[]): void {
    this.output.byte(OPCODES.EMPTY_LIST);
    this.#memoize(list);
    if (list.length === 1) {
      this.#saveAt(0, list[0]);
      return this.output.byte(OPCODES.APPEND);
    }
    for (let start = 0; start < list.length; start += BATCH) {
      this.output.byte(OPCODES.MARK);
      const end = Math.min(start + BATCH, list.length);
      for (let i = start; i < end; i++) this.#saveAt(i, list[i]);
      this.output.byte(OPCODES.APPENDS);
    }
  }

  /** Memoised as `identity`, for a tuple may lie in a list that it holds. */
  #tuple(items: readonly unknown[], identity: unknown = items): void {
    const opcode = TUPLES[items.length] ?? OPCODES.TUPLE;
    if (items.length === 0) return this.output.byte(opcode);
    if (opcode === OPCODES.TUPLE) this.output.byte(OPCODES.MARK);
    items.forEach((item, i) => this.#saveAt(i, item));
    if (this.#memo.has(identity)) {
      // Saving its items has saved it: forget them, take it from the memo.
      if (opcode === OPCODES.TUPLE) this.output.byte(OPCODES.POP_MARK);
      else items.forEach(() => this.output.byte(OPCODES.POP));
      return void this.#recall(identity);
    }
    this.output.byte(opcode);
    this.#memoize(identity);
  }

  #dict(dict: ReadonlyMap<unknown, unknown>, identity: unknown): void {
    this.output.byte(OPCODES.EMPTY_DICT);
    this.#memoize(identity);
    if (dict.size === 1) {
      for (const [key, value] of dict) this.#entry(key, value);
      return this.output.byte(OPCODES.SETITEM);
    }
    let count = 0;
    for (const [key, value] of dict) {
      if (count % BATCH === 0) this.output.byte(OPCODES.MARK);
      this.#entry(key, value);
      if (++count % BATCH === 0 || count === dict.size) this.output.byte(OPCODES.SETITEMS);
    }
  }

  #entry(key: unknown, value: unknown): void {
    this.#checkHashable(key);
    this.save(key);
    this.#saveAt(key, value);
  }

  #set(set: ReadonlySet<unknown>): void {
    this.output.byte(OPCODES.EMPTY_SET);
    this.#memoize(set);
    let count = 0;
    for (const item of set) {
      if (count % BATCH === 0) this.output.byte(OPCODES.MARK);
      this.#checkHashable(item);
      this.#saveAt("of the set", item);
      if (++count % BATCH === 0 || count === set.size) this.output.byte(OPCODES.ADDITEMS);
    }
  }

  #array(array: NpyInput): void {
    const { layout, shape, bytes } = encodeElements(array);
    if (layout.kind === "time" || layout.kind === "structured") this.#refuse(array);
    this.#reference(RECONSTRUCT);
    this.#tuple([NDARRAY, new PickleTuple([0]), TYPE_CODE]);
    this.output.byte(OPCODES.REDUCE);
    this.#memoize(array);
    const dtype = this.#dtypeOf(layout.descr.slice(1, -1));
    this.#tuple([1, new PickleTuple(shape), dtype, false, bytes]);
    this.output.byte(OPCODES.BUILD);
  }

  #scalar(scalar: NumpyScalar): void {
    const elements = scalarElements(scalar) ??
      this.#refuse(scalar, `${scalar.dtype} of ${String(scalar.value)}`);
    const { layout, bytes } = encodeElements(elements);
    this.#reference(SCALAR);
    this.#tuple([this.#dtypeOf(layout.descr.slice(1, -1)), bytes]);
    this.output.byte(OPCODES.REDUCE);
    this.#memoize(scalar);
  }

  #dtypeOf(descr: string): NumpyDtype {
    const known = this.#dtypes.get(descr) ?? new NumpyDtype(descr);
    this.#dtypes.set(descr, known);
    return known;
  }

  #dtype(dtype: NumpyDtype): void {
    const [, order, code, kind, width] = /^([<>|])(([biufcSU])(\d+))$/.exec(dtype.descr) ??
      this.#refuse(dtype);
    this.#reference(DTYPE);
    this.#tuple([code, false, true]);
    this.output.byte(OPCODES.REDUCE);
    this.#memoize(dtype);
    // Size, alignment and flags are told of texts only.
    const text = kind === "U" ? [Number(width) * 4, 4, 8] : [Number(width), 1, 0];
    const sizes = kind === "U" || kind === "S" ? text : [-1, -1, 0];
    this.#tuple([3, order, null, null, null, ...sizes]);
    this.output.byte(OPCODES.BUILD);
  }

  #reference({ name }: PickleReference): void {
    const identity = Symbol.for(name), dot = name.lastIndexOf(".");
    if (this.#recall(identity)) return;
    this.save(name.slice(0, dot));
    this.save(name.slice(dot + 1));
    this.output.byte(OPCODES.STACK_GLOBAL);
    this.#memoize(identity);
  }

  #saveAt(key: unknown, value: unknown): void {
    this.#path.push(key);
    this.save(value);
    this.#path.pop();
  }

  #memoize(value: unknown): void {
    this.#memo.set(value, this.#memo.size);
    this.output.byte(OPCODES.MEMOIZE);
  }

  #recall(value: unknown): boolean {
    const index = this.#memo.get(value);
    if (index === undefined) return false;
    if (index < 256) {
      this.output.byte(OPCODES.BINGET);
      this.output.byte(index);
    } else {
      this.output.byte(OPCODES.LONG_BINGET);
      this.output.u32(index);
    }
    return true;
  }

  #checkHashable(key: unknown): void {
    const isPlain = key !== null && typeof key === "object" &&
      [null, Object.prototype].includes(Object.getPrototypeOf(key));
    if (Array.isArray(key) || key instanceof Map || key instanceof Set || isPlain) {
      this.#refuse(key, `as a key, a ${pickleTypeName(key)}`);
    }
  }

  #refuse(value: unknown, found = pickleTypeName(value)): never {
    const path = this.#path.slice(0, 20).map((key) => `[${shown(key)}]`).join("");
    throw new TypeError(
      `Cannot write value${path} as a pickle: it should be null, a boolean, number, bigint, text, ` +
        "Uint8Array, list, Map, Set, plain object, PickleTuple, PickleFloat, NumpyScalar or " +
        `{dtype, shape, data}, current value is ${found}.`,
    );
  }
}

function shown(key: unknown): string {
  return typeof key === "string" ? JSON.stringify(key.slice(0, 80)) : String(key);
}
