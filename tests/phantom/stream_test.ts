import assert from "node:assert/strict";
import fc from "fast-check";
import { philox4x32 } from "../../lib/engine/_philox.ts";
import { noiseTable, Stream, streamWords } from "../../lib/phantom/_stream.ts";
import { assertClose } from "./_canonical.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

Deno.test("a stream's words are Philox 4x32-10 at key (seed, id), block by block", () => {
  // Random123's known answers: counter 0 and key 0, and digits of pi.
  assert.deepEqual([...streamWords(0, 0, 4)], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  assert.deepEqual(
    philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
  const words = [0, 1, 2].flatMap((block) => philox4x32([block, 0, 0, 0], [9000, 7]));
  assert.deepEqual([...streamWords(9000, 7, 12)], words);
});

Deno.test("uniform and normal numbers are those of the prototype", () => {
  const stream = new Stream(1, 1);
  const uniforms = Array.from({ length: 5 }, () => stream.unit());
  assertClose(uniforms, [0.632076, 0.175527, 0.832486, 0.011641, 0.909852], 1e-6);
  const normals = [0.432029, 0.854894, 0.603921, 0.044249];
  assertClose(new Stream(1, 1).normals(4), normals, 1e-6);
});

Deno.test("the noise table is that of the prototype and standard normal", () => {
  const table = noiseTable();
  assert.equal(table.length, 65536);
  assertClose(table.subarray(0, 4), [-0.071794, 0.403260, -1.050170, -0.298896], 1e-6);
  assertClose(table.subarray(-1), [-1.809271], 1e-6);
  const mean = table.reduce((sum, x) => sum + x, 0) / table.length;
  const square = table.reduce((sum, x) => sum + x * x, 0) / table.length;
  assert.ok(Math.abs(mean) < 4 / 256 && Math.abs(square - 1) < 4 * Math.SQRT2 / 256);
});

Deno.test("draws continue where the last one ended, whatever the pieces", () => {
  fc.assert(fc.property(uint32, uint32, fc.array(fc.nat(300), { maxLength: 5 }), (seed, id, n) => {
    const pieces = new Stream(seed, id), whole = new Stream(seed, id);
    const drawn = n.flatMap((count) => Array.from({ length: count }, () => pieces.word()));
    assert.deepEqual(drawn, [...streamWords(seed, id, drawn.length)]);
    assert.deepEqual(drawn, drawn.map(() => whole.word()));
  }));
});

Deno.test("an odd number of normals uses an even number of words", () => {
  fc.assert(fc.property(uint32, fc.nat(20), (seed, half) => {
    const odd = new Stream(seed, 4), even = new Stream(seed, 4);
    const expected = even.normals(2 * half + 2).subarray(0, -1);
    assert.deepEqual(odd.normals(2 * half + 1), expected);
    assert.equal(odd.word(), even.word());
  }));
});

Deno.test("streams of other seeds or other numbers share no words", () => {
  const seen = new Set<number>();
  const ids = [1, 2, 3, 4, 6, 7, 8, 107, 1006];
  for (const seed of [0, 1, 5000, 9000]) {
    for (const id of ids) for (const word of streamWords(seed, id, 100)) seen.add(word);
  }
  // 3600 words of 2^32: a chance repeat is expected in one of 660 choices of seeds.
  assert.equal(seen.size, 4 * ids.length * 100);
});
