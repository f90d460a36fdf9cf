import assert from "node:assert/strict";
import {
  buildFeatures,
  createExtractor,
  estimateBuild,
  type FeatureExtractor,
  FeatureStore,
  missingFeatures,
  planFeatures,
} from "../../lib/features/mod.ts";
import { stubEpisode, stubExtractor } from "./_stub.ts";
import { temporaryFolder } from "../_temporary.ts";

const images = temporaryFolder();

/** An extractor that takes 5 ms per feature, and whose first call takes longer. */
function slow(first: number): { extractor: FeatureExtractor; made: string[][] } {
  const extractor = stubExtractor(), made: string[][] = [];
  const extract: FeatureExtractor["extract"] = async (requests) => {
    const time = made.length === 0 ? first : 5 * requests.length;
    made.push(requests.map(({ origin }) => `${origin!.step}`));
    await new Promise((resume) => setTimeout(resume, time));
    return await extractor.extract(requests);
  };
  return { extractor: { ...extractor, extract }, made };
}

async function planOf(extractor: FeatureExtractor, steps: number) {
  const folder = temporaryFolder();
  return await planFeatures([stubEpisode({ steps, path: images })], extractor, folder);
}

Deno.test("estimateBuild measures a few features over the whole plan, not the first, and stores none", async () => {
  const { extractor, made } = slow(300);
  const plan = await planOf(extractor, 100);
  const { seconds, measured } = (await estimateBuild(plan, plan.items))!;
  assert.equal(made.length, 2);
  assert.deepEqual(made[0], ["0"]);
  assert.deepEqual([made[1]!.length, measured], [16, 16]);
  assert(Number(made[1]!.at(-1)) > 90, made[1]!.join());
  // At least 5 ms each; 30 with the first one's 300 ms in it.
  assert(seconds >= 0.49 && seconds < 100, String(seconds));
  using store = FeatureStore.open(plan.folder);
  assert.equal(missingFeatures(plan, store).missing.length, 100);
});

Deno.test("estimateBuild makes few features where the first takes seconds, and reckons by length", async () => {
  const made: string[] = [];
  const stub = stubExtractor();
  const stepOf = (image: unknown) => Number(/_(\d+)\.jpg/.exec(String(image))![1]);
  let prepared = 0;
  const extractor: FeatureExtractor = {
    ...stub,
    cost: ({ views }) => stepOf(views[0]!.image) % 2 === 0 ? 100 : 400,
    prepare: () => Promise.resolve(void prepared++),
    extract: async (requests) => {
      const [{ origin }] = requests as [(typeof requests)[number]];
      const isLong = origin!.step % 2 === 1;
      // The first also compiles; then 20 ms and 1 ms for each token.
      const time = made.length === 0 ? 2100 : isLong ? 420 : 120;
      made.push(isLong ? "long" : "short");
      await new Promise((resume) => setTimeout(resume, time));
      return await stub.extract(requests);
    },
  };
  const plan = await planOf(extractor, 100);
  const { seconds, measured } = (await estimateBuild(plan, plan.items))!;
  assert.equal(prepared, 1);
  assert.deepEqual([measured, made.slice(1)], [2, ["long", "short"]]);
  // 50 of each: 27 s; all like the first would be 210 s, all like the shortest 12 s.
  assert(seconds > 20 && seconds < 60, String(seconds));
});

Deno.test("estimateBuild says nothing where nothing is missing or nothing can be made", async () => {
  const plan = await planOf(stubExtractor(), 5);
  assert.equal(await estimateBuild(plan, []), undefined);
  const broken = stubExtractor({ extract: () => Promise.reject(new SyntaxError("damaged")) });
  assert.equal(await estimateBuild({ ...plan, extractor: broken }, plan.items), undefined);
});

Deno.test("buildFeatures tells the time that is left, down to none", async () => {
  const { extractor } = slow(5);
  const plan = await planOf(extractor, 40);
  using store = await FeatureStore.openForWriting(plan.folder);
  const told: number[][] = [];
  const onProgress = (...values: number[]) => void told.push(values);
  await buildFeatures(plan, store, { batch: 10, onProgress });
  assert.deepEqual(told.map(([done, total]) => [done, total]), [
    [10, 40],
    [20, 40],
    [30, 40],
    [40, 40],
  ]);
  assert(told.slice(0, 3).every(([, , left]) => left! > 0), told.join(";"));
  assert.equal(told[3]![2], 0);
});

Deno.test("createExtractor names what there is, and what is lacking", async () => {
  await assert.rejects(createExtractor("qwen2.5-vl-3b"), /--model.*config\.json.*pixel-2048/);
  await assert.rejects(createExtractor("clip"), /pixel-2048, qwen2\.5-vl-3b, imported.*"clip"/);
});
