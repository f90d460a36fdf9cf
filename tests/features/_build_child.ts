/** Builds features until it is killed, and prints each key when it is said to be stored. */
import { buildFeatures } from "../../lib/features/cache/build.ts";
import { planFeatures } from "../../lib/features/cache/plan.ts";
import { FeatureStore } from "../../lib/features/cache/store.ts";
import { stubEpisode, stubExtractor } from "./_stub.ts";

const [folder, images, steps, index, count] = Deno.args as [
  string,
  string,
  string,
  string?,
  string?,
];
const episode = stubEpisode({ path: images, steps: Number(steps) });
const plan = await planFeatures([episode], stubExtractor({ width: 512 }), folder);
using store = await FeatureStore.openForWriting(folder, { shardBytes: 400_000 });
const encoder = new TextEncoder();
await buildFeatures(plan, store, {
  batch: 4,
  ...(count === undefined ? {} : { share: { index: Number(index), count: Number(count) } }),
  onStored: (keys) => {
    if (keys.length > 0) Deno.stdout.writeSync(encoder.encode(`${keys.join("\n")}\n`));
  },
});
