import assert from "node:assert/strict";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import {
  buildFeatures,
  type CacheMode,
  DatasetFeatures,
  type FeatureExtractor,
  FeatureMissError,
  FeatureStore,
  planFeatures,
} from "../../lib/features/mod.ts";
import { stubEpisode, stubExtractor, stubFeature } from "./_stub.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const VIEWS = ["View1", "View5"];

function counting() {
  const count = { made: 0 };
  const extractor = stubExtractor({
    identity: { views: VIEWS },
    extract: (requests) => {
      count.made += requests.length;
      return Promise.resolve(requests.map((request) => stubFeature(request, 64)));
    },
  });
  return { count, extractor };
}

function dataset(visionReuse = 1) {
  const times = Array.from({ length: 12 }, (_, k) => k / 10 - 0.02);
  const frames = { View1: times, View5: times.slice(3) };
  const segment = Int32Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1);
  return new EpisodeDataset([stubEpisode({ steps: 12, frames, segment })], { visionReuse });
}

async function built(data: EpisodeDataset, extractor: FeatureExtractor): Promise<string> {
  const folder = temporaryFolder();
  const { episodes, visionReuse: reuse } = data;
  const plan = await planFeatures(episodes, extractor, folder, { reuse });
  using store = await FeatureStore.openForWriting(folder);
  await buildFeatures(plan, store);
  return folder;
}

Deno.test("DatasetFeatures: every mode gives the same features; what each makes and stores differs", async () => {
  const data = dataset(3);
  const folder = await built(data, counting().extractor);
  const indices = [11, 0, 1, 2, 3, 6, 7, 0];
  const expected = indices.map((index) => {
    const step = [0, 0, 0, 3, 3, 3, 6, 7, 7, 7, 10, 10][index]!;
    const { image, imageIndex } = dataset().readBatch([step]);
    void image;
    const views = VIEWS.map((name, v) => ({
      name,
      image: imageIndex[v]! < 0 ? null : data.episodes[0]!.images[v]!.file(imageIndex[v]!),
    }));
    return stubFeature({ views, instruction: "Insert the needle" }, 64).values;
  });
  const cases: [CacheMode, string, number, number][] = [
    ["strict", folder, 0, 0],
    ["read", folder, 0, 0],
    ["off", folder, 5, 5],
    ["read", temporaryFolder(), 5, 5],
    ["readwrite", temporaryFolder(), 5, 0],
  ];
  for (const [mode, place, first, second] of cases) {
    const { count, extractor } = counting();
    using features = await DatasetFeatures.open(data, extractor, place, { mode });
    const batch = await features.readBatch(indices);
    assert.deepEqual([batch.tokens, batch.values.length], [1, 8 * 64]);
    expected.forEach((values, b) =>
      assert.deepEqual(batch.values.subarray(64 * b, 64 * b + 64), values, `${mode} ${b}`)
    );
    assert.equal(count.made, first, mode);
    await features.readBatch(indices);
    assert.equal(count.made, first + second, mode);
  }
});

Deno.test("DatasetFeatures: masks and ages belong to the sample's time", async () => {
  const data = dataset(3);
  const { extractor } = counting();
  using features = await DatasetFeatures.open(data, extractor, await built(data, extractor));
  const { viewMask, imageAge, tokenMask } = await features.readBatch([0, 2, 5]);
  assert.deepEqual([...viewMask], [1, 0, 1, 0, 1, 1]);
  assert.deepEqual([...tokenMask], [1, 1, 1]);
  assert.deepEqual(Array.from(imageAge, (age) => Math.round(age * 100)), [2, NaN, 22, NaN, 22, 22]);
  const { hits, misses, corrupt, bytes, p50, p95 } = features.metrics;
  assert.deepEqual([hits, misses, corrupt, bytes], [2, 0, 0, 2 * 256]); // samples 0 and 2 share one
  assert(p50 > 0 && p95 >= p50);
});

Deno.test("DatasetFeatures: what fits into memory is read once, what does not each time", async () => {
  const data = dataset(3);
  const { extractor } = counting();
  const folder = await built(data, extractor);
  const needed = 5 * 64 * Float32Array.BYTES_PER_ELEMENT; // five observations
  for (
    const [memoryBytes, hits] of [[undefined, 2], [needed, 2], [needed - 1, 6], [0, 6]] as const
  ) {
    const options = memoryBytes === undefined ? {} : { memoryBytes };
    using features = await DatasetFeatures.open(data, extractor, folder, options);
    const [first, ...others] = await Promise.all(
      [0, 1, 2].map(() => features.readBatch([0, 2, 5])),
    );
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(features.metrics.hits, hits);
    assert.equal(features.metrics.bytes, 256 * hits);
  }
});

Deno.test("DatasetFeatures: strict names what is missing, and the command that builds it", async () => {
  const data = dataset(3);
  const { extractor, count } = counting();
  const folder = temporaryPath("new cache");
  const error = await DatasetFeatures.open(data, extractor, folder)
    .then(() => assert.fail(), (error: unknown) => error as FeatureMissError);
  assert(error instanceof FeatureMissError);
  const { path } = data.episodes[0]!;
  assert.deepEqual(error.missing, [0, 3, 6, 7, 10].map((step) => ({ episode: path, step })));
  assert(error.message.includes(`${path} step 0, 3, 6, 7, 10`), error.message);
  const command = `deno task cache:build --data ${path} --features stub --views View1 View5 ` +
    `--reuse 3 --max-age-ms 2000 --cache '${folder}'`;
  assert(error.message.endsWith(command), error.message);
  assert.equal(count.made, 0);
  // Built with another reuse it is not enough.
  const sixth = dataset(6);
  const partly = await built(sixth, extractor);
  const [episode] = sixth.episodes;
  const third = new EpisodeDataset([episode!], { visionReuse: 3 });
  await assert.rejects(
    DatasetFeatures.open(third, extractor, partly),
    (error: FeatureMissError) => {
      assert.deepEqual(error.missing.map(({ step }) => step), [3, 10]);
      return true;
    },
  );
});

Deno.test("DatasetFeatures: a damaged feature is an error in strict, made again elsewhere, never zeros", async () => {
  for (const mode of ["strict", "read", "readwrite"] as const) {
    const data = dataset();
    const { extractor, count } = counting();
    const folder = await built(data, extractor);
    const before = count.made;
    using features = await DatasetFeatures.open(data, extractor, folder, { mode });
    const [path] = [...Deno.readDirSync(`${folder}/shards`)].map(({ name }) =>
      `${folder}/shards/${name}`
    )
      .filter((each) => each.endsWith(".shard"));
    const bytes = Deno.readFileSync(path!);
    for (let at = 16; at < bytes.length; at += 320) bytes[at + 64 + 9]! ^= 16;
    Deno.writeFileSync(path!, bytes);
    if (mode === "strict") {
      await assert.rejects(
        features.readBatch([4]),
        /step 4\. 1 are not in the cache .*Build them with/,
      );
      assert.equal(features.metrics.corrupt, 1);
      continue;
    }
    const { values } = await features.readBatch([4]);
    assert(values.some((value) => value !== 0));
    await features.readBatch([4]);
    assert.equal(count.made - before, mode === "read" ? 2 : 1);
  }
});

Deno.test("DatasetFeatures: pads sequences and masks the padding", async () => {
  const data = dataset();
  const extractor = stubExtractor({
    identity: { views: VIEWS },
    tokenCount: ({ views }) => views.filter(({ image }) => image !== null).length,
    extract: (requests) =>
      Promise.resolve(requests.map((request) => {
        const tokens = request.views.filter(({ image }) => image !== null).length;
        return { tokens, visualTokens: tokens, values: stubFeature(request, 64 * tokens).values };
      })),
  });
  using features = await DatasetFeatures.open(data, extractor, await built(data, extractor));
  assert.equal(features.tokens, 2);
  const { tokens, values, tokenMask } = await features.readBatch([1, 8]);
  assert.equal(tokens, 2);
  assert.deepEqual([...tokenMask], [1, 0, 1, 1]);
  assert(values.subarray(64, 128).every((value) => value === 0));
  assert(values.subarray(128).every((value) => value !== 0));
  const short = await features.readBatch([1]);
  assert.equal(short.values.length, 64);
});

Deno.test("DatasetFeatures: parameters in training cannot be behind a cache", async () => {
  const { extractor } = counting();
  const trained = { ...extractor, frozen: false } as unknown as FeatureExtractor;
  await assert.rejects(DatasetFeatures.open(dataset(), trained, temporaryFolder()), TypeError);
  // @ts-expect-error: the type says so too.
  const wrong: FeatureExtractor = { ...extractor, frozen: false };
  void wrong;
});

Deno.test("DatasetFeatures: a sample whose image cannot be read is an error that names it", async () => {
  const data = dataset();
  const { extractor } = counting();
  const { path } = data.episodes[0]!;
  const folder = await built(data, extractor);
  const gone = {
    ...data.episodes[0]!,
    images: data.episodes[0]!.images.map((camera) => ({
      ...camera,
      file: (k: number) => k === 4 ? `${path}/none.jpg` : camera.file(k),
    })),
  };
  const broken = new EpisodeDataset([gone]);
  await assert.rejects(DatasetFeatures.open(broken, extractor, folder), /step 4: .*none\.jpg/);
});
