import assert from "node:assert/strict";
import { encodePickle, type PickleInput, readPickle } from "../../lib/formats/mod.ts";
import { hexFixtures } from "./_pickle_fixtures.ts";

const name = (full: string) =>
  new RegExp(
    `it asks for a name that is not on the list of allowed names, current value is ${
      full.replaceAll(".", "\\.")
    }\\. Nothing was executed`,
  );
const FOLLOW = /bytes should follow/;

const EXPECTED: Readonly<Record<string, RegExp>> = {
  "os.system": name("os.system"),
  "posix.system": name("posix.system"),
  "builtins.eval": name("builtins.eval"),
  "builtins.exec": name("__builtin__.exec"),
  "builtins.getattr": name("builtins.getattr"),
  "dotted chain": name("collections.OrderedDict.__init__.__globals__"),
  "numpy chain": name("numpy.core.multiarray.os.system"),
  "numpy loads": name("numpy.load"),
  "copyreg._reconstructor": name("copyreg._reconstructor"),
  "copy_reg": name("copy_reg._reconstructor"),
  "INST": name("os.system"),
  "OBJ": name("os.system"),
  "NEWOBJ": name("subprocess.Popen"),
  "NEWOBJ_EX": name("subprocess.Popen"),
  "call of ndarray": /calls what may only be mentioned, current value is numpy\.ndarray/,
  "EXT1": /extension 1\. Nothing was executed/,
  "EXT2": /extension 1\. Nothing was executed/,
  "EXT4": /extension 1\. Nothing was executed/,
  "BUILD of dict": /sets the state of a value that has none, current value is dict/,
  "persistent id": /lies outside the pickle/,
  "out-of-band buffer": /all its data should be in the file/,
  "protocol 6": /protocol should be at most 5, current value is 6/,
  "huge bytes": FOLLOW,
  "huge bytearray": FOLLOW,
  "huge text": FOLLOW,
  "huge long": /at most 65536 bytes/,
  "negative long": /length should not be negative, current value is -1/,
  "negative string": /length should not be negative, current value is -2/,
  "huge frame": /a frame of 1125899906842624 bytes should follow, current value is 2/,
  "huge memo": /index of the memo should be less than the bytes of the file/,
  "huge text memo": /index is too large/,
  "long digits": /at most 4300 digits/,
  "huge shape": /a shape should be a tuple of sizes|should hold \d+ bytes, current value is 8/,
  "negative shape": /a shape should be a tuple of sizes/,
  "short array": /an array \(2\) of float32 should hold 8 bytes, current value is 4/,
  "trailing": /should end after its value, current value is 2 more bytes/,
  "two values": /one value should be left at the end, current value is 2/,
  "open mark": /one value should be left at the end/,
  "no stop": /end with the opcode STOP/,
  "empty": /end with the opcode STOP/,
  "no pickle": /stack should hold a value|stack should hold/,
  "empty stack": /stack should hold a value/,
  "list as key": /keys and members of sets should be immutable, current value is list/,
  "append to dict": /should hold a list, current value is dict/,
  "odd dict": /a dict is made of pairs/,
  "missing memo": /memo should hold what is asked for, current value is 5/,
  "broken UTF-8": /a text should be UTF-8/,
  "broken text": /valid \\u escapes/,
  "broken int": /a whole number of at most 4300 digits should stand here, current value is 0x10/,
  "broken float": /a number should stand here, current value is 1_0/,
  "broken string": /a text in quotes should stand here/,
};

Deno.test("each hostile or broken pickle is refused with file, byte offset and reason", () => {
  const fixtures = hexFixtures("hostile.json");
  assert.deepEqual([...fixtures.keys()], Object.keys(EXPECTED));
  for (const [key, bytes] of fixtures) {
    assert.throws(() => readPickle(bytes, { name: `${key}.pkl` }), (error: Error) => {
      assert(error instanceof SyntaxError, `${key}: ${error.stack}`);
      assert.match(error.message, EXPECTED[key]!, key);
      const [, path, at] = /^Cannot read (.*) at byte (\d+): /.exec(error.message)!;
      assert.equal(path, `${key}.pkl`);
      assert(Number(at) <= bytes.length, key);
      return true;
    });
  }
});

Deno.test("the byte offset is that of the opcode", () => {
  const bytes = new TextEncoder().encode("(lI1\naI2\nacposix\nsystem\n.");
  assert.throws(() => readPickle(bytes, { name: "x.pkl" }), /x\.pkl at byte 10: .*posix\.system/);
});

/** Time and memory that reading takes at most, and that it ends with an error or a value. */
function within(bytes: Uint8Array, ms: number, error?: RegExp): unknown {
  const start = performance.now();
  try {
    const value = readPickle(bytes);
    assert.equal(error, undefined, "it should be refused");
    return value;
  } catch (thrown) {
    if (error === undefined) throw thrown;
    assert(thrown instanceof SyntaxError, String(thrown));
    assert.match(thrown.message, error);
    return undefined;
  } finally {
    const took = performance.now() - start;
    assert(took < ms, `took ${took} ms`);
  }
}

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

Deno.test("a billion laughs are a few small lists", () => {
  let text = "\x80\x02(]q\0";
  for (let k = 1; k <= 200; k++) {
    text += `]q${String.fromCharCode(k)}(` + `h${String.fromCharCode(k - 1)}`.repeat(10) + "e";
  }
  const lists = within(latin1(text + "l."), 1000) as unknown[][];
  assert.equal(lists.length, 201);
  assert(lists[200]!.every((list) => list === lists[199]));
});

const MEMORY = /its values should take at most \d+ MiB of memory/;

Deno.test("a value copied from the memo again and again is refused before memory is full", () => {
  const list = "\x80\x02(" + "K\x01".repeat(100_000) + "lq\x01" + "(c__builtin__\nset\nq\x00";
  within(latin1(list + "h\x00h\x01\x85R".repeat(50_000) + "l."), 5000, MEMORY);
  const bytes = "\x80\x04B\x80\x1a\x06\x00" + "\0".repeat(400_000) +
    "q\x01c__builtin__\nbytes\nq\x00";
  within(latin1(bytes + "h\x00h\x01\x85R".repeat(50_000) + "l."), 5000, MEMORY);
  const array = "\x80\x04B\x80\x1a\x06\x00" + "\0".repeat(400_000) + "q\x01" +
    "cnumpy\ndtype\n\x8c\x02u1\x85Rq\x02cnumpy.core.numeric\n_frombuffer\nq\x03";
  const call = "h\x03(h\x01h\x02J\x80\x1a\x06\x00\x85\x8c\x01CtR";
  within(latin1(array + call.repeat(5000) + "."), 5000, MEMORY);
});

Deno.test("many empty containers are refused before memory is full", () => {
  for (const opcode of ["}", "\x8f"]) {
    within(latin1("\x80\x04(" + opcode.repeat(3_000_000) + "l."), 5000, MEMORY);
  }
});

Deno.test("deep nesting is read without recursion", () => {
  const depth = 200_000;
  const lists = latin1("\x80\x02" + "]".repeat(depth) + "a".repeat(depth - 1) + ".");
  let list = within(lists, 2000) as unknown[];
  let found = 1;
  for (; list.length > 0; found++) list = list[0] as unknown[];
  assert.equal(found, depth);
  within(latin1("\x80\x02)" + "\x85".repeat(depth) + "."), 2000);
});

Deno.test("nesting that Python could not write is refused when writing", () => {
  let value: PickleInput = [];
  for (let k = 0; k < 5000; k++) value = [value];
  assert.throws(() => encodePickle(value), /deeper than 1000 levels/);
});

Deno.test("a text of quadratic cost in naive readers takes no time", () => {
  within(latin1("V" + "\\".repeat(1_000_000) + "\n."), 2000);
  within(latin1("S'" + "\\".repeat(1_000_000) + "'\n."), 2000);
  within(latin1("I" + "9".repeat(1_000_000) + "\n."), 2000, /4300 digits/);
  within(latin1("F" + "9".repeat(1_000_000) + "x\n."), 2000, /a number should stand here/);
  within(latin1("\x80\x02\x8b\x00\x00\x01\x00" + "\x7f".repeat(65536) + "."), 2000);
});
