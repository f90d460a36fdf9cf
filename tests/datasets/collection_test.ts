import assert from "node:assert/strict";
import { join } from "node:path";
import {
  collectionGroups,
  datasetOf,
  DEFAULT_WEIGHTS,
  EpisodeDataset,
  parseWeights,
} from "../../lib/datasets/mod.ts";
import { openEpisode, preprocess } from "../../lib/episodes/mod.ts";
import { PHANTOM_LAYOUTS, recordPhantom } from "../../lib/phantom/mod.ts";
import { memoryEpisode, tenths } from "./_episode.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

/** An episode whose recording lies at a place, with so many samples. */
function episodeAt(path: string, samples = 20, source = ".") {
  const [name, task] = path.split("/").reverse();
  const parts = { name: name!, task: task!, actionTime: tenths(samples), manifest: { source } };
  return { ...memoryEpisode(parts), path };
}

Deno.test("parseWeights lays texts over the defaults and files under texts", () => {
  assert.deepEqual(parseWeights([]), DEFAULT_WEIGHTS);
  assert.deepEqual(parseWeights(["a=2,b=0.5", "c=0"], {}), { a: 2, b: 0.5, c: 0 });
  assert.equal(parseWeights(["part1=1e1"]).part1, 10);
  assert.equal(parseWeights(["New_dataset=7"]).New_dataset2, 3);
  const path = temporaryPath("weights.json");
  Deno.writeTextFileSync(path, '{"a": 4, "b": 5}');
  assert.deepEqual(parseWeights(["a=1", path], {}), { a: 1, b: 5 });
});

Deno.test("parseWeights refuses what is no table", () => {
  const bad = [
    "a",
    "a=",
    "=1",
    "a=-1",
    "a=NaN",
    "a=Infinity",
    "a=1e999",
    "a=0x1",
    "a= 1",
    "a=1,",
    "",
  ];
  for (const text of bad) {
    assert.throws(() => parseWeights([text]), SyntaxError, `"${text}" was taken`);
  }
  assert.throws(() => parseWeights(["a=1,a=1"]), /once/);
  assert.throws(() => parseWeights(["a=1", "a=2"]), /once/);
  const path = temporaryPath("weights.json");
  for (const text of ["[1]", '{"a": "2"}', '{"a": -1}', '{"a": null}', "{"]) {
    Deno.writeTextFileSync(path, text);
    assert.throws(() => parseWeights([path]), SyntaxError, `${text} was taken`);
  }
  assert.throws(() => parseWeights([`${path}.json`]), Deno.errors.NotFound);
});

Deno.test("datasetOf takes the innermost named folder, and others where there is none", () => {
  const of = (path: string, weights?: Record<string, number>, source?: string) =>
    datasetOf(episodeAt(path, 1, source), weights);
  assert.equal(of("/home/part1/New_dataset/Blue_point/episode_1"), "New_dataset");
  assert.equal(
    of("/home/part1/New_dataset/Blue_point/episode_1", { Blue_point: 1, part1: 1 }),
    "Blue_point",
  );
  assert.equal(of("/data/New_dataset2/Blue_point/one"), "New_dataset2");
  assert.equal(of("/data/New_dataset22/Blue_point/one"), "others");
  assert.equal(of("/data/others/Blue_point/one", { others: 1, data: 2 }), "data");
  // beside the recording, and far from it
  assert.equal(of("/data/OCT_insertion/Captures1/episode", DEFAULT_WEIGHTS, ".."), "OCT_insertion");
  assert.equal(
    of("/out/Captures1", DEFAULT_WEIGHTS, "../data/OCT_insertion/Captures1"),
    "OCT_insertion",
  );
  assert.equal(of("/a/__proto__/constructor/one"), "others");
});

Deno.test("collectionGroups gives data sets shares by weight, or by weight and size", () => {
  const episodes = [
    episodeAt("/data/part1/a", 30),
    episodeAt("/data/New_dataset/red/b", 10),
    episodeAt("/data/part1/c", 20),
    episodeAt("/data/White_silicone_white_circle/d", 40),
    episodeAt("/data/mine/e", 7),
  ];
  const dataset = new EpisodeDataset(episodes);
  const groups = collectionGroups(dataset, { confidence: { part1: 0.5 } });
  assert.deepEqual(
    groups.map(({ name, weight, samples, confidence }) => [name, weight, samples, confidence]),
    [
      ["New_dataset", 3, 10, 1],
      ["White_silicone_white_circle", 2, 40, 1],
      ["others", 1, 7, 1],
      ["part1", 1, 50, 0.5],
    ],
  );
  assert.deepEqual(groups.map(({ share }) => share), [3 / 7, 2 / 7, 1 / 7, 1 / 7]);
  assert.deepEqual(groups[3]!.ranges, [
    { episode: 0, start: 0, count: 30 },
    { episode: 2, start: 40, count: 20 },
  ]);
  const copies = collectionGroups(dataset, { priorityMode: "duplicate" });
  assert.deepEqual(copies.map(({ share }) => share), [30 / 167, 80 / 167, 7 / 167, 50 / 167]);
  const without = collectionGroups(dataset, { weights: parseWeights(["part1=0"]) });
  assert.deepEqual(without.map(({ share }) => share), [3 / 6, 2 / 6, 1 / 6]);
});

Deno.test("collectionGroups refuses names of nothing, and collections with nothing to draw", () => {
  const dataset = new EpisodeDataset([episodeAt("/data/New_dataset/Blue_point/one")]);
  const groups = (options: Parameters<typeof collectionGroups>[1]) =>
    collectionGroups(dataset, options);
  assert.throws(() => groups({ weights: { New_datset: 3 } }), /Did you mean "New_dataset"/);
  assert.throws(() => groups({ weights: { Blue_piont: 3 } }), /Did you mean "Blue_point"/);
  assert.throws(() => groups({ confidence: { New_datset: 1 } }), /confidence of New_datset/);
  assert.throws(() => groups({ confidence: { Blue_point: 1 } }), /Give it a weight too/);
  assert.throws(() => groups({ confidence: { New_dataset: 0 } }), /above 0/);
  assert.throws(() => groups({ weights: { New_dataset: NaN } }), /finite/);
  assert.throws(() => groups({ weights: { New_dataset: 0 } }), /New_dataset=0/);
  assert.throws(() => collectionGroups(new EpisodeDataset([])), /no sample at all/);
  assert.equal(groups({ weights: DEFAULT_WEIGHTS })[0]!.share, 1); // the other names may be absent
});

Deno.test("episodes of all phantom layouts know their data set, also in an output folder", async () => {
  const root = temporaryFolder();
  const options = {
    output: join(root, "data"),
    layouts: PHANTOM_LAYOUTS,
    raster: 40,
    seconds: 2,
  } as const;
  for await (const _ of recordPhantom(options));
  const outcomes = await preprocess([join(root, "data")], { output: join(root, "episodes") });
  assert(outcomes.every(({ ok }) => ok), JSON.stringify(outcomes.map(({ error }) => error)));
  const found = outcomes.map(({ output }) => {
    using episode = openEpisode(output!);
    return datasetOf(episode);
  });
  assert.deepEqual(
    found.sort(),
    Object.keys(DEFAULT_WEIGHTS).filter((name) => name !== "others").sort(),
  );
});
