import assert from "node:assert/strict";
import sharp from "sharp";
import { ensureDemonstration } from "../../lib/demonstration/mod.ts";
import { openEpisode } from "../../lib/episodes/mod.ts";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { jpegFeatures } from "../../lib/evaluation/closed_loop/_jpeg_features.ts";
import { ObservedScenes } from "../../lib/evaluation/closed_loop/_observe_scenes.ts";
import { DatasetFeatures, pixel2048 } from "../../lib/features/mod.ts";
import { createClosedLoop, expertVelocity, sampleScene } from "../../lib/phantom/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

Deno.test("frames compressed together are as the extractor sees them one by one", async () => {
  for (const quality of [75, 90]) {
    for (const seed of [9000, 9003]) {
      const { frames } = createClosedLoop(sampleScene(seed)).observe();
      const found = frames.map(() => new Float32Array(384));
      await jpegFeatures(frames, 128, quality, (i) => found[i]!);
      const views = await Promise.all(frames.map(async (frame, v) => {
        const raw = { width: 128, height: 72, channels: 3 as const };
        const rounded = Uint8Array.from(frame, (value) => value + 0.5);
        const picture = sharp(rounded, { raw }).jpeg({ quality, optimiseCoding: false });
        return { name: `View${v + 1}`, image: new Uint8Array(await picture.toBuffer()) };
      }));
      const [feature] = await pixel2048().extract([{ views, instruction: "" }]);
      let most = 0, squares = 0;
      found.forEach((values, v) =>
        values.forEach((value, i) => {
          const difference = value - feature!.values[384 * v + i]!;
          most = Math.max(most, Math.abs(difference));
          squares += difference ** 2;
        })
      );
      // Compression itself moves the means by 0.005 (quality 90) to 0.008 (75), root mean square.
      assert(most < 0.005, `largest difference ${most}`);
      assert(Math.sqrt(squares / 1920) < 2e-4, `root mean square ${Math.sqrt(squares / 1920)}`);
    }
  }
});

Deno.test("more frames than one picture can hold go through several", async () => {
  const { frames } = createClosedLoop(sampleScene(9000)).observe();
  const many = Array.from({ length: 700 }, (_, i) => frames[i % 5]!); // 682 fit into 65,535 rows
  const found = many.map(() => new Float32Array(384));
  await jpegFeatures(many, 128, 90, (i) => found[i]!);
  assert.deepEqual(found[699], found[4]);
  assert.deepEqual(found[680], found[0]);
});

Deno.test("what a policy sees in closed loop is what the demonstration's samples hold", async () => {
  const root = temporaryFolder();
  const options = { folder: `${root}/data`, features: `${root}/features` };
  const { train } = await ensureDemonstration({ ...options, trainEpisodes: 1, valEpisodes: 0 });
  using episode = openEpisode(train[0]!.path);
  const dataset = new EpisodeDataset([episode], { proprioceptionMilliseconds: null });
  using features = await DatasetFeatures.open(dataset, pixel2048(), options.features);
  const run = createClosedLoop(sampleScene(1000)); // the same scene, and the same process noise
  const scenes = new ObservedScenes([run], 90);
  const startTime = 1761760000 + 60 * 1000;
  const differences = { vision: 0, force: 0, line: 0 };
  let views = 0;
  const count = 14; // the first push comes after 1.4 s
  for (let k = 0; k < count; k++) {
    const index = k; // actions start every 0.1 s
    assert(Math.abs(dataset.time(index) - startTime - k / 10) < 0.02, "the sample's time");
    const seen = await scenes.observe();
    const batch = dataset.readBatch([index]);
    const { values } = await features.readBatch([index]);
    assert.equal(values[1920], 1);
    assert.deepEqual(values.slice(1920), seen.vision.slice(1920));
    assert.equal(batch.instruction[0], seen.instructions[0]);
    assert.equal(batch.sensorRows[0], 65);
    for (let view = 0; view < 5; view++) {
      // Stamps wander by ms, so that now and then the next frame is the newest.
      if (Math.abs(batch.imageAge[view]! - seen.frameAge[view]!) > 0.05) continue;
      views++;
      const brightness = (of: Float32Array) =>
        of.slice(384 * view, 384 * (view + 1)).map((value) => value + 1);
      const ours = brightness(seen.vision), theirs = brightness(values);
      // Each frame flickers by 1 %, drawn anew: the best factor between the two is taken out.
      const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
      const gain = dot(ours, theirs) / dot(ours, ours);
      assert(Math.abs(gain - 1) < 0.06, `gain ${gain}`);
      theirs.forEach((value, i) => differences.vision += (value - gain * ours[i]!) ** 2);
    }
    for (let i = 0; i < seen.sensor.length; i++) {
      const difference = (batch.sensor[i]! - seen.sensor[i]!) / 65 / count;
      if (i % 1026 === 0) differences.force += difference;
      else differences.line += difference / 1025;
    }
    for (let step = 0; step < 10; step++) {
      run.step(expertVelocity(run.scene, run.pose, run.isPunctured));
    }
  }
  assert(views > 60, `${views} of 70 frames are the same`);
  const vision = Math.sqrt(differences.vision / views / 384);
  assert(vision < 0.006, `vision ${vision}`); // compression alone: 0.005
  // The noise of 910 rows averages out.
  assert(Math.abs(differences.force) < 0.002, `force ${differences.force} N`);
  assert(Math.abs(differences.line) < 0.1, `A-line ${differences.line}`);
});
