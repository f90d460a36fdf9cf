import assert from "node:assert/strict";
import { join } from "node:path";
import {
  buildFeatures,
  featureHealth,
  FeatureStore,
  observationUse,
  planFeatures,
} from "../../lib/features/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { stubEpisode, stubExtractor } from "./_stub.ts";

const STEPS = 8;

async function built() {
  const folder = temporaryFolder(), extractor = stubExtractor();
  const episodes = [stubEpisode({ steps: STEPS }), stubEpisode({ steps: STEPS })];
  const plan = await planFeatures(episodes, extractor, folder);
  using store = await FeatureStore.openForWriting(folder);
  await buildFeatures(plan, store);
  return { folder, plan };
}

Deno.test("a whole cache is whole: norms, cosines, sizes", async () => {
  const { folder, plan } = await built();
  using store = FeatureStore.open(folder);
  const health = featureHealth(plan, store);
  assert.deepEqual(
    [health.planned, health.present, health.damaged, health.failures],
    [2 * STEPS, 2 * STEPS, 0, 0],
  );
  assert.equal(health.bytes, 2 * STEPS * (64 + 64 * 4));
  assert(health.storeBytes >= health.bytes && health.limitBytes > health.storeBytes, "sizes");
  for (const { present, frozen, features, images, norm, cosine } of health.episodes) {
    assert.deepEqual([present, frozen, features, images], [STEPS, 0, STEPS, STEPS]);
    assert(norm.every((value) => value > 0), "norms");
    assert(Number.isNaN(cosine[0]) && cosine.slice(1).every((value) => value < 1), "cosines");
  }
  const [{ observations }] = plan.episodes as [typeof plan.episodes[number]];
  const [a, b] = observations.map(({ key }) => store.read(key, plan.extractor)!.values);
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  const expected = dot(a!, b!) / Math.sqrt(dot(a!, a!) * dot(b!, b!));
  assert(Math.abs(health.episodes[0]!.cosine[1]! - expected) < 1e-12, "cosine");
  assert(Math.abs(health.episodes[0]!.norm[0]! - Math.sqrt(dot(a!, a!))) < 1e-12, "norm");
});

Deno.test("features of other images that are the same are counted as frozen", async () => {
  const { folder, plan } = await built(), bad = temporaryFolder();
  using store = FeatureStore.open(folder);
  using frozen = await FeatureStore.openForWriting(bad);
  const [first, second] = plan.episodes;
  const last = store.read(first!.observations.at(-1)!.key, plan.extractor)!;
  frozen.write(first!.observations.map(({ key }) => ({ key, feature: last })), plan.extractor);
  frozen.write(
    second!.observations.map(({ key }) => ({ key, feature: store.read(key, plan.extractor)! })),
    plan.extractor,
  );
  const health = featureHealth({ ...plan, folder: bad }, frozen);
  assert.deepEqual(health.episodes.map(({ frozen }) => frozen), [STEPS - 1, 0]);
  assert(health.episodes[0]!.cosine.slice(1).every((value) => Math.abs(value - 1) < 1e-12), "flat");
  assert.equal(health.present, health.planned); // nothing else would tell
});

Deno.test("moments that share their images are no frozen ones", async () => {
  const folder = temporaryFolder();
  const episode = stubEpisode({ steps: STEPS, frames: { View1: [-0.05, 0.35] } });
  const plan = await planFeatures([episode], stubExtractor(), folder);
  using store = await FeatureStore.openForWriting(folder);
  await buildFeatures(plan, store);
  const [{ images, features, frozen, cosine }] = featureHealth(plan, store).episodes as [
    ReturnType<typeof featureHealth>["episodes"][number],
  ];
  assert.deepEqual([images, features, frozen], [2, 2, 0]);
  assert.equal(cosine.filter((value) => value < 0.999999).length, 1);
});

Deno.test("missing and damaged features are counted, and leave holes in the curve", async () => {
  const { folder, plan } = await built();
  const shards = join(folder, "shards");
  const [shard] = [...Deno.readDirSync(shards)].filter(({ name }) => name.endsWith(".shard"));
  const path = join(shards, shard!.name), bytes = Deno.readFileSync(path);
  const third = plan.episodes[0]!.observations[2]!.key;
  const text = bytes.toHex(), place = text.indexOf(third) / 2;
  assert(place > 0, "the record is there");
  bytes[place + 56 + 4]! ^= 0xff; // its values begin 56 bytes behind its key
  Deno.writeFileSync(path, bytes);
  using store = FeatureStore.open(folder);
  const health = featureHealth(plan, store);
  assert.deepEqual([health.present, health.damaged], [2 * STEPS - 1, 1]);
  const { norm, cosine, present } = health.episodes[0]!;
  assert.equal(present, STEPS - 1);
  assert.deepEqual([...norm].map(Number.isNaN).indexOf(true), 2);
  assert(Number.isNaN(cosine[2]) && Number.isNaN(cosine[3]) && cosine[4]! > 0, "holes");
});

Deno.test("an observation serves R actions of its segment, and grows older", async () => {
  const segment = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1);
  const episode = stubEpisode({ steps: STEPS, segment });
  const plan = await planFeatures([episode], stubExtractor(), temporaryFolder(), { reuse: 3 });
  const uses = observationUse(plan.episodes[0]!, 3);
  assert.deepEqual(uses.map(({ observed }) => observed), [0, 0, 0, 3, 4, 4, 4, 7]);
  assert.deepEqual(uses.map(({ reused }) => reused), [0, 1, 2, 0, 0, 1, 2, 0]);
  uses.forEach(({ agesMs, reused }) =>
    assert(Math.abs(agesMs[0]! - 50 - 100 * reused) < 1e-6, `${agesMs}`)
  );
  // What could not be planned serves nobody, and nobody else serves in its place.
  const [{ episode: data, observations }] = plan.episodes as [typeof plan.episodes[number]];
  const without = observations.filter(({ step }) => step !== 3);
  assert.deepEqual(
    observationUse({ episode: data, observations: without }, 3).map(({ step }) => step),
    [0, 1, 2, 4, 5, 6, 7],
  );
});
