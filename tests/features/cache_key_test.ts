import assert from "node:assert/strict";
import {
  extractorDigest,
  type FeatureExtractor,
  type FeatureIdentity,
  pixel2048,
  planFeatures,
} from "../../lib/features/mod.ts";
import { type StubEpisode, stubEpisode, stubExtractor } from "./_stub.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

async function keysOf(
  episode: StubEpisode = {},
  extractor: FeatureExtractor = stubExtractor(),
  options: { reuse?: number } = {},
): Promise<string[]> {
  const folder = temporaryFolder();
  const plan = await planFeatures([stubEpisode(episode)], extractor, folder, options);
  return plan.episodes[0]!.observations.map(({ key }) => key);
}

/** Same files for every episode of a test. */
const path = temporaryFolder();

function disjoint(a: readonly string[], b: readonly string[]): boolean {
  return !a.some((key) => b.includes(key));
}

Deno.test("key: the same observation has the same key, in any process", async () => {
  const keys = await keysOf({ path });
  assert.deepEqual(await keysOf({ path }), keys);
  assert(keys.every((key) => /^[0-9a-f]{64}$/.test(key)));
  // Recorded, so that a change of the keys is a decision: caches of users would be stale.
  assert.equal(
    extractorDigest(stubExtractor()),
    "5a5b846249fc7648cf546d286dd32a17c7e74f08e9e64385cc0c2e686f10a254",
  );
});

Deno.test("key: another instruction is another key, to the last blank", async () => {
  const plain = await keysOf({ path });
  for (
    const instruction of ["Insert the needle ", "insert the needle", "Insert the nee\u0308dle"]
  ) {
    assert(disjoint(await keysOf({ path, instruction }), plain));
  }
  const [composed, decomposed] = ["n\u00e9", "ne\u0301"];
  assert(disjoint(
    await keysOf({ path, instruction: composed }),
    await keysOf({ path, instruction: decomposed }),
  ));
});

Deno.test("key: another model, adapter, size, prompt template, tap, order or subset of views is another key", async () => {
  const changes: Partial<FeatureIdentity>[] = [
    { model: "another" },
    { revision: "2" },
    { adapter: "a digest" },
    { processor: { minPixels: 3136, maxPixels: 12845056 } },
    { processor: { minPixels: 3136, maxPixels: 230400, viewWeights: [1, 2] } },
    { promptTemplate: "Look: {instruction}" },
    { taps: { layer: "last", selection: "vision", pooling: "mean" } },
    { taps: { layer: "last", selection: "all", pooling: "none" } },
    { taps: { layer: "first", selection: "all", pooling: "mean" } },
  ];
  const plain = await keysOf({ path });
  const seen = new Set(plain);
  for (const identity of changes) {
    const keys = await keysOf({ path }, stubExtractor({ identity }));
    assert(keys.every((key) => !seen.has(key)), JSON.stringify(identity));
    for (const key of keys) seen.add(key);
  }
  for (const options of [{ width: 65 }, { dtype: "bfloat16" }, { dtype: "float16" }] as const) {
    const keys = await keysOf({ path }, stubExtractor(options));
    assert(keys.every((key) => !seen.has(key)));
    for (const key of keys) seen.add(key);
  }
  const times = Array.from({ length: 10 }, (_, k) => k / 10);
  const frames = { View1: times, View2: times, View5: times };
  for (
    const views of [["View1", "View2"], ["View2", "View1"], ["View2"], ["View1", "View2", "View5"]]
  ) {
    const keys = await keysOf({ path, frames }, stubExtractor({ identity: { views } }));
    assert(keys.every((key) => !seen.has(key)), views.join());
    for (const key of keys) seen.add(key);
    assert.equal(new Set(keys).size, 10);
  }
});

Deno.test("key: a missing view is not an empty one, and no view stands for another", async () => {
  const times = Array.from({ length: 10 }, (_, k) => k / 10);
  const views = ["View1", "View2"];
  const extractor = stubExtractor({ identity: { views } });
  const left = await keysOf({ path, frames: { View1: times } }, extractor);
  const both = await keysOf({ path, frames: { View1: times, View2: times } }, extractor);
  const right = await keysOf({ path, frames: { View2: times } }, extractor);
  assert(disjoint(left, both) && disjoint(right, both) && disjoint(left, right));
});

Deno.test("key: of two data sets with one name each has its own features", async () => {
  const [a, b] = [0, 1].map(() => temporaryPath("Captures1")) as [string, string];
  for (const folder of [a, b]) Deno.mkdirSync(folder);
  assert(disjoint(await keysOf({ path: a }), await keysOf({ path: b })));
});

Deno.test("key: equal images of two episodes have one feature", async () => {
  const folder = temporaryFolder();
  const episodes = ["a", "b"].map((name) => {
    const episode = stubEpisode({ path: temporaryFolder() });
    for (let k = 0; k < 10; k++) Deno.writeTextFileSync(`${episode.path}/View1_${k}.jpg`, `${k}`);
    return { ...episode, manifest: { ...episode.manifest, name } };
  });
  const { items, episodes: plans } = await planFeatures(episodes, stubExtractor(), folder);
  assert.equal(items.length, 10);
  assert.equal(plans.reduce((sum, { observations }) => sum + observations.length, 0), 20);
});

Deno.test("key: reuse changes which steps have features, never what a feature is", async () => {
  const each = await keysOf({ path });
  const third = await keysOf({ path }, stubExtractor(), { reuse: 3 });
  assert.deepEqual(third, each.filter((_, step) => step % 3 === 0));
});

Deno.test("key: the robot's rate changes no feature", async () => {
  const plan = async (rows: number) => {
    const episode = {
      ...stubEpisode({ path }),
      robotTime: Float64Array.from({ length: rows }, (_, k) => k / rows),
      robotState: new Float32Array(12 * rows),
    };
    return (await planFeatures([episode], stubExtractor(), temporaryFolder())).items;
  };
  assert.deepEqual(await plan(1000), await plan(20));
});

Deno.test("key: an image replaced on disk is another key, even with size and time as before", async () => {
  const folder = temporaryFolder(), images = temporaryFolder();
  const episode = stubEpisode({ path: images, steps: 3 });
  const old = new Date(2025, 0, 1);
  const plan = async () => {
    const { episodes } = await planFeatures([episode], stubExtractor(), folder);
    return episodes[0]!.observations.map(({ key }) => key);
  };
  await plan();
  assert.throws(() => Deno.statSync(`${folder}/images`), Deno.errors.NotFound); // too fresh
  for (let k = 0; k < 2; k++) Deno.utimeSync(`${images}/View1_${k}.jpg`, old, old);
  await new Promise((resume) => setTimeout(resume, 2100)); // what changed just now is not believed
  const before = await plan();
  assert.equal([...Deno.readDirSync(`${folder}/images`)].length, 1);
  assert.deepEqual(await plan(), before);
  const file = `${images}/View1_1.jpg`;
  const text = Deno.readTextFileSync(file).replace("View1 1", "View1 X");
  Deno.writeTextFileSync(file, text);
  Deno.utimeSync(file, old, old);
  const after = await plan();
  assert.deepEqual(after.map((key, k) => key === before[k]), [true, false, true]);
  // What is known of the files may be lost or damaged: then they are read.
  for (const { name } of Deno.readDirSync(`${folder}/images`)) {
    Deno.writeTextFileSync(
      `${folder}/images/${name}`,
      '{"format":"trocar image digests","files":[1]}',
    );
  }
  assert.deepEqual(await plan(), after);
});

Deno.test("key: pixel-2048 with other tasks is another extractor", () => {
  assert.notEqual(extractorDigest(pixel2048()), extractorDigest(pixel2048({ tasks: [["a"]] })));
});

Deno.test("plan: an image that cannot be read fails its steps and no others", async () => {
  const images = temporaryFolder();
  const episode = stubEpisode({ path: images, steps: 5 });
  const broken = {
    ...episode,
    images: [{
      ...episode.images[0]!,
      file: (k: number) => k === 2 ? `${images}/gone.jpg` : episode.images[0]!.file(k),
    }],
  };
  const plan = await planFeatures([broken], stubExtractor(), temporaryFolder());
  assert.equal(plan.items.length, 4);
  assert.deepEqual(plan.failures.map(({ episode, step }) => [episode, step]), [[images, 2]]);
  assert.match(plan.failures[0]!.message, /gone\.jpg/);
});

Deno.test("plan: an episode without any of the cameras is an error", async () => {
  const extractor = stubExtractor({ identity: { views: ["View9"] } });
  await assert.rejects(
    planFeatures([stubEpisode({ path })], extractor, temporaryFolder()),
    /one of the cameras View9, current value is View1/,
  );
});
