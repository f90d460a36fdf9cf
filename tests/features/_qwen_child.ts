/** Builds features of the tiny model until it is killed; prints how many are stored. */
import { buildFeatures, FeatureStore, planFeatures } from "../../lib/features/mod.ts";
import { pictureEpisode, tinyFeatures } from "./_qwen.ts";

const [folder, images, steps, index, count] = Deno.args.map(String);
const episode = await pictureEpisode({ path: images!, steps: Number(steps) });
using extractor = await tinyFeatures();
const plan = await planFeatures([episode], extractor, folder!);
using store = await FeatureStore.openForWriting(folder!, { shardBytes: 2000 });
const { failed } = await buildFeatures(plan, store, {
  batch: 2,
  share: { index: Number(index), count: Number(count) },
  onStored: (keys) => console.log(keys.join("\n")),
});
Deno.exit(failed === 0 ? 0 : 1);
