import assert from "node:assert/strict";
import { join } from "node:path";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { startEngine } from "../../lib/engine/mod.ts";
import { Calls } from "../../lib/features/_calls.ts";
import { requestOf } from "../../lib/features/cache/_request.ts";
import {
  buildFeatures,
  DatasetFeatures,
  extractorDigest,
  type FeatureExtractor,
  FeatureStore,
  measureLatency,
  pixel2048,
  planFeatures,
  qwenFeatures,
  qwenSettings,
} from "../../lib/features/mod.ts";
import { runModel } from "../../lib/programs/run_model.ts";
import { decodePicture, TAPS } from "../../lib/vision_language/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { copyModel, copySingle, editJson, MODEL } from "../vision_language/_folder.ts";
import { ENGINE, pictureEpisode, tinyFeatures } from "./_qwen.ts";
import { stubExtractor } from "./_stub.ts";

const WIDTH = 48;
await startEngine({ engine: ENGINE, quiet: true });
// What is remembered of models goes where it is removed again.
Deno.env.set("TROCAR_CACHE", temporaryFolder());

async function requestsOf(extractor: FeatureExtractor, steps = 6) {
  const folder = temporaryFolder(), path = temporaryFolder();
  const plan = await planFeatures([await pictureEpisode({ path, steps })], extractor, folder);
  const { episode, observations } = plan.episodes[0]!;
  const requests = observations.map((observation) => requestOf(extractor, episode, observation));
  return { plan, requests };
}

/** One for several tests: each shape is compiled once. */
using tiny = await tinyFeatures();

Deno.test("features of Qwen2.5-VL are the pooled states of the published prompt", async () => {
  for (const tap of TAPS) {
    using extractor = tap === "mean" ? undefined : await tinyFeatures({ tap });
    const { requests } = await requestsOf(tiny, tap === "mean" ? 4 : 1);
    assert.equal(requests[0]!.views[1]!.image, null);
    const features = await (extractor ?? tiny).extract(requests);
    const model = await (extractor ?? tiny).load();
    for (const [i, { views, instruction }] of requests.entries()) {
      const files = views.flatMap(({ image }) => image === null ? [] : [image]);
      const pictures = await Promise.all(files.map((file) => decodePicture(file)));
      const prompt = model.prompt(pictures, instruction);
      const [expected] = await model.features([prompt], tap);
      const { tokens, visualTokens, values } = features[i]!;
      assert.deepEqual(values, expected);
      assert.equal(await tiny.cost(requests[i]!), prompt.ids.length);
      const patches = prompt.images.reduce((sum, { grid }) => sum + grid.height * grid.width, 0);
      assert.deepEqual([tokens, visualTokens, values.length], [1, patches / 4, WIDTH]);
    }
  }
});

Deno.test("the key of a feature changes with the model's bits and settings, and with nothing else", async () => {
  const digest = async (options: Parameters<typeof tinyFeatures>[0] = {}) => {
    using extractor = await tinyFeatures(options);
    return extractorDigest(extractor);
  };
  const shard = "model-00001-of-00002.safetensors";
  const flipped = copyModel(), otherText = copyModel(), otherMean = copyModel();
  const bytes = Deno.readFileSync(join(flipped, shard));
  bytes[bytes.length - 3]! ^= 1;
  Deno.writeFileSync(join(flipped, shard), bytes);
  editJson(otherText, "tokenizer.json", (value) => ({ ...value, version: "other" }));
  editJson(otherMean, "preprocessor_config.json", (value) => ({ ...value, image_mean: [0, 0, 0] }));
  const own = await digest();
  assert.equal(await digest({ model: copyModel() }), own);
  assert.equal(await digest({ together: 3 }), own);
  const others = [
    await digest({ model: flipped }),
    await digest({ model: otherText }),
    await digest({ model: otherMean }),
    await digest({ model: copySingle() }),
    await digest({ tap: "last-token" }),
    await digest({ tap: "image-mean" }),
    await digest({ maxPixels: 6272 }),
    await digest({ minPixels: 6272 }),
    await digest({ views: ["View2", "View1"] }),
    await digest({ adapter: { digest: "a", changes: () => ({}) } }),
    await digest({ model: undefined, random: "tiny" } as never),
  ];
  assert.equal(new Set([own, ...others]).size, others.length + 1);
});

Deno.test("an extractor can be made again of its identity", async () => {
  using extractor = await tinyFeatures({ tap: "image-mean", minPixels: 3136, maxPixels: 6272 });
  using again = await qwenFeatures({ model: MODEL, ...qwenSettings(extractor.identity) });
  assert.deepEqual(again.identity, extractor.identity);
  assert.throws(() => qwenSettings(pixel2048().identity), /taps and pixel limits/);
});

Deno.test("weights are digested once; what changed is digested again, and refused half-way", async () => {
  const model = copyModel(), shard = join(model, "model-00002-of-00002.safetensors");
  const read: string[] = [];
  const open = () => tinyFeatures({ model, onProgress: (line) => void read.push(line) });
  using first = await open();
  assert.equal(read.length, 2);
  using _ = await open();
  // Files younger than 2 s may change again within a tick of the clock: they are not believed.
  assert.equal(read.length, 4);
  await new Promise((resume) => setTimeout(resume, 2100));
  using _third = await open();
  using _fourth = await open();
  assert.equal(read.length, 6);
  const bytes = Deno.readFileSync(shard);
  bytes[bytes.length - 1]! ^= 1;
  Deno.writeFileSync(shard, bytes);
  using changed = await open();
  assert.equal(read.length, 7);
  assert.notEqual(changed.identity.revision, first.identity.revision);
  await assert.rejects(first.load(), /its files should have the digest.*have changed since/);
  assert.equal((await changed.load()).config.text.hiddenSize, WIDTH);
});

Deno.test("options that make no sense are refused", async () => {
  await assert.rejects(tinyFeatures({ views: ["View1", "View1"] }), /"View1" twice/);
  await assert.rejects(tinyFeatures({ views: [] }), /one view or more/);
  await assert.rejects(tinyFeatures({ together: 0 }), /positive integer/);
  await assert.rejects(tinyFeatures({ minPixels: 6272, maxPixels: 3136 }), /6272 and 3136/);
  await assert.rejects(tinyFeatures({ random: "tiny" }), /--random-weights.*both/);
});

Deno.test("a view is brought to at most 230400 pixels, unless the model or the caller says otherwise", async () => {
  const large = copyModel();
  editJson(large, "preprocessor_config.json", (value) => ({ ...value, max_pixels: 12_845_056 }));
  using usual = await tinyFeatures({ model: large });
  assert.deepEqual([usual.processor.minPixels, usual.processor.maxPixels], [3136, 230_400]);
  using own = await tinyFeatures();
  assert.equal(own.processor.maxPixels, 12_544);
  using asked = await tinyFeatures({ maxPixels: 1_000_000 });
  assert.equal(asked.processor.maxPixels, 1_000_000);
});

Deno.test("groups that are computed together do not depend on who builds what", async () => {
  using extractor = await tinyFeatures({ together: 3 });
  const { plan, requests } = await requestsOf(extractor, 11);
  const contents = async (work: (store: FeatureStore, folder: string) => Promise<unknown>) => {
    const folder = temporaryFolder();
    using store = await FeatureStore.openForWriting(folder);
    await work(store, folder);
    return new Map(
      [...store.keys()].sort().map((key) => [key, store.read(key, extractor)!.values]),
    );
  };
  const whole = await contents((store, folder) => buildFeatures({ ...plan, folder }, store));
  assert.equal(whole.size, 11);
  for (const [i, { values }] of (await tiny.extract(requests)).entries()) {
    const found = whole.get(plan.episodes[0]!.observations[i]!.key)!;
    values.forEach((value, k) =>
      assert(Math.abs(value - found[k]!) < 0.02 + 0.02 * Math.abs(value))
    );
  }
  const parts = await contents(async (store, folder) => {
    for (const index of [2, 0, 1]) {
      await buildFeatures({ ...plan, folder }, store, { share: { index, count: 3 }, batch: 4 });
    }
  });
  assert.deepEqual(parts, whole);
  const rest = await contents(async (store, folder) => {
    // Of a group some are there already, as after a quarantine.
    const { key } = plan.items[4]!;
    const feature = { tokens: 1, visualTokens: 1, values: Float32Array.from(whole.get(key)!) };
    store.write([{ key, feature }], extractor);
    const { built, hit } = await buildFeatures({ ...plan, folder }, store, { batch: 1 });
    assert.deepEqual([built, hit], [10, 1]);
  });
  assert.deepEqual(rest, whole);
});

Deno.test("a picture that cannot be decoded fails its own feature alone", async () => {
  const path = temporaryFolder(), folder = temporaryFolder();
  const episode = await pictureEpisode({ path, steps: 5 });
  Deno.writeTextFileSync(`${path}/View1_3.jpg`, "no picture");
  const plan = await planFeatures([episode], tiny, folder);
  using store = await FeatureStore.openForWriting(folder);
  const { built, failed, failures } = await buildFeatures(plan, store);
  assert.deepEqual([built, failed, failures[0]!.step], [4, 1, 3]);
  assert.match(failures[0]!.message, /View1_3\.jpg/);
});

Deno.test("the next prompt's images are begun before this one is computed, and fail when it is their turn", async () => {
  using extractor = await tinyFeatures();
  const { requests } = await requestsOf(extractor, 4);
  const expected = await tiny.extract(requests);
  const events: string[] = [];
  const model = await extractor.load(), compute = model.features.bind(model);
  const begin = extractor.prompt.bind(extractor);
  extractor.prompt = (request, decoded) => {
    events.push(`images ${request.origin!.step}`);
    return begin(request, decoded);
  };
  model.features = (prompts, tap) => {
    events.push("compute");
    return compute(prompts, tap);
  };
  assert.deepEqual(await extractor.extract(requests), expected);
  const order = ["images 0", "images 1", "compute", "images 2", "compute", "images 3", "compute"];
  assert.deepEqual(events, [...order, "compute"]);
  events.length = 0;
  const damaged = { ...requests[2]!, views: requests[2]!.views.map((view) => ({ ...view })) };
  damaged.views[0]!.image = new Uint8Array(9);
  const some = [requests[0]!, requests[1]!, damaged, requests[3]!];
  await assert.rejects(extractor.extract(some), /Cannot decode the image of View1/);
  assert.equal(events.filter((event) => event === "compute").length, 2);
});

Deno.test("a data set carries the model's width; live features are those of the cache", async () => {
  const folder = temporaryFolder();
  const episode = await pictureEpisode({ path: temporaryFolder(), steps: 5 });
  const dataset = new EpisodeDataset([episode]);
  const read = async (mode: "off" | "readwrite" | "strict") => {
    using features = await DatasetFeatures.open(dataset, tiny, folder, { mode });
    assert.equal(features.width, WIDTH);
    const { values, tokens, viewMask } = await features.readBatch([0, 1, 2, 3, 4]);
    assert.deepEqual([values.length, tokens], [5 * WIDTH, 1]);
    assert.deepEqual([...viewMask.subarray(0, 4)], [1, 0, 1, 1]);
    return values;
  };
  await assert.rejects(read("strict"), /--features qwen2\.5-vl-3b --model .*--max-pixels 12544/);
  const made = await read("readwrite"), live = await read("off"), stored = await read("strict");
  assert.deepEqual(made, live);
  assert.deepEqual(stored, Float32Array.from(Float16Array.from(live)));
});

Deno.test("measureLatency measures one feature at a time; the reuse count is rounded up", async () => {
  const sizes: number[] = [];
  const stub = stubExtractor();
  const slow: FeatureExtractor = {
    ...stub,
    extract: async (requests) => {
      sizes.push(requests.length);
      await new Promise((resume) => setTimeout(resume, sizes.length === 1 ? 500 : 110));
      return await stub.extract(requests);
    },
  };
  const request = { views: [{ name: "View1", image: null }], instruction: "Insert" };
  const { runs, p50, p95, planned, reuse } = await measureLatency(slow, [request], { runs: 3 });
  assert.deepEqual(sizes, [1, 1, 1, 1]);
  assert(runs === 3 && p50 >= 109 && p95 >= p50 && Math.abs(planned - 1.1 * p95) < 1e-9);
  assert.equal(reuse, Math.ceil(planned / 100));
  assert(reuse >= 2);
  await assert.rejects(measureLatency(stub, []), /a request/);
});

Deno.test("calls that run out of memory are made smaller, and stay so", async () => {
  const calls = new Calls(8), sizes: number[] = [];
  const work = (items: readonly number[]) => {
    sizes.push(items.length);
    if (items.length > 3) {
      return Promise.reject(Object.assign(new Error("no memory"), { code: 8 }));
    }
    return Promise.resolve(items.map((item) => 2 * item));
  };
  const items = Array.from({ length: 10 }, (_, i) => i);
  assert.deepEqual(await calls.map(items, work), items.map((item) => 2 * item));
  assert.deepEqual([sizes, calls.size], [[8, 4, 2, 2, 2, 2, 2], 2]);
  await calls.map([1, 2, 3], work);
  assert.deepEqual(sizes.slice(7), [2, 1]);
  const never = () => Promise.reject(new Error("OOM when allocating tensor"));
  await assert.rejects(new Calls(4).map(items, never), /OOM/);
  const other = () => Promise.reject(new SyntaxError("damaged"));
  await assert.rejects(new Calls(4).map(items, other), /damaged/);
});

Deno.test("a model that is named replaces the random one of a run", async () => {
  const run = temporaryFolder();
  const notes = { flags: { randomWeights: "tiny" } };
  Deno.writeTextFileSync(
    join(run, "config.json"),
    JSON.stringify({ format: "trocar run", version: 1, program: "stage2", settings: {}, notes }),
  );
  assert.deepEqual(runModel(run), { random: "tiny" });
  assert.deepEqual(runModel(run, { engine: ENGINE }), { random: "tiny", engine: ENGINE });
  const options = runModel(run, { model: MODEL, engine: ENGINE });
  assert.deepEqual(options, { model: MODEL, engine: ENGINE });
  using extractor = await qwenFeatures(options);
  assert.equal(extractor.folder, MODEL);
  assert.deepEqual(runModel(null, { model: MODEL }), { model: MODEL });
});
