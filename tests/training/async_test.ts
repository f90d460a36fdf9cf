import assert from "node:assert/strict";
import { join } from "node:path";
import { startEngine } from "../../lib/engine/mod.ts";
import { openEpisode, preprocess } from "../../lib/episodes/mod.ts";
import {
  buildFeatures,
  FeatureMissError,
  FeatureStore,
  findEpisodes,
  pixel2048,
  planFeatures,
} from "../../lib/features/mod.ts";
import { readMetrics } from "../../lib/training/mod.ts";
import { hasNative } from "../engine/_native.ts";
import { smallRun } from "./_small_run.ts";
import { temporaryFolder } from "../_temporary.ts";

const RECORDINGS = ["New_dataset", "New_dataset2"].map((name) =>
  decodeURIComponent(
    new URL(`../../data-fixtures/recordings/${name}`, import.meta.url).pathname,
  )
);

await startEngine({ engine: hasNative ? "tensorflow" : "wasm", install: false, quiet: true });

Deno.test("asynchronous training needs every R-th feature only, and logs how often one has served", async () => {
  const folder = temporaryFolder(), cache = join(folder, "cache");
  await preprocess(RECORDINGS, { output: join(folder, "episodes") });
  const episodes = findEpisodes([join(folder, "episodes")]).map((path) => openEpisode(path));
  const all = await planFeatures(episodes, pixel2048(), cache);
  const some = await planFeatures(episodes, pixel2048(), cache, { reuse: 3 });
  episodes.forEach((episode) => episode.close());
  assert(some.items.length < all.items.length, "a slow model runs less often");
  {
    using store = await FeatureStore.openForWriting(cache);
    await buildFeatures(some, store);
  }
  const options = { sensorless: true, settings: { epochs: 1 } };
  await assert.rejects(smallRun(folder, "each", options), FeatureMissError);
  const { run } = await smallRun(folder, "third", { ...options, visionReuse: 3 });
  const counts = readMetrics(join(run, "metrics.jsonl"))
    .flatMap((record) => record["train/vl_reuse_counter"] ?? []).map(Number);
  assert(counts.length > 0 && counts.every((count) => count >= 0 && count <= 2), `${counts}`);
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  assert(mean > 0.5 && mean < 1.5, `0, 1 and 2 equally often, on average ${mean}`);
});
