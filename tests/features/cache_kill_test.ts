import assert from "node:assert/strict";
import { decodeHeader, paddedBytes } from "../../lib/features/cache/_record.ts";
import { SHARD_MAGIC } from "../../lib/features/cache/_shard_file.ts";
import {
  buildFeatures,
  type FeaturePlan,
  FeatureStore,
  planFeatures,
} from "../../lib/features/cache/mod.ts";
import { loadRequest } from "../../lib/features/cache/_request.ts";
import { stubEpisode, stubExtractor, stubFeature } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

const KILLS = 200, STEPS = 1200;
const child = new URL("./_build_child.ts", import.meta.url).pathname;
const extractor = stubExtractor({ width: 512 });

/**
 * Builds in a child and kills it so many milliseconds after it has stored something, or after its
 * start; what it said is stored.
 */
async function killed(
  folder: string,
  images: string,
  after: number,
  since: "stored" | "start",
): Promise<{ keys: string[]; isKilled: boolean }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", child, folder, images, `${STEPS}`],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const kill = () => {
    try {
      process.kill("SIGKILL");
    } catch (error) {
      assert(error instanceof TypeError, "only a process that has ended cannot be killed");
    }
  };
  const begin = () => timer ??= setTimeout(kill, after);
  if (since === "start") begin();
  let text = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    begin();
  }
  const { signal } = await process.status;
  clearTimeout(timer);
  // Behind the last line break nothing was said.
  return { keys: text.split("\n").slice(0, -1), isKilled: signal === "SIGKILL" };
}

/** Every byte of every shard belongs to a whole record. */
function assertWhole(folder: string): void {
  for (const { name } of Deno.readDirSync(`${folder}/shards`)) {
    assert(!name.includes("partial"), name);
    if (!name.endsWith(".shard")) continue;
    const bytes = Deno.readFileSync(`${folder}/shards/${name}`);
    let at = SHARD_MAGIC.length;
    while (at < bytes.length) {
      const header = decodeHeader(bytes, at);
      assert(header !== undefined, `${name} at byte ${at} of ${bytes.length}`);
      at += paddedBytes(header.bytes);
    }
    assert.equal(at, bytes.length, name);
  }
}

function assertReads(store: FeatureStore, plan: FeaturePlan, keys: Iterable<string>): void {
  const items = new Map(plan.items.map((item) => [item.key, item]));
  for (const key of keys) {
    const found = store.read(key, extractor);
    assert(found !== undefined, `lost ${key}`);
    const request = loadRequest(plan, items.get(key)!, new Map());
    assert.deepEqual(found.values, stubFeature(request, 512).values);
  }
}

Deno.test(`${KILLS} SIGKILLs during builds, four at a time, lose nothing and leave nothing half-written`, async () => {
  const images = temporaryFolder();
  const episode = stubEpisode({ path: images, steps: STEPS });
  let seed = 20251121, kills = 0, caches = 0, storedByKilled = 0, torn = 0;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  // More where a busy machine has let them store little.
  const isEnough = () => kills >= KILLS && (storedByKilled > 5 * KILLS || kills >= 3 * KILLS);
  while (!isEnough()) {
    const folder = temporaryFolder();
    const plan = await planFeatures([episode], extractor, folder);
    assert.equal(plan.items.length, STEPS);
    const stored = new Set<string>();
    for (let round = 0; round < 10 && !isEnough(); round++) {
      const ends = await Promise.all(
        [0, 1, 2, 3].map(() =>
          random() < 0.8
            ? killed(folder, images, 40 * random(), "stored")
            : killed(folder, images, 300 * random(), "start")
        ),
      );
      kills += ends.filter(({ isKilled }) => isKilled).length;
      const said = ends.flatMap(({ keys }) => keys);
      for (const key of said) stored.add(key);
      storedByKilled += said.length;
      using store = FeatureStore.open(folder);
      assertReads(store, plan, round % 5 === 0 ? stored : said);
      for (const key of stored) assert(store.has(key));
      try {
        assertWhole(folder);
      } catch {
        torn++;
      }
    }
    {
      using store = await FeatureStore.openForWriting(folder, { shardBytes: 400_000 });
      const { planned, hit, built, failed } = await buildFeatures(plan, store);
      assert.deepEqual([planned, hit + built, failed], [STEPS, STEPS, 0]);
      assertReads(store, plan, plan.items.map(({ key }) => key));
    }
    assertWhole(folder);
    caches++;
    Deno.removeSync(folder, { recursive: true });
  }
  console.log(`${caches} caches, ${storedByKilled} features stored before kills, ${torn} torn`);
  assert(storedByKilled > 5 * KILLS, `only ${storedByKilled} were stored before a kill`);
});
