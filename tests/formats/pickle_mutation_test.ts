import assert from "node:assert/strict";
import { type PickleGlobal, type PickleValue, readPickle } from "../../lib/formats/mod.ts";
import { fixture } from "./_pickle_fixtures.ts";

const RUNS = 24_000;
const MEBIBYTE = 2 ** 20;

/** Mulberry32: a small generator of 32 bits, by Tommy Ettinger. */
function generator(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Changes some bytes, or cuts out, doubles, swaps or takes in a stretch. */
function mutate(
  bytes: Uint8Array<ArrayBuffer>,
  other: Uint8Array<ArrayBuffer>,
  random: (below: number) => number,
): Uint8Array<ArrayBuffer> {
  let mutant = bytes.slice();
  for (let k = random(4); k >= 0; k--) {
    const at = random(mutant.length), length = random(Math.min(40, mutant.length - at)) + 1;
    const stretch = mutant.subarray(at, at + length);
    const start = random(other.length);
    const kind = random(7);
    if (kind === 0) mutant[at] = random(256);
    else if (kind === 1) mutant[at]! ^= 1 << random(8);
    else if (kind === 2) mutant[at] = EDGES[random(EDGES.length)]!;
    else if (kind === 3) mutant = splice(mutant, at, length, new Uint8Array());
    else if (kind === 4) mutant = splice(mutant, at, 0, stretch);
    else if (kind === 5) mutant = splice(mutant, at, 0, other.subarray(start, start + length));
    else mutant = mutant.slice(0, Math.max(1, at));
  }
  return mutant;
}

/** Bytes that change lengths and structure the most. */
const EDGES = [..."\0\xff\x7f\x80(.0125RbciouePQjrtBX]})", ..."\x81\x8b\x8e\x92\x93\x94\x95\x96"]
  .map((character) => character.charCodeAt(0));

function splice(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  length: number,
  insert: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length - length + insert.length);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(at + length), at + insert.length);
  return result;
}

const NAMES = [
  ...["older_p0.pkl", "older_p1.pkl", "older_p2.pkl", "older_p4.pkl", "plain_p0.pkl"],
  ...["plain_p2.pkl", "plain_p4.pkl", "arrays_numpy1_p2.pkl", "arrays_numpy2_p4.pkl"],
  ...["arrays_numpy1_p5.pkl", "data_no_sensor.pkl", "torch_data.pkl"],
];

/** A pickle of protocol 4 without its frame, whose length would catch most mutations. */
function unframed(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes[2] === 0x95 ? splice(bytes, 2, 9, new Uint8Array()) : bytes;
}

Deno.test(`${RUNS} damaged pickles are read or refused, quickly and in little memory`, () => {
  const samples = NAMES.map((name) => unframed(Deno.readFileSync(fixture(name))));
  const globals: Record<string, PickleGlobal> = Object.fromEntries(
    ["_utils._rebuild_tensor_v2", "FloatStorage", "_utils._rebuild_parameter"]
      .map((name) => [`torch.${name}`, { construct: () => null }]),
  );
  const persistentLoad = (): PickleValue => null;
  const random = generator(1);
  let read = 0, slowest = 0;
  for (let run = 0; run < RUNS; run++) {
    const mutant = mutate(
      samples[random(samples.length)]!,
      samples[random(samples.length)]!,
      random,
    );
    const start = performance.now();
    try {
      readPickle(mutant, { name: "mutant.pkl", globals, persistentLoad });
      read++;
    } catch (error) {
      const where = `run ${run}: ${(error as Error).stack}`;
      assert(error instanceof SyntaxError, where);
      const at = /^Cannot read mutant\.pkl at byte (\d+): \S.*, current value is [^]*\.( |$)/
        .exec(error.message)?.[1];
      assert(at !== undefined && Number(at) <= mutant.length, where);
      assert(error.message.length < 700, where);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  assert(read > RUNS / 50 && read < RUNS / 2, `${read} were read`);
  assert(slowest < 2000, `one took ${slowest} ms`);
  const { rss } = Deno.memoryUsage();
  assert(rss < 1500 * MEBIBYTE, `${rss} bytes`);
});
