import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import {
  buildFeatures,
  createExtractor,
  DatasetFeatures,
  extractorDigest,
  FeatureStore,
  importedFeatures,
  planFeatures,
} from "../../lib/features/mod.ts";
import { writeTorchCheckpoint } from "../../lib/formats/mod.ts";
import { stubEpisode } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

const FIXTURES = fileURLToPath(new URL("../../data-fixtures/features/", import.meta.url));

/** A mapping of the fixtures to the first and the fourth step of an episode. */
function mapping(folder: string, change: Record<string, unknown> = {}): string {
  const path = `${folder}/mapping.json`;
  Deno.writeTextFileSync(
    path,
    JSON.stringify({
      format: "trocar feature import",
      source: "a test",
      model: "Qwen/Qwen2.5-VL-3B-Instruct",
      revision: "unknown",
      promptTemplate: "{instruction}",
      processor: { minPixels: 230400, maxPixels: 230400 },
      layer: "last hidden state",
      selection: "all",
      pooling: "mean",
      views: ["View1"],
      width: 2048,
      features: [
        { episode: folder, step: 0, file: `${FIXTURES}recv_all_1_vlm0.pt` },
        { episode: ".", step: 3, file: `${FIXTURES}recv_all_1_vlm30.pt` },
      ],
      ...change,
    }),
  );
  return path;
}

Deno.test("imported features: what PyTorch saved is what is read, at the steps of the mapping", async () => {
  const path = temporaryFolder(), folder = temporaryFolder();
  const episode = stubEpisode({ path, steps: 4 });
  const extractor = await createExtractor("imported", { import: mapping(path) });
  const plan = await planFeatures([episode], extractor, folder, { reuse: 3 });
  {
    using store = await FeatureStore.openForWriting(folder);
    const { built, failed } = await buildFeatures(plan, store);
    assert.deepEqual([built, failed], [2, 0]);
  }
  const dataset = new EpisodeDataset([episode], { visionReuse: 3 });
  using features = await DatasetFeatures.open(dataset, extractor, folder);
  const { values } = await features.readBatch([2, 3]);
  // As PyTorch printed them.
  assert.deepEqual([...values.subarray(0, 3)], [-1.1259765625, -1.15234375, -0.25048828125]);
  assert.deepEqual([...values.subarray(2048, 2051)], [-1.525390625, -0.75, -0.65380859375]);
  const sum = (part: Float32Array) => part.reduce((total, value) => total + value, 0);
  assert.equal(sum(values.subarray(0, 2048)), 27.12258768081665);
  assert.equal(sum(values.subarray(2048)), 35.39799976348877);
});

Deno.test("imported features: a step without a file, and files of another shape, fail alone", async () => {
  const path = temporaryFolder(), folder = temporaryFolder();
  const episode = stubEpisode({ path, steps: 4 });
  const features = [
    { episode: ".", step: 0, file: `${FIXTURES}recv_all_1_vlm0.pt` },
    { episode: ".", step: 1, file: `${FIXTURES}pair.pt` },
    { episode: ".", step: 2, file: "none.pt" },
  ];
  const plan = await planFeatures([episode], importedFeatures(mapping(path, { features })), folder);
  using store = await FeatureStore.openForWriting(folder);
  const { built, failures } = await buildFeatures(plan, store);
  assert.equal(built, 1);
  const messages = failures.toSorted((a, b) => a.step - b.step).map(({ message }) => message);
  assert.match(messages[0]!, /pair\.pt.*one tensor \(1, T, 2048\).*\(1, 1320, 4\), \(1, 4\)/);
  assert.match(messages[1]!, /none\.pt: .*mapping\.json names it, current value is no such file/);
  assert.match(messages[2]!, /step 3: .*mapping\.json should name its file.*other steps of it/);
});

Deno.test("imported features: an episode that the mapping does not name, and a mapping that is not there", async () => {
  const path = temporaryFolder();
  const [other] = [{ episode: "elsewhere", step: 0, file: "a.pt" }];
  const extractor = importedFeatures(mapping(path, { features: [other] }));
  const request = { views: [], instruction: "", origin: { episode: path, step: 0 } };
  await assert.rejects(extractor.extract([request]), /none of its steps.*relative to the mapping/);
  for (const [name, state] of [["no.json", "not there"], ["", "a folder"]]) {
    assert.throws(() => importedFeatures(`${path}/${name}`), {
      name: "NotFound",
      message: new RegExp(`--import should name their mapping.* which is ${state}`),
    });
  }
});

Deno.test("imported features: several tokens are refused where the mapping says that they are pooled", async () => {
  const path = temporaryFolder();
  const request = { views: [], instruction: "", origin: { episode: path, step: 0 } };
  const data = Float32Array.from({ length: 3 * 2048 }, (_, i) => i % 7);
  writeTorchCheckpoint(`${path}/several.pt`, { dtype: "float32", shape: [1, 3, 2048], data });
  const several = { features: [{ episode: ".", step: 0, file: "several.pt" }] };
  const pooled = importedFeatures(mapping(path, several));
  await assert.rejects(
    pooled.extract([request]),
    /should hold 1 token, current value is 3.*"none"/,
  );
  const each = importedFeatures(mapping(path, { ...several, pooling: "none" }));
  assert.equal((await each.extract([request]))[0]!.tokens, 3);
});

Deno.test("imported features: their mapping decides the key, and is refused when damaged", async () => {
  const folder = temporaryFolder();
  const digest = (change: Record<string, unknown> = {}) =>
    extractorDigest(importedFeatures(mapping(folder, change)));
  const digests = [
    digest(),
    digest({ source: "another" }),
    digest({ revision: "2" }),
    digest({ processor: {} }),
    digest({ pooling: "none" }),
    digest({ views: ["View2"] }),
  ];
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(digest({ features: [] }), digests[0]);
  const twice = [0, 0].map((step) => ({ episode: ".", step, file: "a.pt" }));
  for (
    const [change, message] of [
      [{ features: twice }, /step 0 of .* should stand once/],
      [{ format: "x" }, /trocar feature import/],
      [{ width: "2048" }, /width/],
      [{ processor: [] }, /processor should be an object/],
      [{ selection: "some" }, /selection/],
      [{ features: [{}] }, /features\[0\]\.step/],
    ] as const
  ) assert.throws(() => digest(change), message);
  await assert.rejects(createExtractor("imported"), /--import/);
});
