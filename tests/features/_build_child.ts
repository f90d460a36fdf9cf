/**
 * Builds features until it is killed, and prints each key when it is said to be stored. With `MEETING`,
 * a folder, two of them wait for each other when each has stored something.
 */
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
const encoder = new TextEncoder(), pause = new Int32Array(new SharedArrayBuffer(4));
let meeting = Deno.env.get("MEETING") ?? "";
await buildFeatures(plan, store, {
  batch: 4,
  ...(count === undefined ? {} : { share: { index: Number(index), count: Number(count) } }),
  onStored: (keys) => {
    if (keys.length === 0) return;
    Deno.stdout.writeSync(encoder.encode(`${keys.join("\n")}\n`));
    if (meeting === "") return;
    Deno.writeTextFileSync(`${meeting}/${Deno.pid}`, "");
    const deadline = performance.now() + 60_000;
    while ([...Deno.readDirSync(meeting)].length < 2) {
      if (performance.now() > deadline) throw new Error("nobody else has come");
      Atomics.wait(pause, 0, 0, 1);
    }
    meeting = "";
  },
});
