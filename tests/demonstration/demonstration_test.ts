import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { ensureDemonstration } from "../../lib/demonstration/mod.ts";
import { openEpisode } from "../../lib/episodes/mod.ts";
import { readRecordedTruth } from "../../lib/evaluation/recorded_truth.ts";
import { FeatureStore } from "../../lib/features/mod.ts";
import { contents, inFolder } from "./_folders.ts";

Deno.test("makes episodes with pictures, truth and features, and finds them again", async () => {
  await inFolder(async (options) => {
    const notes: string[] = [], progress: string[] = [];
    const made = await ensureDemonstration({
      ...options,
      note: (line) => notes.push(line),
      onProgress: (line) => progress.push(line),
    });
    assert.equal(made.madeEpisodes, 2);
    assert.deepEqual([made.train.map(({ seed }) => seed), made.val.map(({ seed }) => seed)], [[
      1000,
    ], [5000]]);
    let steps = 0;
    for (const { path, recording } of [...made.train, ...made.val]) {
      using episode = openEpisode(path);
      steps += episode.segment.length;
      assert.equal(episode.manifest.task, "Blue_point");
      assert.equal(episode.manifest.instruction, "Perform Blue point insertion task");
      assert(episode.sensor!.rows > 4500, "the sensor's rows are in the episode");
      assert.deepEqual(episode.manifest.views, ["View1", "View2", "View3", "View4", "View5"]);
      const truth = readRecordedTruth(episode)!;
      assert.equal(truth.events.length, 3);
      assert(truth.disturbances.length > 2, "pushes");
      const left = [...Deno.readDirSync(recording)].map(({ name }) => name).sort();
      assert.deepEqual(left, [
        "View1",
        "View2",
        "View3",
        "View4",
        "View5",
        "episode",
        "truth.json",
      ]);
    }
    assert.equal(made.madeFeatures, steps);
    assert.equal(FeatureStore.open(made.features).size.entries, steps);
    assert.match(
      notes.join("\n"),
      /simulating and preprocessing 2 of 2 .*\n.*2 episodes made in .* s \(rec.*\nfeatures: \d+ made in/,
    );
    assert(progress.includes("demonstration: 2 of 2 episodes"), "progress");
    assert(
      megabytes(made.folder) < 2 * 25,
      "an episode takes less than 25 MB, so that 40 take less than 1 GB",
    );

    const before = contents(made.folder);
    notes.length = 0;
    const again = await ensureDemonstration({ ...options, note: (line) => notes.push(line) });
    assert.deepEqual([again.madeEpisodes, again.madeFeatures], [0, 0]);
    assert.deepEqual([again.train, again.val], [made.train, made.val]);
    assert.match(
      notes.join("\n"),
      /^demonstration: 2 episodes are there.*\nfeatures: \d+ are there/,
    );
    assert.deepEqual(contents(made.folder), before);

    const more = await ensureDemonstration({
      ...options,
      trainEpisodes: 2,
      tasks: ["Blue_point", "Red_point"],
    });
    assert.equal(more.madeEpisodes, 1, "the others are shared");
    assert.deepEqual(more.train.map(({ task, seed }) => `${task} ${seed}`), [
      "Blue_point 1000",
      "Red_point 1001",
    ]);
    using red = openEpisode(more.train[1]!.path);
    assert.equal(red.manifest.instruction, "Perform Red point insertion task");
  });
});

Deno.test("what was made otherwise is not mistaken for it", async () => {
  await inFolder(async (options) => {
    const first = await ensureDemonstration({ ...options, valEpisodes: 0 });
    const other = await ensureDemonstration({ ...options, valEpisodes: 0, quality: 60 });
    assert.equal(other.madeEpisodes, 1);
    assert.notEqual(other.folder, first.folder);
    assert(other.madeFeatures > 70, "other pictures have other features");
    const seeded = await ensureDemonstration({ ...options, valEpisodes: 0, seed: 1001 });
    assert.equal(seeded.madeEpisodes, 1);
    assert.equal(basename(seeded.train[0]!.recording), "seed_1001");
  });
});

Deno.test("what is damaged or missing is made again", async () => {
  await inFolder(async (options) => {
    const one = { ...options, valEpisodes: 0 };
    const { train: [first], folder } = await ensureDemonstration(one);
    const before = contents(folder);
    Deno.truncateSync(join(first!.path, "sensor.npy"), 1_000_000);
    assert.equal((await ensureDemonstration(one)).madeEpisodes, 1);
    assert.deepEqual(contents(folder), before);
    Deno.removeSync(join(first!.recording, "View3"), { recursive: true });
    const { madeEpisodes, madeFeatures } = await ensureDemonstration(one);
    assert.deepEqual([madeEpisodes, madeFeatures], [1, 0]);
    assert.deepEqual(contents(folder), before);
  });
});

Deno.test("a signal stops it, and the next call goes on", async () => {
  await inFolder(async (options) => {
    const controller = new AbortController();
    const stopping = ensureDemonstration({
      ...options,
      valEpisodes: 5,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await assert.rejects(stopping, { name: "AbortError" });
    const { madeEpisodes } = await ensureDemonstration({ ...options, trainEpisodes: 1 });
    assert(madeEpisodes < 2, "the first episodes were kept");
  });
});

Deno.test("options out of range are refused before anything is written", async () => {
  await inFolder(async (options) => {
    for (
      const [bad, message] of [
        [{ trainEpisodes: 4001 }, /at most 4000, current value is 4001/],
        [{ trainEpisodes: 1.5 }, /trainEpisodes must be a whole number/],
        [{ trainEpisodes: 0, valEpisodes: 0 }, /must have an episode/],
        [{ seed: -1 }, /seed must be a whole number/],
        [{ seed: 2 ** 32 - 100 }, /seed/],
        [{ quality: 0 }, /quality must be from 1 to 100/],
        [{ raster: 3 as 5 }, /raster must be 1 or 5, current value is 3/],
        [{ tasks: [] }, /tasks must be some of Blue_point/],
        [{ tasks: ["Pink_point" as "Red_point"] }, /current value is Pink_point/],
        [{ threads: 0 }, /threads must be/],
      ] as const
    ) {
      await assert.rejects(ensureDemonstration({ ...options, ...bad }), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof RangeError;
      });
    }
    assert.throws(() => Deno.statSync(options.folder!), Deno.errors.NotFound);
  });
});

/** 10^6 bytes of disk that files take, in blocks of 4096 bytes. */
function megabytes(folder: string): number {
  let bytes = 0;
  for (const path of Object.keys(contents(folder))) {
    bytes += 4096 * Math.ceil(Deno.statSync(join(folder, path)).size / 4096);
  }
  return bytes / 1e6;
}
