import { PickleCall, PicklePersistent } from "./_pickle_call.ts";
import { OPCODES } from "./_pickle_opcodes.ts";
import { PickleOutput, type PickleProtocol } from "./_pickle_output.ts";
import { decodeLatin1, encodeLong, encodeUtf8 } from "./_pickle_text.ts";
import { PickleFloat, PickleReference, PickleTuple, pickleTypeName } from "./pickle_values.ts";

/** Values between two marks, as many as Python writes at once. */
const BATCH = 1000;
/** Python's own pickler ends at about this depth. */
const MAX_DEPTH = 1000;

const TEXT = [OPCODES.SHORT_BINUNICODE, OPCODES.BINUNICODE, OPCODES.BINUNICODE8] as const;
const OLD_TEXT = [undefined, OPCODES.BINUNICODE, OPCODES.BINUNICODE8] as const;
const BYTES = [OPCODES.SHORT_BINBYTES, OPCODES.BINBYTES, OPCODES.BINBYTES8] as const;
const TUPLES = [
  OPCODES.EMPTY_TUPLE,
  OPCODES.TUPLE1,
  OPCODES.TUPLE2,
  OPCODES.TUPLE3,
] as const;

/** How protocol 2, which has no opcodes for them, makes bytes and sets. */
const ENCODE = new PickleReference("_codecs.encode");
const SET = new PickleReference("builtins.set");

/** How values are written that are no plain data. */
export interface PickleEncoderOptions {
  readonly protocol: PickleProtocol;
  /** Says what Python calls to make `value`; undefined where it is none of such values. */
  readonly reduce: (
    value: object,
    refuse: (found?: string) => never,
  ) => PickleCall | PicklePersistent | undefined;
  /** Whether Python may be asked for a name. Default any. */
  readonly allows?: (name: string) => boolean;
  /** What can be written beside plain data, for error messages. */
  readonly allowed: string;
}

/** Writes values as Python's pickler does, byte for byte where identities of texts allow it. */
export class PickleEncoder {
  readonly output: PickleOutput;
  readonly #options: PickleEncoderOptions;
  /** Indices by value for texts and descriptions of dtypes, by identity for the rest. */
  readonly #memo = new Map<unknown, number>();
  /** Keys and indices on the way to the value, for error messages. */
  readonly #path: unknown[] = [];

  constructor(options: PickleEncoderOptions) {
    this.#options = options;
    this.output = new PickleOutput(options.protocol);
  }

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
    this.output.counted(this.#isOld ? OLD_TEXT : TEXT, encodeUtf8(text));
    this.#memoize(text);
  }

  #object(value: object): void {
    if (value instanceof PickleFloat) return this.#float(value.value);
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (value instanceof PickleReference) return this.#reference(value);
    if (this.#path.length > MAX_DEPTH) this.#refuse(value, `deeper than ${MAX_DEPTH} levels`);
    const isReduced = value instanceof PickleCall || value instanceof PicklePersistent;
    const reduced = isReduced
      ? value
      : this.#options.reduce(value, (found) => this.#refuse(value, found));
    if (reduced instanceof PickleCall) return this.#call(reduced, value);
    if (reduced !== undefined) return this.#persistent(reduced);
    if (Array.isArray(value)) return this.#list(value);
    if (value instanceof PickleTuple) return this.#tuple(value.items, value);
    if (value instanceof Map) return this.#dict(value, value);
    if (value instanceof Set) return this.#set(value);
    if (ArrayBuffer.isView(value)) this.#refuse(value);
    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) this.#refuse(value);
    this.#dict(new Map(Object.entries(value)), value);
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#isOld) {
      return this.#call(new PickleCall(ENCODE, [decodeLatin1(bytes), "latin1"]), bytes);
    }
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
    this.#entries(dict);
  }

  #entries(dict: ReadonlyMap<unknown, unknown>): void {
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
    if (this.#isOld) return this.#call(new PickleCall(SET, [[...set]]), set);
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

  #call({ callable, args, entries, state }: PickleCall, identity: object): void {
    this.#reference(callable);
    this.#tuple(args);
    this.output.byte(OPCODES.REDUCE);
    this.#memoize(identity);
    if (entries !== undefined) this.#entries(entries);
    if (state === undefined) return;
    this.save(state);
    this.output.byte(OPCODES.BUILD);
  }

  /** Never from the memo: it is told anew what it is each time. */
  #persistent({ id }: PicklePersistent): void {
    this.#tuple(id);
    this.output.byte(OPCODES.BINPERSID);
  }

  #reference(reference: PickleReference): void {
    const { name } = reference;
    if (this.#options.allows?.(name) === false) this.#refuse(reference);
    const identity = Symbol.for(name), dot = name.lastIndexOf(".");
    if (this.#recall(identity)) return;
    const module = name.slice(0, dot), attribute = name.slice(dot + 1);
    if (this.#isOld) {
      this.output.byte(OPCODES.GLOBAL);
      this.output.bytes(encodeUtf8(`${module}\n${attribute}\n`));
    } else {
      this.save(module);
      this.save(attribute);
      this.output.byte(OPCODES.STACK_GLOBAL);
    }
    this.#memoize(identity);
  }

  get #isOld(): boolean {
    return this.#options.protocol < 4;
  }

  #saveAt(key: unknown, value: unknown): void {
    this.#path.push(key);
    this.save(value);
    this.#path.pop();
  }

  #memoize(value: unknown): void {
    const index = this.#memo.size;
    this.#memo.set(value, index);
    if (this.#isOld) this.#indexed(OPCODES.BINPUT, OPCODES.LONG_BINPUT, index);
    else this.output.byte(OPCODES.MEMOIZE);
  }

  #recall(value: unknown): boolean {
    const index = this.#memo.get(value);
    if (index === undefined) return false;
    this.#indexed(OPCODES.BINGET, OPCODES.LONG_BINGET, index);
    return true;
  }

  #indexed(short: number, long: number, index: number): void {
    this.output.byte(index < 256 ? short : long);
    if (index < 256) this.output.byte(index);
    else this.output.u32(index);
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
        "Uint8Array, list, Map, Set, plain object, PickleTuple, PickleFloat" +
        `${this.#options.allowed}, current value is ${found}.`,
    );
  }
}

function shown(key: unknown): string {
  return typeof key === "string" ? JSON.stringify(key.slice(0, 80)) : String(key);
}
