import assert from "node:assert/strict";
import { type Feature, type FeatureDtype, FeatureStore } from "../../lib/features/mod.ts";
import { sha256 } from "../../lib/features/cache/key.ts";
import { temporaryFolder } from "../_temporary.ts";

const shape = { width: 32, dtype: "float32", norm: [0.01, 1000] } as const;
const keyOf = (k: number) => sha256(`key ${k}`);

function feature(k: number, tokens = 1): Feature {
  const values = Float32Array.from({ length: 32 * tokens }, (_, i) => Math.sin(k + i) + 1.5);
  return { tokens, visualTokens: 1, values };
}

async function filled(count: number, options: { shardBytes?: number } = {}): Promise<string> {
  const folder = temporaryFolder();
  using store = await FeatureStore.openForWriting(folder, options);
  for (let k = 0; k < count; k += 4) {
    const some = [k, k + 1, k + 2, k + 3].filter((each) => each < count);
    store.write(some.map((each) => ({ key: keyOf(each), feature: feature(each) })), shape);
  }
  return folder;
}

function shards(folder: string, extension = ".shard"): string[] {
  return [...Deno.readDirSync(`${folder}/shards`)].map(({ name }) => `${folder}/shards/${name}`)
    .filter((path) => path.endsWith(extension)).sort();
}

function change(path: string, edit: (bytes: Uint8Array) => Uint8Array | void): void {
  const bytes = Deno.readFileSync(path);
  Deno.writeFileSync(path, edit(bytes) ?? bytes);
}

/** What is found is right. Returns how much is found. */
function found(folder: string, count: number): number {
  using store = FeatureStore.open(folder);
  let right = 0;
  for (let k = 0; k < count; k++) {
    const read = store.read(keyOf(k), shape);
    if (read === undefined) continue;
    assert.deepEqual(read.values, feature(k).values);
    right++;
  }
  return right;
}

Deno.test("FeatureStore: gives back what was written, over many shards, with and without indices", async () => {
  const folder = await filled(100, { shardBytes: 2000 });
  assert(shards(folder).length > 8);
  assert.equal(shards(folder, ".idx").length, shards(folder).length);
  assert.equal(found(folder, 100), 100);
  for (const path of shards(folder, ".idx")) Deno.removeSync(path);
  assert.equal(found(folder, 100), 100);
});

Deno.test("FeatureStore: keeps sequences of tokens and every type to its precision", async () => {
  const folder = temporaryFolder();
  const errors: Record<FeatureDtype, number> = { float32: 0, float16: 2 ** -11, bfloat16: 2 ** -8 };
  for (const [dtype, error] of Object.entries(errors) as [FeatureDtype, number][]) {
    using store = await FeatureStore.openForWriting(folder);
    const key = sha256(dtype), made = feature(7, 5), of = { ...shape, dtype };
    store.write([{ key, feature: { ...made, visualTokens: 4 } }], of);
    const read = store.read(key, of)!;
    assert.deepEqual([read.tokens, read.visualTokens], [5, 4]);
    read.values.forEach((value, i) => {
      assert(Math.abs(value - made.values[i]!) <= error * Math.abs(made.values[i]!), dtype);
    });
  }
});

Deno.test("FeatureStore: one process sees what another writes", async () => {
  const folder = await filled(4);
  using reader = FeatureStore.open(folder);
  using writer = await FeatureStore.openForWriting(folder);
  using another = await FeatureStore.openForWriting(folder);
  writer.write([{ key: keyOf(4), feature: feature(4) }], shape);
  another.write([{ key: keyOf(5), feature: feature(5) }], shape);
  assert(!reader.has(keyOf(4)));
  reader.refresh();
  assert.deepEqual(reader.read(keyOf(4), shape)!.values, feature(4).values);
  assert.deepEqual(reader.read(keyOf(5), shape)!.values, feature(5).values);
  assert.equal(shards(folder).length, 2); // a writer has a shard of its own
});

Deno.test("FeatureStore: a shard that has room grows on, a key that is there is left out", async () => {
  const folder = await filled(4);
  const [path] = shards(folder);
  const before = Deno.statSync(path!).size;
  {
    using store = await FeatureStore.openForWriting(folder);
    store.write([3, 4].map((k) => ({ key: keyOf(k), feature: feature(k) })), shape);
  }
  assert.deepEqual(shards(folder), [path]);
  assert.equal(Deno.statSync(path!).size - before, 64 + 128);
  assert.equal(found(folder, 5), 5);
});

Deno.test("FeatureStore: a damaged value is a miss in quarantine, for others too, and is built again", async () => {
  const folder = await filled(4);
  change(shards(folder)[0]!, (bytes) => void (bytes[16 + 192 + 64 + 5]! ^= 1)); // of record 1
  {
    using store = FeatureStore.open(folder);
    assert(store.has(keyOf(1)));
    assert.equal(store.read(keyOf(1), shape), undefined);
    assert.deepEqual([store.counts.corrupt, store.size.quarantined], [1, 1]);
  }
  using store = await FeatureStore.openForWriting(folder);
  assert(!store.has(keyOf(1)));
  assert.deepEqual([...store.quarantined], [keyOf(1)]);
  store.write([{ key: keyOf(1), feature: feature(1) }], shape);
  assert.deepEqual(store.read(keyOf(1), shape)!.values, feature(1).values);
  assert.equal(store.quarantined.size, 0);
  store.close();
  assert.equal(found(folder, 4), 4);
});

Deno.test("FeatureStore: a damaged header costs its record only, with and without an index", async () => {
  for (const hasIndex of [true, false]) {
    const folder = await filled(8);
    change(shards(folder)[0]!, (bytes) => void (bytes[16 + 2 * 192 + 50]! ^= 1));
    if (!hasIndex) Deno.removeSync(shards(folder, ".idx")[0]!);
    assert.equal(found(folder, 8), 7);
  }
});

Deno.test("FeatureStore: files of no bytes, cut short or grown by zeros keep what is whole", async () => {
  const cases: [(bytes: Uint8Array) => Uint8Array, number][] = [
    [() => new Uint8Array(0), 0],
    [(bytes) => bytes.slice(0, 10), 0],
    [(bytes) => bytes.slice(0, 16 + 5 * 192), 5],
    [(bytes) => bytes.slice(0, 16 + 5 * 192 + 30), 5],
    [(bytes) => bytes.slice(0, 16 + 5 * 192 + 64), 5],
    [(bytes) => bytes.slice(0, 16 + 5 * 192 + 191), 5],
    [(bytes) => new Uint8Array([...bytes, ...new Uint8Array(5000)]), 8],
  ];
  for (const [edit, count] of cases) {
    const folder = await filled(8);
    change(shards(folder)[0]!, edit);
    {
      using store = FeatureStore.open(folder);
      assert.equal(store.size.entries, count);
    }
    assert.equal(found(folder, 8), count);
    {
      using store = await FeatureStore.openForWriting(folder);
      const all = Array.from({ length: 8 }, (_, k) => ({ key: keyOf(k), feature: feature(k) }));
      store.write(all, shape);
    }
    assert.equal(found(folder, 8), 8);
    assert.equal(Deno.statSync(shards(folder)[0]!).size, 16 + 8 * 192);
  }
});

Deno.test("FeatureStore: 400 mutations of shards and indices never give a wrong feature", async () => {
  const folder = await filled(12);
  const originals = [...shards(folder), ...shards(folder, ".idx")]
    .map((path) => [path, Deno.readFileSync(path)] as const);
  let seed = 20251121, misses = 0;
  const random = (n: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / 2 ** 32 * n);
  };
  for (let round = 0; round < 400; round++) {
    const [path, bytes] = originals[random(2)]!;
    const changed = bytes.slice(0, random(4) === 0 ? random(bytes.length) : bytes.length);
    for (let k = random(3); k >= 0 && changed.length > 0; k--) {
      changed[random(changed.length)]! ^= 1 << random(8);
    }
    Deno.writeFileSync(path, changed);
    misses += 12 - found(folder, 12);
    for (const [path, bytes] of originals) Deno.writeFileSync(path, bytes);
    try {
      Deno.removeSync(`${folder}/quarantine`, { recursive: true });
    } catch (error) {
      assert(error instanceof Deno.errors.NotFound);
    }
  }
  assert(misses > 200 && misses < 2400, `${misses}`);
});

Deno.test("FeatureStore: refuses features that are not as they should be, and writes none of the batch", async () => {
  const folder = temporaryFolder();
  using store = await FeatureStore.openForWriting(folder);
  const bad = (values: Float32Array<ArrayBuffer>, tokens = 1): Feature => ({
    tokens,
    visualTokens: 1,
    values,
  });
  const filledWith = (value: number) => {
    const { values } = feature(1);
    values[3] = value;
    return bad(values);
  };
  const half = { ...shape, dtype: "float16", norm: [0, Infinity] } as const;
  const cases: [Feature, Parameters<FeatureStore["write"]>[1], RegExp][] = [
    [filledWith(NaN), shape, /value 3 should be finite/],
    [filledWith(Infinity), shape, /value 3 should be finite/],
    [filledWith(65536), half, /finite in float16, current value is 65536/],
    [bad(new Float32Array(31)), shape, /should be 32 values/],
    [bad(new Float32Array(0), 0), shape, /1 token or more/],
    [bad(new Float32Array(32)), shape, /norm of token 0/],
    [filledWith(5000), shape, /norm of token 0/],
  ];
  for (const [each, of, message] of cases) {
    const both = [{ key: keyOf(1), feature: feature(1) }, { key: keyOf(2), feature: each }];
    assert.throws(() => store.write(both, of), message);
    assert(!store.has(keyOf(1)));
  }
  store.write([{ key: keyOf(3), feature: filledWith(65504) }], half);
  assert.equal(store.read(keyOf(3), half)!.values[3], 65504);
  using reader = FeatureStore.open(folder);
  assert.throws(() => reader.write([{ key: keyOf(1), feature: feature(1) }], shape), /for reading/);
});

Deno.test("FeatureStore: a feature of another width or type is not believed", async () => {
  const folder = await filled(2);
  using store = FeatureStore.open(folder);
  assert.equal(store.read(keyOf(0), { ...shape, width: 16 }), undefined);
  assert.equal(store.read(keyOf(1), { ...shape, dtype: "float16" }), undefined);
  assert.equal(store.counts.corrupt, 2);
});

Deno.test("FeatureStore: removes what dead processes had begun to write, and nobody else's", async () => {
  const folder = await filled(1);
  const pid = 2 ** 22; // one more than Linux gives
  Deno.writeTextFileSync(`${folder}/shards/.a.idx.partial-${pid}-0`, "half");
  Deno.writeTextFileSync(`${folder}/shards/.b.idx.partial-${Deno.ppid}-0`, "of a living process");
  (await FeatureStore.openForWriting(folder)).close();
  const names = [...Deno.readDirSync(`${folder}/shards`)].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.includes("partial")), [
    `.b.idx.partial-${Deno.ppid}-0`,
  ]);
});

Deno.test("FeatureStore: refuses a cache of another version", async () => {
  const folder = await filled(1);
  const path = `${folder}/cache.json`;
  const text = Deno.readTextFileSync(path);
  for (const other of [text.replace('"version": 1', '"version": 2'), "{", "[]", "null"]) {
    Deno.writeTextFileSync(path, other);
    assert.throws(() => FeatureStore.open(folder), SyntaxError);
    await assert.rejects(FeatureStore.openForWriting(folder), SyntaxError);
    assert.equal(Deno.readTextFileSync(path), other);
  }
});
