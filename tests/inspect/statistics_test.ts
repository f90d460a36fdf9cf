import assert from "node:assert/strict";
import fc from "fast-check";
import { writeNpy } from "../../lib/formats/npy.ts";
import { writeNpz } from "../../lib/formats/npz_writer.ts";
import { formatTable } from "../../lib/cli/mod.ts";
import { formatInspection, inspect } from "../../lib/inspect/mod.ts";
import { temporaryPath } from "../_temporary.ts";

async function statisticsOf(array: Parameters<typeof writeNpy>[1]) {
  const path = temporaryPath("a.npy");
  writeNpy(path, array);
  const { tensors } = await inspect(path, { stats: true });
  return tensors[0]!.statistics!;
}

function close(found: number | null, expected: number, scale = Math.abs(expected)): void {
  assert.ok(Math.abs(found! - expected) <= 1e-12 * Math.max(1, scale), `${found} ≠ ${expected}`);
}

Deno.test("statistics are NumPy's, as written down for one array", async () => {
  // >>> a = np.array([1, 2, 4, 8, -3.5], "f4"); a.min(), a.max(), a.mean(dtype="f8"), a.std(dtype="f8")
  // (-3.5, 8.0, 2.3, 3.7629775444453557)
  const data = new Float32Array([1, 2, 4, 8, -3.5]);
  const { count, min, max, mean, std, nan, infinite } = await statisticsOf({ data });
  assert.deepEqual([count, min, max, nan, infinite], [5, -3.5, 8, 0, 0]);
  close(mean, 2.3);
  close(std, 3.7629775444453557);
});

Deno.test("NaN and infinity are counted and left out of the figures", async () => {
  const data = new Float64Array([NaN, 1, Infinity, 3, -Infinity, NaN, NaN]);
  assert.deepEqual(await statisticsOf({ data }), {
    count: 7,
    min: 1,
    max: 3,
    mean: 2,
    std: 1,
    nan: 3,
    infinite: 2,
  });
});

Deno.test("without a finite value there are no figures", async () => {
  const none = { min: null, max: null, mean: null, std: null };
  assert.deepEqual(await statisticsOf({ data: new Float32Array([NaN]) }), {
    count: 1,
    ...none,
    nan: 1,
    infinite: 0,
  });
  assert.deepEqual(await statisticsOf({ data: new Float32Array(0), shape: [0, 5] }), {
    count: 0,
    ...none,
    nan: 0,
    infinite: 0,
  });
});

Deno.test("64-bit whole numbers keep every digit, and their spread", async () => {
  const base = 2n ** 62n;
  const data = new BigInt64Array([base, base + 1n, base + 2n, base + 3n]);
  const { min, max, std } = await statisticsOf({ data });
  assert.deepEqual([min, max], ["4611686018427387904", "4611686018427387907"]);
  close(std, Math.sqrt(1.25));
  const small = await statisticsOf({ data: new BigUint64Array([7n, 9n]) });
  assert.deepEqual([small.min, small.max, small.mean], [7, 9, 8]);
});

Deno.test("times count their missing ones", async () => {
  const data = new BigInt64Array([10n, -(2n ** 63n), 30n]);
  const { count, min, max, nan } = await statisticsOf({ dtype: "datetime64[ns]", data });
  assert.deepEqual([count, min, max, nan], [3, 10, 30, 1]);
});

Deno.test("complex numbers are described by their magnitudes", async () => {
  const data = new Float32Array([3, 4, 0, -1, NaN, 0]);
  const { count, min, max, mean, nan } = await statisticsOf({
    dtype: "complex64",
    shape: [3],
    data,
  });
  assert.deepEqual([count, min, max, mean, nan], [3, 1, 5, 3, 1]);
});

Deno.test("texts and structures have no statistics", async () => {
  const path = temporaryPath("a.npz");
  const q = { data: new Int16Array([1, 2]) };
  writeNpz(path, {
    names: { data: ["a", "bc"] },
    pairs: { dtype: "structured" as never, data: { q } },
  });
  const { tensors } = await inspect(path, { stats: true });
  assert.deepEqual(tensors.map(({ statistics }) => statistics), [null, null]);
  assert.deepEqual(tensors.map(({ bytes }) => bytes), [16, 4]);
});

Deno.test("statistics do not depend on blocks: long arrays as two plain passes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3_000_000 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(0, 1e9),
      async (rows, columns, offset) => {
        const length = Math.ceil(rows / columns) * columns;
        const data = Float64Array.from({ length }, (_, i) => offset + Math.sin(i) * (i % 11));
        const { count, min, max, mean, std } = await statisticsOf({
          shape: [length / columns, columns],
          data,
        });
        const sum = data.reduce((total, value) => total + (value - offset), 0);
        const expected = sum / length;
        const squares = data.reduce((total, x) => total + (x - offset - expected) ** 2, 0);
        assert.equal(count, length);
        assert.equal(min, data.reduce((a, b) => Math.min(a, b)));
        assert.equal(max, data.reduce((a, b) => Math.max(a, b)));
        close(mean, offset + expected, 1e3 + 1e3 * offset);
        assert.ok(Math.abs(std! - Math.sqrt(squares / length)) < 1e-6);
      },
    ),
    { numRuns: 6, seed: 11 },
  );
});

Deno.test("narrow tables have the figures of each column, across blocks", async () => {
  const rows = 700_000; // several blocks of 4 MiB
  const data = new Float32Array(rows * 2);
  for (let k = 0; k < rows; k++) [data[2 * k], data[2 * k + 1]] = [k % 7, 1000 + k % 2];
  const path = temporaryPath("a.npy");
  writeNpy(path, { shape: [rows, 2], data });
  const { tensors: [tensor] } = await inspect(path, { stats: true });
  assert.equal(tensor!.statistics!.max, 1001);
  const [first, second] = tensor!.columns!;
  assert.deepEqual([first!.count, first!.min, first!.max], [rows, 0, 6]);
  assert.deepEqual([second!.min, second!.max, second!.mean, second!.std], [
    1000,
    1001,
    1000.5,
    0.5,
  ]);
  close(first!.mean, 3);
  const plain = await inspect(path);
  assert.equal(plain.tensors[0]!.columns, undefined);
});

for (
  const [shape, columns] of [[[4, 12], 12], [[4, 13], 0], [[4, 1], 0], [[2, 2, 3], 0]] as const
) {
  Deno.test(`an array (${shape}) has ${columns} columns with figures of their own`, async () => {
    const path = temporaryPath("a.npy");
    const data = new BigInt64Array([...shape].reduce<number>((a, b) => a * b, 1));
    writeNpy(path, { shape, data });
    const { tensors } = await inspect(path, { stats: true });
    assert.equal(tensors[0]!.columns?.length ?? 0, columns);
  });
}

Deno.test("the table tells times apart, and has a line per column with its own unit", async () => {
  const path = temporaryPath("a.npz");
  const start = 1761820000;
  writeNpz(path, {
    time: { data: Float64Array.of(start + 0.125, start + 0.5, start + 8.75) },
    pose: { shape: [2, 2], data: Float32Array.of(1.5, -170, 2.5, 170) },
  });
  const text = formatInspection(await inspect(path, { stats: true }), formatTable);
  const row = (name: string) => text.split("\n").find((line) => line.trim().startsWith(name))!;
  assert.match(row("time"), / 1761820000\.125 +1761820008\.75 +1761820003\.125 +3\.98042/);
  assert.match(row("pose "), /^pose +float32 +2×2 +16 B$/);
  assert.match(row("pose[:, 0]"), / 2 +1\.5 +2\.5 +2 +0\.5 /);
  assert.match(row("pose[:, 1]"), / 2 +-170 +170 +0 +170 /);
});

Deno.test("the table rounds rates, and nothing else", () => {
  const text = formatInspection({
    ...{ kind: "episode", path: "/e", bytes: 1, tensors: [], keys: [] },
    details: {
      rates: { robot: 100.26899999, views: { View1: 4.99912345 } },
      robotHz: 99.99961,
      offset: 0.0001234567,
    },
  }, formatTable);
  assert.match(text, /robot +100\.269\n/);
  assert.match(text, /View1 +4\.999\n/);
  assert.match(text, /robotHz +100\n/);
  assert.match(text, /offset +0\.0001234567/);
});
