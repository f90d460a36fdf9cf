import assert from "node:assert/strict";
import {
  collectionGroups,
  type EpisodeData,
  EpisodeDataset,
  SequentialOrder,
  timeWindow,
  WeightedSampler,
} from "../../lib/datasets/mod.ts";
import { DatasetFeatures } from "../../lib/features/mod.ts";
import { openNpy, writeNpy } from "../../lib/formats/mod.ts";
import { type FeatureSource, type LoadedBatch, Loader } from "../../lib/training/loader/mod.ts";
import { memoryEpisode, tenths, ticks } from "../datasets/_episode.ts";
import { stubEpisode, stubExtractor } from "../features/_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

const ROW = 1026;

/** A sensor whose row r holds values that depend on episode, row and column. */
function sensorFile(path: string, rows: number, hz: number, salt: number): EpisodeData["sensor"] {
  const data = Float32Array.from({ length: rows * ROW }, (_, i) => salt * 1e6 + (i % 999983));
  writeNpy(path, { shape: [rows, ROW], data });
  const reader = openNpy(path, { dtype: "float32" });
  return { file: path, time: ticks(rows, hz), rows, readRowsInto: reader.readRowsInto };
}

/** Four data sets: sensors of 650 Hz and 100 Hz, one that begins late, none; 70 samples. */
function mixedEpisodes(folder: string): EpisodeData[] {
  const make = (
    path: string,
    count: number,
    sensor: EpisodeData["sensor"],
    segment?: Int32Array,
  ) => {
    const parts = {
      name: path,
      task: "red",
      actionTime: tenths(count),
      ...(segment && { segment }),
    };
    return { ...memoryEpisode(parts), path, sensor };
  };
  const fast = sensorFile(`${folder}/fast.npy`, 1300, 650, 1);
  const late = sensorFile(`${folder}/late.npy`, 200, 650, 3)!;
  const twoSegments = Int32Array.from({ length: 20 }, (_, a) => a < 9 ? 0 : 1);
  return [
    make("/data/New_dataset/red/fast", 20, fast, twoSegments),
    make("/data/part1/none", 25, null),
    make(
      "/data/White_silicone_white_circle/slow",
      15,
      sensorFile(`${folder}/slow.npy`, 150, 100, 2),
    ),
    make("/data/mine/late", 10, { ...late, time: late.time.map((t) => t + 0.45) }),
  ];
}

function withFolder(test: (folder: string) => Promise<void>): () => Promise<void> {
  return async () => {
    await test(temporaryFolder());
  };
}

/** Features whose values tell the sample; every third one is a token shorter. */
function fakeFeatures(tokens = 3, width = 4): FeatureSource {
  return {
    width,
    tokens,
    views: ["View1", "View5"],
    readBatch(indices) {
      const lengths = Array.from(indices, (index) => index % 3 === 0 ? tokens - 1 : tokens);
      const longest = Math.max(...lengths), size = indices.length;
      const values = new Float32Array(size * longest * width);
      const tokenMask = new Uint8Array(size * longest);
      lengths.forEach((length, b) => {
        values.fill(indices[b]! + 0.5, b * longest * width, (b * longest + length) * width);
        tokenMask.fill(1, b * longest, b * longest + length);
      });
      const viewMask = Uint8Array.from({ length: size * 2 }, (_, i) => i % 2);
      const imageAge = new Float64Array(size * 2);
      return Promise.resolve({ tokens: longest, values, tokenMask, viewMask, imageAge });
    },
  };
}

/** All that a batch holds, copied; times of waiting differ. */
function copy(batch: LoadedBatch): Record<string, unknown> {
  return { ...structuredClone({ ...batch }), waited: 0 };
}

async function collect(batches: AsyncIterable<LoadedBatch>): Promise<Record<string, unknown>[]> {
  const found = [];
  for await (const batch of batches) found.push(copy(batch));
  return found;
}

for (const prefetch of [0, 1, 3]) {
  Deno.test(
    `Loader: with ${prefetch} batches ahead, batches hold what the data set says`,
    withFolder(async (folder) => {
      const dataset = new EpisodeDataset(mixedEpisodes(folder));
      const groups = collectionGroups(dataset, { confidence: { part1: 0.5 } });
      const order = new WeightedSampler(groups, { seed: 3, multiple: 8 });
      using loader = new Loader(dataset, order, {
        ...{ batchSize: 8, groups, prefetch, features: fakeFeatures() },
      });
      let batches = 0, position = 0;
      for (const epoch of [0, 1]) {
        position = 0;
        for await (const batch of loader.batches(epoch)) {
          const expected = new Int32Array(8);
          order.read(epoch, position, expected);
          assert.deepEqual(batch.index, expected);
          const direct = dataset.readBatch(expected);
          for (const [name, values] of Object.entries(direct)) {
            assert.deepEqual(batch[name as keyof LoadedBatch], values, name);
          }
          for (let b = 0; b < 8; b++) {
            const { name, confidence } = groups[batch.group[b]!]!;
            const path = dataset.episodes[batch.episode[b]!]!.path;
            assert(path.includes(name === "others" ? "/mine/" : `/${name}/`), `${path} in ${name}`);
            assert.equal(batch.confidence[b], confidence);
            assert.equal(
              batch.hasSensor[b],
              batch.sensorMask.subarray(b * 65, b * 65 + 65).includes(1) ? 1 : 0,
            );
            const sample: number = expected[b]!, tokens: number = sample % 3 === 0 ? 2 : 3;
            const vision = [...batch.vision.subarray(b * 12, b * 12 + 12)];
            assert.deepEqual(
              vision,
              vision.map((_, i) => i < tokens * 4 ? sample + 0.5 : 0),
            );
            assert.deepEqual([...batch.visionMask.subarray(b * 3, b * 3 + 3)], [1, 1, tokens - 2]);
          }
          assert.deepEqual(batch.viewMask, Uint8Array.from({ length: 16 }, (_, i) => i % 2));
          position += 8, batches++;
          assert.deepEqual([batch.count, batch.position], [8, position]);
        }
        assert.equal(position, 64);
      }
      assert.equal(loader.metrics.batches, batches);
    }),
  );
}

Deno.test(
  "Loader: sensors of all rates, windows cut short, and none stand in one batch, masked",
  withFolder(async (folder) => {
    const dataset = new EpisodeDataset(mixedEpisodes(folder), { sensorMilliseconds: 1000 });
    const batchSize = dataset.length;
    using loader = new Loader(dataset, new SequentialOrder(dataset.length), { batchSize });
    const rows = timeWindow(1000, 650).rows;
    for await (const batch of loader.batches(0)) {
      const seen = { short: 0, slow: 0, none: 0 };
      for (let b = 0; b < batch.count; b++) {
        const mask = batch.sensorMask.subarray(b * rows, (b + 1) * rows);
        const recorded = mask.reduce((sum, m) => sum + m, 0);
        assert.deepEqual(
          mask,
          new Uint8Array(rows).fill(1, rows - recorded),
          "rows are at the new end",
        );
        const missing = batch.sensor.subarray(b * rows * ROW, (b * rows + rows - recorded) * ROW);
        assert(missing.every((value) => value === 0), "missing rows are zero");
        assert.equal(batch.hasSensor[b], recorded > 0 ? 1 : 0);
        const { sensor } = dataset.episodes[batch.episode[b]!]!;
        if (sensor === null) assert.equal(recorded, 0);
        else assert(recorded === 0 || batch.sensorAge[b]! >= 0, "nothing comes from the future");
        if (recorded === 0) seen.none++;
        else if (batch.episode[b] === 2) seen.slow++;
        else if (recorded < rows) seen.short++;
      }
      assert(seen.short > 0 && seen.slow > 0 && seen.none > 25, JSON.stringify(seen));
    }
  }),
);

Deno.test(
  "Loader: goes on at any position as if it had never stopped",
  withFolder(async (folder) => {
    const dataset = new EpisodeDataset(mixedEpisodes(folder));
    const groups = collectionGroups(dataset);
    const make = () => {
      const order = new WeightedSampler(groups, { seed: 9, multiple: 8, ranks: 2, rank: 1 });
      return new Loader(dataset, order, { batchSize: 4, groups, features: fakeFeatures() });
    };
    using loader = make();
    const whole = await collect(loader.batches(2));
    assert.equal(whole.length, 8);
    for (let done = 0; done <= whole.length; done++) {
      using resumed = make();
      const position = done === 0 ? 0 : whole[done - 1]!.position as number;
      assert.deepEqual(await collect(resumed.batches(2, position)), whole.slice(done));
    }
  }),
);

Deno.test(
  "Loader: the last batch is padded with nothing of the one before",
  withFolder(async (folder) => {
    const dataset = new EpisodeDataset(mixedEpisodes(folder));
    for (const ranks of [1, 3]) {
      const seen: number[] = [];
      for (let rank = 0; rank < ranks; rank++) {
        const order = new SequentialOrder(dataset.length, { ranks, rank });
        using loader = new Loader(dataset, order, {
          ...{ batchSize: 16, prefetch: 1, features: fakeFeatures() },
        });
        let last: Record<string, unknown> | undefined;
        for await (const batch of loader.batches(0)) {
          seen.push(...batch.index.subarray(0, batch.count));
          last = copy(batch);
        }
        const padding = { ...last } as unknown as LoadedBatch, { count } = padding;
        assert(count < 16, "the test is of a partial batch");
        const rest = <T extends { length: number; slice(from: number): T }>(
          values: T,
        ) => [...values.slice(values.length / 16 * count) as unknown as Iterable<unknown>];
        const { sensor, sensorMask, sensorRows, actions, actionMask, vision, visionMask } = padding;
        const { confidence, hasSensor, viewMask, proprioception, proprioceptionMask } = padding;
        const zeros = [sensor, actions, vision, confidence, proprioception];
        const masks = [sensorMask, actionMask, visionMask, hasSensor, viewMask, proprioceptionMask];
        for (const values of zeros) assert(rest(values).every((value) => value === 0));
        for (const values of masks) assert(rest(values).every((value) => value === 0));
        assert(rest(sensorRows).every((value) => value === 0));
        assert(rest(padding.index).every((value) => value === -1));
        assert(rest(padding.sensorAge).every((value) => Number.isNaN(value)));
      }
      const all = Array.from({ length: dataset.length }, (_, i) => i);
      assert.deepEqual(seen.sort((a, b) => a - b), all, `${ranks} ranks`);
    }
  }),
);

for (const prefetch of [0, 2]) {
  Deno.test(
    `Loader: with ${prefetch} batches ahead, a damaged file is named with episode and action`,
    withFolder(async (folder) => {
      const episodes = mixedEpisodes(folder);
      const dataset = new EpisodeDataset(episodes);
      const order = new SequentialOrder(dataset.length);
      const file = `${folder}/slow.npy`;
      using handle = Deno.openSync(file, { write: true });
      const { size } = handle.statSync();
      handle.truncateSync(size / 2);
      using loader = new Loader(dataset, order, { batchSize: 8, prefetch });
      let good = 0;
      const broken = async () => {
        for await (const _ of loader.batches(0)) good++;
      };
      await assert.rejects(broken(), (error: Error) => {
        assert(error instanceof SyntaxError, `${error}`);
        assert.match(error.message, /sample \d+ \(.*\/slow, action \d+\): Cannot read .*slow\.npy/);
        return true;
      });
      assert(good === 5 || good === 6, `${good} batches`); // the thread looks at the whole file first
      handle.truncateSync(size); // whole again, if with zeros: the loader goes on
      assert.equal((await collect(loader.batches(0))).length, 9);
    }),
  );
}

Deno.test("Loader: a feature shorter than the one before it keeps none of its tokens", async () => {
  const dataset = new EpisodeDataset([memoryEpisode()]);
  using loader = new Loader(dataset, new SequentialOrder(4), {
    ...{ batchSize: 1, prefetch: 0, features: fakeFeatures(3, 1) },
  });
  const seen: number[][] = [];
  for await (const { vision, visionMask } of loader.batches(0)) {
    seen.push([...vision, ...visionMask]);
  }
  assert.deepEqual(seen, [
    [0.5, 0.5, 0, 1, 1, 0],
    [1.5, 1.5, 1.5, 1, 1, 1],
    [2.5, 2.5, 2.5, 1, 1, 1],
    [3.5, 3.5, 0, 1, 1, 0],
  ]);
});

Deno.test(
  "Loader: features that are missing come out as they are",
  withFolder(async (folder) => {
    const dataset = new EpisodeDataset(mixedEpisodes(folder));
    const readBatch = () => Promise.reject(new RangeError("no feature of step 3"));
    const features = { ...fakeFeatures(), readBatch };
    using loader = new Loader(dataset, new SequentialOrder(8), { batchSize: 4, features });
    await assert.rejects(loader.batches(0).next(), /no feature of step 3/);
    await assert.rejects(loader.batches(0).next(), /no feature of step 3/);
  }),
);

Deno.test(
  "Loader: stops by signal, by leaving the loop, and when closed",
  withFolder(async (folder) => {
    const dataset = new EpisodeDataset(mixedEpisodes(folder));
    const order = new SequentialOrder(dataset.length);
    const controller = new AbortController();
    const { signal } = controller;
    using loader = new Loader(dataset, order, { batchSize: 4, signal });
    for (let i = 0; i < 3; i++) {
      for await (const batch of loader.batches(0)) { // leaving gives the memory back each time
        assert.equal(batch.index[0], 0);
        break;
      }
    }
    const open = loader.batches(0);
    await open.next();
    await assert.rejects(loader.batches(1).next(), /idle, current value is loading/);
    controller.abort();
    await assert.rejects(open.next(), { name: "AbortError" });
    loader.close();
    loader.close();
    await assert.rejects(loader.batches(0).next(), /closed/);

    const other = new Loader(dataset, order, { batchSize: 4 });
    const batches = other.batches(0);
    await batches.next();
    other.close(); // in the middle
    await assert.rejects(async () => {
      for await (const _ of batches);
    }, /was closed/);
  }),
);

Deno.test("Loader: refuses options and positions out of range", async () => {
  const dataset = new EpisodeDataset([memoryEpisode()]);
  const order = new SequentialOrder(dataset.length);
  for (const bad of [{ batchSize: 0 }, { batchSize: 1.5 }, { batchSize: 2, prefetch: -1 }]) {
    assert.throws(() => new Loader(dataset, order, bad), RangeError, JSON.stringify(bad));
  }
  using loader = new Loader(dataset, order, { batchSize: 3 });
  await assert.rejects(loader.batches(0, 21).next(), RangeError);
  await assert.rejects(loader.batches(-1).next(), RangeError);
  assert.equal((await loader.batches(0, 20).next()).done, true);
});

Deno.test("Loader: without a sensor window and without robot states their arrays are empty", async () => {
  const dataset = new EpisodeDataset([memoryEpisode()], {
    sensorMilliseconds: null,
    proprioceptionMilliseconds: null,
  });
  using loader = new Loader(dataset, new SequentialOrder(dataset.length), { batchSize: 8 });
  for await (const { sensor, hasSensor, vision, proprioception, confidence } of loader.batches(0)) {
    assert.deepEqual([sensor.length, vision.length, proprioception.length], [0, 0, 0]);
    assert(!hasSensor.includes(1) && confidence[0] === 1);
  }
});

/** Two episodes of two segments each; a frame comes 10 ms before each action, the sensor at 650 Hz. */
function tellingEpisodes(folder: string): EpisodeData[] {
  return [[7, 10], [11, 1]].map(([first, second], e): EpisodeData => {
    const steps = first! + second!, path = `${folder}/${e}`;
    Deno.mkdirSync(path);
    const times = Array.from({ length: steps }, (_, k) => k / 10 - 0.01);
    const segment = Int32Array.from({ length: steps }, (_, k) => k < first! ? 0 : 1);
    const { sensor } = memoryEpisode({ sensorTime: ticks(65 * steps, 650) }); // row r holds r
    return { ...stubEpisode({ path, steps, segment, frames: { View1: times } }), sensor };
  });
}

/** Features that tell episode and frame of the image that they were made of. */
function tellingExtractor(made: string[]) {
  return stubExtractor({
    norm: [1e-6, 1e4],
    width: 4,
    extract: (requests) =>
      Promise.resolve(requests.map(({ views: [view] }) => {
        const { image } = view!;
        const text = typeof image === "string"
          ? Deno.readTextFileSync(image)
          : new TextDecoder().decode(image!);
        made.push(text);
        const [, episode, frame] = /(\d+) View1 (\d+)$/.exec(text)!;
        const values = Float32Array.of(Number(episode) + 1, Number(frame) + 1, 1, 1);
        return { tokens: 1, visualTokens: 1, values };
      })),
  });
}

for (const [visionReuse, visionDelay] of [[1, 0], [3, 0], [4, 0], [3, 2], [30, 1]] as const) {
  Deno.test(
    `Loader: with reuse ${visionReuse} and delay ${visionDelay} a sample has the feature of its own past`,
    withFolder(async (folder) => {
      const options = { visionReuse, visionDelay };
      const dataset = new EpisodeDataset(tellingEpisodes(folder), options);
      const made: string[] = [];
      using features = await DatasetFeatures.open(
        dataset,
        tellingExtractor(made),
        `${folder}/cache`,
        {
          mode: "readwrite",
        },
      );
      const { samples } = dataset;
      const shuffled = new WeightedSampler(collectionGroups(dataset), { seed: 5, multiple: 1 });
      const orders = [new SequentialOrder(dataset.length), shuffled];
      for (const order of orders) {
        using loader = new Loader(dataset, order, { batchSize: 8, features });
        const steps = new Map<number, number>();
        let last = -1;
        for await (const batch of loader.batches(0)) {
          for (let b = 0; b < batch.count; b++) {
            const index = batch.index[b]!, action = samples.action[index]!;
            const [episode, frame] = batch.vision.subarray(4 * b, 4 * b + 2);
            const seen = frame! - 1, age = action - seen, reuse = batch.reuse[b]!;
            assert.equal(episode! - 1, samples.episode[index], "of its own trajectory");
            assert(seen <= action, "not of the future");
            assert(seen >= samples.segmentStart[index]!, "not of another segment");
            assert(age < visionReuse + visionDelay, "no older than the model allows");
            assert.equal(reuse, Math.max(0, age - visionDelay));
            assert.equal((seen - samples.segmentStart[index]!) % visionReuse, 0);
            steps.set(reuse, (steps.get(reuse) ?? 0) + 1);
            // However old the feature, the sensor's window ends at the sample's own time.
            const newest = batch.sensor[(b + 1) * 65 * ROW - 1]!;
            assert.equal(newest, 65 * action, "successive windows");
          }
          for (let b = batch.count; b < 8; b++) {
            assert.deepEqual([batch.reuse[b], batch.vision[4 * b], batch.index[b]], [0, 0, -1]);
          }
          last = batch.count;
        }
        assert.equal(last, 29 % 8, "the last batch is smaller");
        assert.equal([...steps.values()].reduce((sum, n) => sum + n, 0), 29);
        if (visionReuse <= 4) {
          assert.deepEqual([...steps.keys()].sort(), [...Array(visionReuse).keys()], "every step");
        }
      }
      const looks = new Set(
        Array.from(
          { length: 29 },
          (_, i) => `${samples.episode[i]} ${dataset.observationAction(i)}`,
        ),
      );
      assert.equal(new Set(made).size, looks.size, "the model sees these looks and no others");
    }),
  );
}
