/** What the Python reference's feature cache does wrong, and that this one does not. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import {
  buildFeatures,
  DatasetFeatures,
  type FeatureExtractor,
  FeatureStore,
  pixel2048,
  planFeatures,
  writeCacheSettings,
} from "../../lib/features/mod.ts";
import sharp from "sharp";
import { stubEpisode, stubExtractor } from "./_stub.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

/** An episode with pictures, each of a grey of its own. */
async function pictures(steps: number) {
  const episode = stubEpisode({ steps });
  for (let k = 0; k < steps; k++) {
    const pixels = Buffer.alloc(32 * 16 * 3, 20 * (k + 1));
    const image = sharp(pixels, { raw: { width: 32, height: 16, channels: 3 } });
    await image.jpeg().toFile(episode.images[0]!.file(k));
  }
  return episode;
}

async function build(
  folder: string,
  episode: ReturnType<typeof stubEpisode>,
  extractor: FeatureExtractor,
  batch = 32,
) {
  const plan = await planFeatures([episode], extractor, folder);
  using store = await FeatureStore.openForWriting(folder);
  const report = await buildFeatures(plan, store, { batch });
  return { report, values: plan.items.map(({ key }) => store.read(key, extractor)!.values) };
}

Deno.test("M-12: features are per sample: made together they are what they are made one by one", async () => {
  const episode = await pictures(9), extractor = pixel2048({ views: ["View1"] });
  const [one, four, all] = await Promise.all(
    [1, 4, 32].map((batch) => build(temporaryFolder(), episode, extractor, batch)),
  );
  assert.equal(one!.values.length, 9);
  assert.deepEqual(four!.values, one!.values);
  assert.deepEqual(all!.values, one!.values);
  one!.values.forEach((values, i) => {
    assert(Math.abs(values[0]! - (20 * (i + 1) / 127.5 - 1)) < 0.02, `${i}: ${values[0]}`);
  });
});

Deno.test("M-20: paths are not in the key: moved data find their features", async () => {
  const folder = temporaryFolder(), extractor = stubExtractor();
  const episode = stubEpisode();
  await build(folder, episode, extractor);
  const moved = temporaryPath("elsewhere");
  Deno.renameSync(episode.path, moved);
  const { report } = await build(folder, stubEpisode({ path: moved }), extractor);
  assert.deepEqual([report.hit, report.built], [10, 0]);
});

Deno.test("M-20: resolution, model and pooling are in the key: no stale feature is taken", async () => {
  const folder = temporaryFolder(), episode = stubEpisode();
  const identities: Partial<FeatureExtractor["identity"]>[] = [
    {},
    { processor: { minPixels: 3136, maxPixels: 12845056 } },
    { model: "another" },
    { taps: { layer: "last", selection: "all", pooling: "last-token" } },
  ];
  for (const identity of identities) {
    const { report } = await build(folder, episode, stubExtractor({ identity }));
    assert.deepEqual([report.hit, report.built], [0, 10], JSON.stringify(identity));
  }
  const { report } = await build(folder, episode, stubExtractor());
  assert.deepEqual([report.hit, report.built], [10, 0]);
});

Deno.test("M-20: training evicts nothing, also beyond the limit, and says so", async () => {
  const folder = temporaryFolder(), extractor = stubExtractor();
  const [old, young] = [stubEpisode(), stubEpisode()];
  await build(folder, old, extractor);
  const used = 16 + 10 * 320;
  writeCacheSettings(folder, { limitBytes: used });
  const data = new EpisodeDataset([young]);
  using features = await DatasetFeatures.open(data, extractor, folder, { mode: "readwrite" });
  await assert.rejects(features.readBatch([0, 1]), /the limit is 3\.22 kB/);
  assert.equal((await build(folder, old, extractor)).report.hit, 10);
});

Deno.test("M-20: samples of a batch that share a key each have the feature, made and stored once", async () => {
  const folder = temporaryFolder();
  let made = 0;
  const extractor = stubExtractor();
  const counting: FeatureExtractor = {
    ...extractor,
    extract: (requests) => {
      made += requests.length;
      return extractor.extract(requests);
    },
  };
  const data = new EpisodeDataset([stubEpisode({ steps: 6 })], { visionReuse: 3 });
  using features = await DatasetFeatures.open(data, counting, folder, { mode: "readwrite" });
  const { values } = await features.readBatch([4, 0, 4, 1, 3]);
  const rows = [0, 1, 2, 3, 4].map((b) => values.slice(64 * b, 64 * b + 64));
  assert.deepEqual([rows[2], rows[4], rows[3]], [rows[0], rows[0], rows[1]]);
  assert.notDeepEqual(rows[0], rows[1]);
  assert(rows.every((row) => row.every((value) => value !== 0)));
  assert.equal(made, 2);
  using store = FeatureStore.open(folder);
  assert.equal(store.size.entries, 2);
});
