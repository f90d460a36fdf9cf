import assert from "node:assert/strict";
import fc from "fast-check";
import { EpisodeDataset, observationAction } from "../../lib/datasets/mod.ts";
import { observations } from "../../lib/features/mod.ts";
import { stubEpisode } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

Deno.test("observations are those an EpisodeDataset asks for, with its frames and ages", () => {
  const folder = temporaryFolder();
  const times = fc.uniqueArray(fc.integer({ min: -10, max: 40 }), { minLength: 1, maxLength: 30 })
    .map((list) => list.sort((a, b) => a - b).map((k) => k / 20 + 0.001));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      times,
      times,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      (reuse, first, second, lengths) => {
        const segment = Int32Array.from(lengths.flatMap((n, s) => new Array<number>(n).fill(s)));
        const episode = stubEpisode({
          path: folder,
          steps: segment.length,
          frames: { View1_left: first, View5: second },
          segment,
        });
        const dataset = new EpisodeDataset([episode], { visionReuse: reuse });
        const found = observations(episode, ["View1", "View5"], { reuse, maxAge: 1e6 });
        const byStep = new Map(found.map((each) => [each.step, each]));
        const used = new Set<number>();
        for (let index = 0; index < dataset.length; index++) {
          const observation = byStep.get(observationAction(dataset.samples, index, reuse))!;
          used.add(observation.step);
          const { image, imageIndex, imageAge } = dataset.readBatch([index]);
          assert.deepEqual(observation.images, image);
          assert.deepEqual(observation.frames, [...imageIndex]);
          const waited = dataset.time(index) - observation.time;
          observation.ages.forEach((age, v) => {
            assert(Number.isNaN(age) === Number.isNaN(imageAge[v]!));
            assert(!(Math.abs(age + waited - imageAge[v]!) > 1e-12));
            assert(!(age < 0), "an image of the future");
          });
        }
        assert.equal(used.size, found.length);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("observations: the image index counts images, not robot rows (1755 rows, 105 images)", () => {
  // 100 Hz for 17.55 s, images at 6 Hz: the Python reference took image min(10·step, 104).
  const frames = { View1: Array.from({ length: 105 }, (_, k) => k / 6) };
  const episode = stubEpisode({ steps: 174, frames });
  const found = observations(episode, ["View1"], { reuse: 3 });
  assert.equal(found.length, 58);
  assert.equal(new Set(found.map(({ frames }) => frames[0])).size, 58);
  for (const { step, frames: [frame] } of found) assert.equal(frame, Math.floor(step * 0.6 + 1e-9));
});

Deno.test("observations: an image older than the limit is none", () => {
  const episode = stubEpisode({ steps: 40, frames: { View1: [0, 0.1] } });
  const found = observations(episode, ["View1"]);
  assert.equal(found.findIndex(({ frames }) => frames[0] === -1), 22); // 2.2 s − 0.1 s > 2 s
  assert.deepEqual(found[30]!.images, [null]);
  assert(Number.isNaN(found[30]!.ages[0]));
  const strict = observations(episode, ["View1"], { maxAge: 0.15 });
  assert.equal(strict.findIndex(({ frames }) => frames[0] === -1), 3);
  for (const maxAge of [0, -1, NaN, Infinity]) {
    assert.throws(() => observations(episode, ["View1"], { maxAge }), RangeError);
  }
  for (const reuse of [0, 1.5, NaN]) {
    assert.throws(() => observations(episode, ["View1"], { reuse }), RangeError);
  }
});
