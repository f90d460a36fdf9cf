import assert from "node:assert/strict";
import {
  collectGarbage,
  FeatureStore,
  planFeatures,
  verifyFeatures,
} from "../../lib/features/cache/mod.ts";
import { stubEpisode, stubExtractor } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

const STEPS = 600;
const child = new URL("./_build_child.ts", import.meta.url).pathname;
const readChild = new URL("./_read_child.ts", import.meta.url).pathname;
const extractor = stubExtractor({ width: 512 });

/** Builds in several processes at once; how many features each says it has stored. */
async function buildTogether(
  folder: string,
  images: string,
  shares: readonly string[][],
  env: Record<string, string> = {},
) {
  const outputs = await Promise.all(shares.map((share) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", child, folder, images, `${STEPS}`, ...share],
      stderr: "inherit",
      env,
    }).output()
  ));
  return outputs.map(({ code, stdout }) => {
    assert.equal(code, 0);
    return new TextDecoder().decode(stdout).trimEnd().split("\n").filter((key) => key !== "");
  });
}

Deno.test("two builders of one plan make one consistent cache", async () => {
  const folder = temporaryFolder(), images = temporaryFolder();
  const plan = await planFeatures([stubEpisode({ path: images, steps: STEPS })], extractor, folder);
  // However much later one of them begins, both are at work together.
  const stored = await buildTogether(folder, images, [[], []], { MEETING: temporaryFolder() });
  assert(stored.every((keys) => keys.length > 0), "both had something to do");
  {
    using store = FeatureStore.open(folder);
    assert.deepEqual([...store.keys()].sort(), plan.items.map(({ key }) => key).sort());
    assert.deepEqual(new Set(stored.flat()), new Set(store.keys()));
    const { hit, missing, quarantined } = await verifyFeatures(plan, store, { sample: STEPS });
    assert.deepEqual([hit, missing, quarantined], [STEPS, 0, 0]);
    // Where both had begun the same features, one of two is removed later.
    assert.equal(store.size.duplicates, stored.flat().length - STEPS);
    assert(store.size.duplicates < STEPS / 2, `${store.size.duplicates} were made twice`);
  }
  await collectGarbage(folder);
  using store = FeatureStore.open(folder);
  assert.deepEqual([store.size.entries, store.size.duplicates], [STEPS, 0]);
});

Deno.test("three builders with shares make nothing twice", async () => {
  const folder = temporaryFolder(), images = temporaryFolder();
  const plan = await planFeatures([stubEpisode({ path: images, steps: STEPS })], extractor, folder);
  const shares = ["0", "1", "2"].map((index) => [index, "3"]);
  const stored = await buildTogether(folder, images, shares);
  assert.deepEqual(stored.map((keys) => keys.length), [200, 200, 200]);
  using store = FeatureStore.open(folder);
  assert.deepEqual([...store.keys()].sort(), plan.items.map(({ key }) => key).sort());
  assert.equal(store.size.duplicates, 0);
});

Deno.test("a reader goes on while another process collects garbage", async () => {
  const folder = temporaryFolder(), images = temporaryFolder();
  await buildTogether(folder, images, [[]]);
  const plan = await planFeatures([stubEpisode({ path: images, steps: STEPS })], extractor, folder);
  const reader = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", readChild, folder],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = reader.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await lines.read()).value, "ready\n");
  for (let round = 0; round < 8; round++) {
    // A copy of a shard, so that there is something to put in order.
    const [name] = [...Deno.readDirSync(`${folder}/shards`)].map(({ name }) => name)
      .filter((each) => each.endsWith(".shard")).sort();
    Deno.copyFileSync(`${folder}/shards/${name}`, `${folder}/shards/0-${round}.shard`);
    assert((await collectGarbage(folder)).bytes > 0);
    await new Promise((resume) => setTimeout(resume, 50));
  }
  await reader.stdin.close();
  const { keys, reads, lost, corrupt } = JSON.parse((await lines.read()).value!);
  await reader.status;
  await lines.cancel();
  assert.deepEqual([keys, lost, corrupt], [plan.items.length, 0, 0]);
  assert(reads > STEPS, `${reads}`);
});
