import assert from "node:assert/strict";
import { fromBytes, openSafetensors } from "../../lib/formats/mod.ts";
import { seeded } from "./_seeded.ts";
import { formatFixture, mutate } from "./_tensor_fixtures.ts";

const RUNS = 24_000;

function file(header: string, data: number | Uint8Array = 0): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + json.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(body, 8 + json.length);
  return bytes;
}

/** Opens and reads everything. */
function readAll(bytes: Uint8Array) {
  using reader = openSafetensors(fromBytes(bytes, "model.safetensors"));
  return reader.names.map((name) => ({ name, ...reader.read(name) }));
}

const entry = (start: number, end: number, shape = [end - start], dtype = "U8") =>
  JSON.stringify({ dtype, shape, data_offsets: [start, end] });

Deno.test("refuses a file whose header does not describe it, and says where", () => {
  const refused: [RegExp, Uint8Array][] = [
    [/at byte 0: .*at least 10 bytes, current value is 0/, new Uint8Array(0)],
    [/at byte 0: .*at least 10 bytes, current value is 9/, new Uint8Array(9)],
    [
      /at byte 0: its header should hold at most 12 bytes, current value is 18446744073709551615/,
      new Uint8Array(20).fill(255),
    ],
    [/at byte 8: the header should begin with "\{"/, file(" {}")],
    [/at byte 10: .*end of the header.*x/, file("{}x")],
    [
      /at byte 8: the header should be UTF-8/,
      (() => {
        const bytes = file('{"aa":1}');
        bytes[10] = 0xff;
        return bytes;
      })(),
    ],
    [/at byte 10: the file should end here, current value is 11 bytes/, file("{}", 1)],
    [/"a" should begin here but leaves a hole before it/, file(`{"a":${entry(1, 2)}}`, 2)],
    [/"b" should begin here but overlaps/, file(`{"a":${entry(0, 4)},"b":${entry(2, 6)}}`, 6)],
    [/"b" should begin here but overlaps/, file(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4)],
    [/"b" should begin here but leaves a hole/, file(`{"a":${entry(0, 4)},"b":${entry(5, 6)}}`, 6)],
    [/the file should end here.*It was cut short/, file(`{"a":${entry(0, 4)}}`, 3)],
    [
      /"a" should take 8 bytes for F32 \(2,\), current value is data_offsets \[0,7\]/,
      file(`{"a":${entry(0, 7, [2], "F32")}}`, 7),
    ],
    [/"a" should take 4 bytes.*\[4,0\]/, file(`{"a":${entry(4, 0, [4])}}`, 4)],
    [/"a" should take fewer than 2⁵³ bytes/, file(`{"a":${entry(0, 8, [2 ** 40, 2 ** 40])}}`, 8)],
    [
      /whole number from 0 to 2⁵³ − 1.*-1/,
      file(`{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}`, 1),
    ],
    [
      /whole number.*99999999999999999999/,
      file(`{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}`, 1),
    ],
    [
      /"\]" should stand here.*\.0/,
      file(`{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}`, 1),
    ],
    [
      /"\]" should stand here.*e0/,
      file(`{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}`, 1),
    ],
    [/whole number.*01/, file(`{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}`, 1)],
    [/whole number.*\]/, file(`{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}`, 1)],
    [/data_offsets \[0,1,1\]/, file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}`, 1)],
    [
      /at byte 9: "a" should have one of the dtypes .*F4/,
      file(`{"a":${entry(0, 1, [2], "F4")}}`, 1),
    ],
    [/one of the dtypes.*toString/, file(`{"a":${entry(0, 1, [1], "toString")}}`, 1)],
    [
      /"a" should have dtype, shape and data_offsets, current/,
      file(`{"a":{"dtype":"U8","shape":[0]}}`),
    ],
    [/"a" should have .* only, current value is "x"/, file(`{"a":{"dtype":"U8","x":1}}`)],
    [
      /each key should occur once, current value is "a" again/,
      file(`{"a":${entry(0, 1)},"a":${entry(0, 1)}}`, 1),
    ],
    [
      /each key should occur once, .*"a" again/,
      file(`{"a":${entry(0, 1)},"\\u0061":${entry(0, 1)}}`, 1),
    ],
    [
      /each key should occur once, .*"dtype" again/,
      file(`{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 1),
    ],
    [/"\\"" should stand here.*1/, file(`{"__metadata__":{"epoch":1}}`)],
    [/"\{" should stand here.*null/, file(`{"__metadata__":null}`)],
    [/"\}" should stand here/, file(`{"a":${entry(0, 0)}`)],
    [/a text should be valid JSON/, file(`{"a\n":${entry(0, 0)}}`)],
    [/a text should be valid JSON/, file(`{"\\ud800":${entry(0, 0)}}`)],
    [/a text should end/, file(`{"a\\"`)],
    [
      /a bool should be 0 or 1, current value is 7/,
      file(`{"a":${entry(0, 2, [2], "BOOL")}}`, new Uint8Array([1, 7])),
    ],
  ];
  for (const [message, bytes] of refused) {
    assert.throws(() => readAll(bytes), (error: Error) => {
      assert(error instanceof SyntaxError, String(error.stack));
      assert.match(error.message, /^Cannot read model\.safetensors at byte \d+: /);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("reads headers with white space, escapes and keys in any order", () => {
  const header = `{ "b\\u00e9" : {"data_offsets":[ 1 , 3 ],\n"shape":[2],"dtype":"U8"},` +
    `"a":${entry(0, 1)},"__metadata__":{},"empty":${entry(1, 1)}} \n`;
  const tensors = readAll(file(header, new Uint8Array([5, 6, 7])));
  assert.deepEqual(tensors.map(({ name, data }) => [name, [...data as Uint8Array]]), [
    ["a", [5]],
    ["empty", []],
    ["bé", [6, 7]],
  ]);
});

Deno.test("a declared header of 100 MB is not allocated when the file is small", () => {
  const bytes = file("{}");
  new DataView(bytes.buffer).setBigUint64(0, 99_999_999n, true);
  assert.throws(() => readAll(bytes), /at most 2 bytes, current value is 99999999/);
});

/** What the format asks for, checked with JSON.parse. */
function isRight(bytes: Uint8Array<ArrayBuffer>): boolean {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
  const entries = Object.entries(JSON.parse(text)).filter(([name]) => name !== "__metadata__")
    .map(([, value]) => value as { dtype: string; shape: number[]; data_offsets: number[] })
    .sort(({ data_offsets: [a, b] }, { data_offsets: [c, d] }) => a! - c! || b! - d!);
  let at = 0;
  for (const { dtype, shape, data_offsets: [start, end] } of entries) {
    const bits = dtype === "BOOL" ? 8 : Number(/\d+/.exec(dtype)![0]);
    const size = shape.reduce((product, length) => product * length, bits / 8);
    if (start !== at || end !== at + size) return false;
    at = end;
  }
  return 8 + length + at === bytes.length;
}

Deno.test(`${RUNS} damaged files are refused, or hold what their header says`, () => {
  const samples = ["all", "empty"].map((name) =>
    Deno.readFileSync(formatFixture(`safetensors/${name}.safetensors`))
  );
  samples.push(file(`{"a":${entry(0, 8, [2], "F32")},"b":${entry(8, 12, [2, 2])}}`, 12));
  const { below } = seeded(3);
  let read = 0, slowest = 0;
  for (let run = 0; run < RUNS; run++) {
    const sample = samples[[0, 0, 0, 1, 2, 2][below(6)]!]!;
    const header = 8 + Number(new DataView(sample.buffer).getBigUint64(0, true));
    // Mostly within the header; its length is put right in most, or nothing else would be found.
    const mutant = mutate(sample, samples[0]!, below, below(8) === 0 ? 0 : 8, header);
    if (below(4) > 0 && mutant.length >= 8) {
      const grown = BigInt(Math.max(0, header - 8 + mutant.length - sample.length));
      new DataView(mutant.buffer).setBigUint64(0, grown, true);
    }
    const start = performance.now();
    try {
      const tensors = readAll(mutant);
      read++;
      assert(isRight(mutant), `run ${run} was accepted`);
      assert(tensors.every(({ data }) => data.buffer.byteLength <= mutant.length));
    } catch (error) {
      const where = `run ${run}: ${(error as Error).stack}`;
      assert(error instanceof SyntaxError, where);
      const at = /^Cannot read model\.safetensors at byte (\d+): \S.*, current value is [^]*\.( |$)/
        .exec(error.message)?.[1];
      assert(at !== undefined && Number(at) <= mutant.length, where);
      assert(error.message.length < 700, where);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  assert(read > RUNS / 100 && read < RUNS / 2, `${read} were read`);
  assert(slowest < 1000, `one took ${slowest} ms`);
});
