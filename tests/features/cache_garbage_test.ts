import assert from "node:assert/strict";
import { openEpisode, preprocess } from "../../lib/episodes/mod.ts";
import {
  buildFeatures,
  collectGarbage,
  type FeaturePlan,
  FeatureStore,
  planFeatures,
  writeCacheSettings,
} from "../../lib/features/cache/mod.ts";
import type { EpisodeData } from "../../lib/datasets/_episode.ts";
import { stubEpisode, stubExtractor } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

async function build(folder: string, episode: EpisodeData, extractor = stubExtractor()) {
  const plan = await planFeatures([episode], extractor, folder);
  using store = await FeatureStore.openForWriting(folder);
  await buildFeatures(plan, store);
  return plan;
}

function entries(folder: string): number {
  using store = FeatureStore.open(folder);
  return store.size.entries;
}

Deno.test("gc: removes what nothing needs, damaged and double records; keeps the rest readable", async () => {
  const folder = temporaryFolder();
  const episode = stubEpisode();
  await build(folder, episode);
  const instruction = "Another instruction";
  const changed = { ...episode, manifest: { ...episode.manifest, instruction } };
  const plan = await build(folder, changed); // takes the place of the first
  assert.equal(entries(folder), 20);
  using reader = FeatureStore.open(folder);
  {
    using one = await FeatureStore.openForWriting(folder);
    one.quarantine(plan.items[3]!.key, "a test");
  }
  const [shard] = [...Deno.readDirSync(`${folder}/shards`)].map(({ name }) => name)
    .filter((name) => name.endsWith(".shard"));
  Deno.copyFileSync(`${folder}/shards/${shard}`, `${folder}/shards/zz-copy.shard`);
  const report = await collectGarbage(folder);
  assert.deepEqual([report.kept, report.dropped, report.quarantined], [10, 10, 1]);
  assert.equal(report.bytes, 2 * (16 + 20 * 320) - (16 + 10 * 320));
  assert.equal(entries(folder), 10);
  // One that was reading goes on, with what it had found and what there is now.
  for (const { key } of plan.items) {
    if (key !== plan.items[3]!.key) assert(reader.read(key, plan.extractor) !== undefined);
  }
  reader.refresh();
  assert.equal(reader.size.entries, 10);
  const again = await collectGarbage(folder);
  assert.deepEqual([again.kept, again.dropped, again.bytes], [10, 0, 0]);
});

Deno.test("gc: waits for nobody: it refuses while a process builds", async () => {
  const folder = temporaryFolder();
  using _store = await FeatureStore.openForWriting(folder);
  await assert.rejects(collectGarbage(folder), /a process is building features there/);
});

Deno.test("gc: beyond the limit the episodes used least recently go, never those to keep", async () => {
  const folder = temporaryFolder();
  const episodes = [0, 1, 2].map(() => stubEpisode());
  const plans: FeaturePlan[] = [];
  for (const episode of episodes) plans.push(await build(folder, episode));
  const used = [2020, 2022, 2021].map((year) => new Date(year, 0));
  for (const { name } of [...Deno.readDirSync(`${folder}/index`)]) {
    const path = `${folder}/index/${name}`;
    const header = JSON.parse(Deno.readTextFileSync(path).split("\n")[0]!);
    const time = used[episodes.findIndex((episode) => episode.path === header.episode.path)]!;
    Deno.utimeSync(path, time, time);
  }
  const present = () => {
    using store = FeatureStore.open(folder);
    return plans.map(({ items }) => items.filter(({ key }) => store.has(key)).length);
  };
  writeCacheSettings(folder, { limitBytes: 16 + 20 * 320 });
  await collectGarbage(folder, { keep: plans[0]! });
  assert.deepEqual(present(), [10, 10, 0]);
  assert.equal([...Deno.readDirSync(`${folder}/index`)].length, 2);
  writeCacheSettings(folder, { limitBytes: 16 + 10 * 320 });
  await collectGarbage(folder);
  assert.deepEqual(present(), [0, 10, 0]);
});

Deno.test("gc: an episode that has changed loses its features, one that is away keeps them until told", async () => {
  const folder = temporaryFolder(), output = temporaryFolder();
  const data =
    new URL("../../data-fixtures/recordings/Needle_insertion_eye_trocar", import.meta.url).pathname;
  const [outcome] = await preprocess([data], { output });
  const open = () => {
    using episode = openEpisode(outcome!.output!);
    return episode;
  };
  const count = (await build(folder, open())).items.length;
  assert.equal((await collectGarbage(folder)).dropped, 0);
  const moved = `${output}/elsewhere`;
  Deno.renameSync(outcome!.output!, moved);
  assert.equal((await collectGarbage(folder)).dropped, 0);
  assert.equal((await collectGarbage(folder, { dropMissing: true })).dropped, count);
  Deno.renameSync(moved, outcome!.output!);
  await build(folder, open());
  await preprocess([data], { output, instruction: "Another instruction" });
  assert.equal((await collectGarbage(folder)).dropped, count);
});

Deno.test("gc: an index that cannot be read stops it before anything is removed", async () => {
  const folder = temporaryFolder();
  await build(folder, stubEpisode());
  const [{ name }] = [...Deno.readDirSync(`${folder}/index`)] as [Deno.DirEntry];
  const path = `${folder}/index/${name}`;
  const text = Deno.readTextFileSync(path);
  for (
    const damaged of ["", "{}", text.slice(0, -200), text.replace('"version":1', '"version":2')]
  ) {
    Deno.writeTextFileSync(path, damaged);
    await assert.rejects(collectGarbage(folder), (error: Error) => {
      assert(error instanceof SyntaxError && error.message.includes(path), error.message);
      return true;
    });
    assert.equal(entries(folder), 10);
  }
});
