import {
  build,
  call,
  extension,
  global,
  instance,
  newObjectWithKeywords,
  object,
  outOfBand,
  stackGlobal,
} from "./_pickle_calls.ts";
import { COST, type Item, type PickleMachine } from "./_pickle_machine.ts";
import { type OpcodeName, OPCODES } from "./_pickle_opcodes.ts";
import {
  decodeLatin1,
  decodeLong,
  decodeQuoted,
  decodeRawUnicodeEscape,
  decodeUtf8,
  isAscii,
  parseDecimal,
  parseFloatText,
} from "./_pickle_text.ts";
import { PickleFloat, PickleTuple } from "./pickle_values.ts";

/** Carries out one opcode. */
export type Handler = (machine: PickleMachine) => void;

const HIGHEST_PROTOCOL = 5;
/** Longer whole numbers are no data, and slow to print. */
const MAX_LONG_BYTES = 65536;

/** What each opcode does; `STOP` ends the loop that calls these. */
const BY_NAME: Readonly<Record<Exclude<OpcodeName, "STOP">, Handler>> = {
  PROTO: protocol,
  FRAME: frame,
  MARK: (m) => m.mark(),
  POP: pop,
  POP_MARK: (m) => void m.popMark(),
  DUP: (m) => m.push(m.top()),

  NONE: (m) => m.push(null),
  NEWTRUE: (m) => m.push(true),
  NEWFALSE: (m) => m.push(false),
  INT: textInt,
  LONG: (m) => m.push(decimal(m, latin1Line(m).replace(/L$/, ""))),
  BININT: (m) => m.push(m.source.i32()),
  BININT1: (m) => m.push(m.source.u8()),
  BININT2: (m) => m.push(m.source.u16()),
  LONG1: (m) => m.push(decodeLong(m.source.take(m.source.u8()))),
  LONG4: long4,
  FLOAT: (m) => pushFloat(m, textFloat(m)),
  BINFLOAT: (m) => pushFloat(m, m.source.f64BigEndian()),

  STRING: quoted,
  BINSTRING: (m) => pushPython2(m, m.source.take(length(m, m.source.i32()))),
  SHORT_BINSTRING: (m) => pushPython2(m, m.source.take(m.source.u8())),
  UNICODE: unicode,
  BINUNICODE: (m) => pushText(m, m.source.u32()),
  SHORT_BINUNICODE: (m) => pushText(m, m.source.u8()),
  BINUNICODE8: (m) => pushText(m, m.source.u64()),
  BINBYTES: (m) => pushBytes(m, m.source.u32()),
  SHORT_BINBYTES: (m) => pushBytes(m, m.source.u8()),
  BINBYTES8: (m) => pushBytes(m, m.source.u64()),
  BYTEARRAY8: (m) => pushBytes(m, m.source.u64()),

  EMPTY_TUPLE: (m) => pushTuple(m, []),
  TUPLE: (m) => pushTuple(m, m.popMark()),
  TUPLE1: (m) => pushTuple(m, [m.pop()]),
  TUPLE2: (m) => pushTuple(m, [m.pop(), m.pop()].reverse()),
  TUPLE3: (m) => pushTuple(m, [m.pop(), m.pop(), m.pop()].reverse()),
  EMPTY_LIST: (m) => pushList(m, []),
  LIST: (m) => pushList(m, m.popMark()),
  APPEND: append,
  APPENDS: appends,
  EMPTY_DICT: (m) => pushDict(m, []),
  DICT: (m) => pushDict(m, m.popMark()),
  SETITEM: setItem,
  SETITEMS: setItems,
  EMPTY_SET: (m) => pushSet(m, []),
  FROZENSET: (m) => pushSet(m, m.popMark()),
  ADDITEMS: addItems,

  PUT: (m) => m.store(index(m)),
  BINPUT: (m) => m.store(m.source.u8()),
  LONG_BINPUT: (m) => m.store(m.source.u32()),
  MEMOIZE: (m) => m.store(m.memoized),
  GET: (m) => m.recall(index(m)),
  BINGET: (m) => m.recall(m.source.u8()),
  LONG_BINGET: (m) => m.recall(m.source.u32()),

  GLOBAL: global,
  STACK_GLOBAL: stackGlobal,
  REDUCE: (m) => call(m, m.pop(), m.pop()),
  NEWOBJ: (m) => call(m, m.pop(), m.pop()),
  NEWOBJ_EX: newObjectWithKeywords,
  INST: instance,
  OBJ: object,
  BUILD: build,
  PERSID: (m) => m.push(m.persistent(latin1Line(m))),
  BINPERSID: (m) => m.push(m.persistent(m.pop())),
  EXT1: (m) => extension(m, m.source.u8()),
  EXT2: (m) => extension(m, m.source.u16()),
  EXT4: (m) => extension(m, m.source.i32()),
  NEXT_BUFFER: outOfBand,
  READONLY_BUFFER: outOfBand,
};

/** What each opcode does, by its code. */
export const HANDLERS: readonly (Handler | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => handlerOf(code),
);

function handlerOf(code: number): Handler | undefined {
  const name = Object.entries(OPCODES).find(([, known]) => known === code)?.[0];
  return name === undefined ? undefined : BY_NAME[name as keyof typeof BY_NAME];
}

function protocol(m: PickleMachine): void {
  const version = m.source.u8();
  if (version > HIGHEST_PROTOCOL) {
    m.source.fail(
      `its protocol should be at most ${HIGHEST_PROTOCOL}`,
      version,
      "Save it with pickle.dump(…, protocol=4).",
    );
  }
}

function frame(m: PickleMachine): void {
  const bytes = m.source.u64();
  if (bytes > m.source.remaining) {
    m.source.fail(
      `a frame of ${bytes} bytes should follow`,
      m.source.remaining,
      "The file was cut short; copy or write it again.",
    );
  }
}

function pop(m: PickleMachine): void {
  // As in Python, right after a mark it takes the mark.
  if (m.marks.at(-1) === m.stack.length) m.marks.pop();
  else m.pop();
}

function textInt(m: PickleMachine): void {
  const text = latin1Line(m);
  m.push(text === "01" ? true : text === "00" ? false : decimal(m, text));
}

function decimal(m: PickleMachine, text: string): number | bigint {
  return parseDecimal(text.trim()) ??
    m.source.fail("a whole number of at most 4300 digits should stand here", text);
}

function textFloat(m: PickleMachine): number {
  const text = latin1Line(m).trim();
  return parseFloatText(text) ?? m.source.fail("a number should stand here", text);
}

function long4(m: PickleMachine): void {
  const bytes = length(m, m.source.i32());
  if (bytes > MAX_LONG_BYTES) {
    m.source.fail(`a whole number should hold at most ${MAX_LONG_BYTES} bytes`, bytes);
  }
  m.push(decodeLong(m.source.take(bytes)));
}

function pushFloat(m: PickleMachine, value: number): void {
  m.push(m.options.taggedFloats ? new PickleFloat(value) : value);
}

function quoted(m: PickleMachine): void {
  const bytes = decodeQuoted(m.source.line());
  if (bytes === undefined) m.source.fail("a text in quotes should stand here", "something else");
  pushPython2(m, bytes!);
}

/** Python 2's `str` is text where it is ASCII, else bytes. */
function pushPython2(m: PickleMachine, bytes: Uint8Array<ArrayBuffer>): void {
  m.source.charge(COST.box + bytes.length);
  m.push(isAscii(bytes) ? decodeLatin1(bytes) : bytes);
}

function unicode(m: PickleMachine): void {
  const text = decodeRawUnicodeEscape(m.source.line());
  m.push(text ?? m.source.fail("a text should hold valid \\u escapes", "others"));
}

function pushText(m: PickleMachine, bytes: number): void {
  const taken = m.source.take(bytes);
  m.source.charge(COST.box + 2 * bytes);
  m.push(decodeUtf8(taken) ?? m.source.fail("a text should be UTF-8", "others"));
}

function pushBytes(m: PickleMachine, bytes: number): void {
  m.source.charge(100);
  m.push(m.source.take(bytes));
}

function pushTuple(m: PickleMachine, items: Item[]): void {
  m.source.charge(COST.tuple + COST.item * items.length);
  m.push(new PickleTuple(items));
}

function pushList(m: PickleMachine, items: Item[]): void {
  m.source.charge(COST.list + COST.item * items.length);
  m.push(items);
}

function append(m: PickleMachine): void {
  const item = m.pop();
  m.source.charge(COST.item);
  m.list().push(item);
}

function appends(m: PickleMachine): void {
  const start = m.popMarkStart(), { stack } = m;
  const items = stack.splice(start);
  m.source.charge(COST.item * items.length);
  const list = m.list();
  for (const item of items) list.push(item);
}

function pushDict(m: PickleMachine, items: Item[]): void {
  m.source.charge(COST.dict);
  m.push(fill(m, new Map(), items));
}

function setItem(m: PickleMachine): void {
  const value = m.pop(), key = m.pop();
  m.addEntry(m.dict(), key, value);
}

function setItems(m: PickleMachine): void {
  const items = m.popMark();
  fill(m, m.dict(), items);
}

function fill(m: PickleMachine, dict: Map<Item, Item>, items: Item[]): Map<Item, Item> {
  if (items.length % 2 !== 0) m.source.fail("a dict is made of pairs", `${items.length} values`);
  for (let i = 0; i < items.length; i += 2) m.addEntry(dict, items[i]!, items[i + 1]!);
  return dict;
}

function pushSet(m: PickleMachine, items: Item[]): void {
  m.source.charge(COST.dict);
  m.push(addAll(m, new Set(), items));
}

function addItems(m: PickleMachine): void {
  const items = m.popMark();
  addAll(m, m.set(), items);
}

function addAll(m: PickleMachine, set: Set<Item>, items: Item[]): Set<Item> {
  m.source.charge(COST.entry * items.length);
  for (const item of items) set.add(m.hashable(item));
  return set;
}

function length(m: PickleMachine, bytes: number): number {
  return bytes >= 0 ? bytes : m.source.fail("a length should not be negative", bytes);
}

function index(m: PickleMachine): number {
  const value = decimal(m, latin1Line(m));
  return typeof value === "number" ? value : m.source.fail("an index is too large", value);
}

function latin1Line(m: PickleMachine): string {
  return decodeLatin1(m.source.line());
}
