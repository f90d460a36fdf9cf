import assert from "node:assert/strict";
import {
  buildFeatures,
  FeatureStore,
  missingFeatures,
  partOf,
  planFeatures,
  shareOfTfConfig,
  verifyFeatures,
  writeCacheSettings,
} from "../../lib/features/cache/mod.ts";
import type { FeatureExtractor } from "../../lib/features/mod.ts";
import { stubEpisode, stubExtractor, stubFeature } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

async function build(
  folder: string,
  steps = 20,
  extractor: FeatureExtractor = stubExtractor(),
  options: Parameters<typeof buildFeatures>[2] = {},
) {
  const plan = await planFeatures([stubEpisode({ steps, path: images })], extractor, folder);
  using store = await FeatureStore.openForWriting(folder);
  return { plan, report: await buildFeatures(plan, store, options) };
}
const images = temporaryFolder();

Deno.test("build: makes what is missing, once, and says how much", async () => {
  const folder = temporaryFolder();
  const told: string[] = [];
  const { plan, report } = await build(folder, 20, stubExtractor(), {
    batch: 8,
    onStored: (keys) => told.push(...keys),
  });
  const { planned, hit, built, failed, quarantined, bytes } = report;
  assert.deepEqual([planned, hit, built, failed, quarantined], [20, 0, 20, 0, 0]);
  assert.equal(bytes, 20 * (64 + 4 * 64));
  assert.deepEqual(told.toSorted(), plan.items.map(({ key }) => key).toSorted());
  const again = (await build(folder, 25)).report;
  assert.deepEqual([again.planned, again.hit, again.built, again.bytes], [25, 20, 5, 5 * 320]);
});

Deno.test("build: the index says frames, ages, images and keys of each step", async () => {
  const folder = temporaryFolder();
  const { plan } = await build(folder, 3);
  const [entry, ...rest] = [...Deno.readDirSync(`${folder}/index`)];
  assert.equal(rest.length, 0);
  const lines = Deno.readTextFileSync(`${folder}/index/${entry!.name}`).trimEnd().split("\n")
    .map((line) => JSON.parse(line));
  const { format, episode, reuse, extractor, observations } = lines[0];
  assert.deepEqual([format, reuse, observations], ["trocar feature index", 1, 3]);
  assert.deepEqual([episode.path, episode.task, extractor.model], [images, "red", "stub"]);
  const { step, time, frames, ages, key } = lines[2];
  assert.deepEqual([step, time, frames, key], [1, 0.1, [1], plan.items[1]!.key]);
  assert(Math.abs(ages[0] - 0.05) < 1e-12);
});

Deno.test("build: one feature that fails does not take the others with it", async () => {
  const folder = temporaryFolder();
  let calls = 0;
  const failing = stubExtractor({
    extract: (requests) => {
      calls++;
      return Promise.resolve(requests.map((request) => {
        const text = new TextDecoder().decode(request.views[0]!.image as Uint8Array);
        if (text.endsWith(" 4")) throw new SyntaxError("Cannot decode it: damaged.");
        const feature = stubFeature(request, 64);
        if (text.endsWith(" 5")) feature.values[7] = NaN;
        return text.endsWith(" 6") ? { ...feature, visualTokens: 0 } : feature;
      }));
    },
  });
  const { report } = await build(folder, 10, failing);
  assert.deepEqual([report.planned, report.built, report.failed], [10, 7, 3]);
  assert.deepEqual(report.failures.map(({ episode, step }) => [episode, step]).toSorted(), [
    [images, 4],
    [images, 5],
    [images, 6],
  ]);
  const messages = report.failures.toSorted((a, b) => a.step - b.step).map(({ message }) =>
    message
  );
  assert.match(messages[0]!, /damaged/);
  assert.match(messages[1]!, /value 7 should be finite in float32, current value is NaN/);
  assert.match(messages[2]!, /visual tokens, current value is 0/);
  assert.equal(calls, 1 + 10); // together, then one by one
  assert.equal((await build(folder, 10)).report.built, 3);
});

Deno.test("build: an image that changes between plan and build is not stored under the old key", async () => {
  const folder = temporaryFolder(), path = temporaryFolder();
  const plan = await planFeatures([stubEpisode({ path, steps: 3 })], stubExtractor(), folder);
  Deno.writeTextFileSync(`${path}/View1_1.jpg`, "another");
  using store = await FeatureStore.openForWriting(folder);
  const { built, failures } = await buildFeatures(plan, store);
  assert.equal(built, 2);
  assert.match(failures[0]!.message, /View1_1\.jpg: it has changed since the plan/);
});

Deno.test("build: does not begin what would not fit, and evicts nothing", async () => {
  const folder = temporaryFolder();
  await build(folder, 10);
  const used = 16 + 10 * 320;
  writeCacheSettings(folder, { limitBytes: used + 10 * 320 - 1 });
  await assert.rejects(build(folder, 20), /they need 3\.20 kB.*cache:gc.*--limit-gb/);
  assert.equal((await build(folder, 19)).report.built, 9);
  assert.equal((await build(folder, 19)).report.hit, 19);
});

Deno.test("build: the parts of any number of processes are the whole, each feature in one", async () => {
  const folder = temporaryFolder();
  const plan = await planFeatures(
    [stubEpisode({ steps: 23, path: images })],
    stubExtractor(),
    folder,
  );
  using store = await FeatureStore.openForWriting(folder);
  for (const count of [1, 2, 5, 23, 40]) {
    const parts = Array.from(
      { length: count },
      (_, index) => missingFeatures(plan, store, { index, count }).missing.map(({ key }) => key),
    );
    assert.deepEqual(parts.flat(), plan.items.map(({ key }) => key));
    const lengths = parts.map(({ length }) => length);
    assert(Math.max(...lengths) - Math.min(...lengths) <= 1, lengths.join());
  }
  const reports = [];
  for (let index = 0; index < 3; index++) {
    reports.push(await buildFeatures(plan, store, { share: { index, count: 3 } }));
  }
  assert.deepEqual(reports.map(({ planned, built }) => [planned, built]), [[8, 8], [7, 7], [8, 8]]);
  assert.equal(missingFeatures(plan, store).missing.length, 0);
});

Deno.test("share: TF_CONFIG with a chief counts it first; without a cluster there is none", () => {
  const config = (cluster: unknown, task: unknown) => JSON.stringify({ cluster, task });
  const workers = { worker: ["a", "b"] };
  assert.deepEqual(shareOfTfConfig(config(workers, { type: "worker", index: 1 })), {
    index: 1,
    count: 2,
  });
  assert.deepEqual(
    shareOfTfConfig(config({ chief: ["c"], ...workers }, { type: "chief", index: 0 })),
    { index: 0, count: 3 },
  );
  for (const none of [undefined, "", "{}", '{"cluster":{}}']) {
    assert.equal(shareOfTfConfig(none), undefined);
  }
  for (
    const bad of [
      "{",
      config(workers, { type: "worker", index: 2 }),
      config(workers, { type: "worker", index: -1 }),
      config(workers, { type: "ps", index: 0 }),
      config({ worker: "a" }, { type: "worker", index: 0 }),
      config(workers, {}),
    ]
  ) assert.throws(() => shareOfTfConfig(bad), RangeError, bad);
});

Deno.test("share: heavy items weigh more", () => {
  const items = [9, 1, 1, 1, 1, 1, 1, 1, 1, 1];
  const parts = [0, 1].map((index) => partOf(items, { index, count: 2 }, (item) => item));
  assert.deepEqual(parts.map((part) => part.length), [1, 9]);
});

Deno.test("build: features of unequal length are made with their like", async () => {
  const folder = temporaryFolder();
  const lengths: number[][] = [];
  const extractor = stubExtractor({
    tokenCount: ({ views }) => Number(String(views[0]!.image).match(/(\d+)\.jpg/)![1]) % 3 + 1,
    extract: (requests) => {
      const tokens = requests.map(({ origin }) => Math.max(0, origin!.step) % 3 + 1);
      lengths.push(tokens);
      return Promise.resolve(requests.map((request, i) => {
        const { values } = stubFeature(request, 64 * tokens[i]!);
        return { tokens: tokens[i]!, visualTokens: 1, values };
      }));
    },
  });
  const { report } = await build(folder, 30, extractor, { batch: 4 });
  assert.equal(report.built, 30);
  assert(lengths.every((batch) => new Set(batch).size === 1), JSON.stringify(lengths));
});

Deno.test("verify: counts what is whole; puts what is damaged or made otherwise into quarantine", async () => {
  const folder = temporaryFolder();
  const { plan } = await build(folder, 40);
  {
    using store = FeatureStore.open(folder);
    const { hit, missing, quarantined, compared, bytes } = await verifyFeatures(plan, store, {
      sample: 10,
    });
    assert.deepEqual([hit, missing, quarantined, compared, bytes], [40, 0, 0, 10, 40 * 256]);
  }
  const [entry] = [...Deno.readDirSync(`${folder}/shards`)].filter(({ name }) =>
    name.endsWith(".shard")
  );
  const path = `${folder}/shards/${entry!.name}`;
  const bytes = Deno.readFileSync(path);
  bytes[16 + 320 * 11 + 100]! ^= 4;
  Deno.writeFileSync(path, bytes);
  // The same model by name, but something in it has changed.
  const extract: FeatureExtractor["extract"] = (requests) =>
    Promise.resolve(requests.map((request) => {
      const { values, ...rest } = stubFeature(request, 64);
      return { ...rest, values: values.map((value, i) => i % 2 === 0 ? value : -value) };
    }));
  const changed = { ...plan, extractor: { ...plan.extractor, extract } };
  {
    using store = FeatureStore.open(folder);
    const report = await verifyFeatures(changed, store, { sample: 5, seed: 3 });
    const { hit, missing, quarantined } = report;
    assert([5, 6].includes(quarantined), `${quarantined}`);
    assert.deepEqual([hit, missing], [40 - quarantined, quarantined]);
  }
  const { report } = await build(folder, 40);
  assert.equal(report.quarantined, report.built);
  assert([5, 6].includes(report.built));
  using store = FeatureStore.open(folder);
  assert.equal((await verifyFeatures(plan, store)).hit, 40);
});
