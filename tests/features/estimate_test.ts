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

/**
 * An extractor and the clock that it turns: 20 ms and 1 ms for each token, `compile` ms more for a cost
 * that it has not seen, `start` ms more at first; the model takes `load` ms.
 */
function timed(
  { cost, compile = 0, start = 0, load = 0, slower = 1 }: {
    readonly cost: (step: number) => number;
    readonly compile?: number;
    readonly start?: number;
    readonly load?: number;
    readonly slower?: number;
  },
) {
  const stub = stubExtractor(), made: number[][] = [], seen = new Set<number>();
  let now = 0, prepared = 0;
  const stepOf = (image: unknown) => Number(/_(\d+)\.jpg/.exec(String(image))![1]);
  const extractor: FeatureExtractor = {
    ...stub,
    cost: ({ views }) => cost(stepOf(views[0]!.image)),
    prepare: () => {
      prepared++;
      now += load;
      return Promise.resolve();
    },
    extract: async (requests) => {
      if (made.length === 0) now += start;
      made.push(requests.map(({ origin }) => origin!.step));
      for (const { origin } of requests) {
        const tokens = cost(origin!.step);
        now += slower * (20 + tokens) + (seen.has(tokens) ? 0 : compile);
        seen.add(tokens);
      }
      return await stub.extract(requests);
    },
  };
  const measure = async (steps: number) => {
    const plan = await planOf(extractor, steps), { now: real } = performance;
    const clock = () => now;
    Object.defineProperty(performance, "now", { value: clock, configurable: true, writable: true });
    try {
      const estimate = await estimateBuild(plan, plan.items);
      assert.equal(prepared, 1);
      return { plan, ...estimate! };
    } finally {
      Object.defineProperty(performance, "now", {
        value: real,
        configurable: true,
        writable: true,
      });
    }
  };
  return { extractor, made, measure };
}

async function planOf(extractor: FeatureExtractor, steps: number) {
  const folder = temporaryFolder();
  return await planFeatures([stubEpisode({ steps, path: images })], extractor, folder);
}

const near = (value: number, expected: number) =>
  assert(Math.abs(value - expected) < 1e-6, `${value} instead of ${expected}`);

Deno.test("estimateBuild measures a few features over the whole plan, not the first, and stores none", async () => {
  const { made, measure } = timed({ cost: () => 100, start: 1000, load: 3000 });
  const { plan, seconds, measured } = await measure(100);
  assert.equal(made.length, 2);
  assert.deepEqual(made[0], [0]);
  assert.deepEqual([made[1]!.length, measured], [15, 16]);
  assert(made[1]!.at(-1)! > 90, made[1]!.join());
  near(seconds, 3 + 1 + 100 * 0.12);
  using store = FeatureStore.open(plan.folder);
  assert.equal(missingFeatures(plan, store).missing.length, 100);
});

Deno.test("estimateBuild reckons compiling once for each cost, however long the first feature waits for it", async () => {
  const { made, measure } = timed({
    cost: (step) => step % 2 === 0 ? 100 : 400,
    ...{ compile: 2500, start: 4000, load: 1000 },
  });
  const { seconds, measured } = await measure(100);
  assert.deepEqual(made.slice(0, 2), [[1], [1]]); // the most tokens first
  assert.equal(measured, 16);
  near(seconds, 1 + 4 + 2 * 2.5 + 50 * (0.42 + 0.12));
});

Deno.test("estimateBuild makes few features where each takes seconds, and reckons by length", async () => {
  const slow = { compile: 2000, start: 5000, load: 30_000, slower: 50 };
  const two = timed({ cost: (step) => step % 2 === 0 ? 100 : 400, ...slow });
  const { seconds, measured } = await two.measure(100);
  assert.deepEqual([measured, two.made], [2, [[1], [1], [98], [98]]]);
  near(seconds, 30 + 5 + 2 * 2 + 50 * 50 * (0.42 + 0.12));
  const one = timed({ cost: () => 400, ...slow });
  const alike = await one.measure(100);
  assert.deepEqual([alike.measured, one.made], [1, [[0], [0]]]);
  near(alike.seconds, 30 + 5 + 2 + 100 * 50 * 0.42);
});

Deno.test("estimateBuild measures another feature where the first cannot be made", async () => {
  const { extractor, made, measure } = timed({ cost: () => 100 });
  const { extract } = extractor;
  extractor.extract = (requests) =>
    requests.some(({ origin }) => origin!.step < 3)
      ? Promise.reject(new SyntaxError("damaged"))
      : extract(requests);
  const { seconds } = await measure(20);
  assert.deepEqual(made[0], [3]);
  near(seconds, 20 * 0.12);
});

Deno.test("estimateBuild says nothing where nothing is missing or nothing can be made", async () => {
  const plan = await planOf(stubExtractor(), 5);
  assert.equal(await estimateBuild(plan, []), undefined);
  const broken = stubExtractor({ extract: () => Promise.reject(new SyntaxError("damaged")) });
  assert.equal(await estimateBuild({ ...plan, extractor: broken }, plan.items), undefined);
});

Deno.test("buildFeatures tells the time that is left, down to none", async () => {
  const extractor = stubExtractor();
  const plan = await planOf(extractor, 40);
  using store = await FeatureStore.openForWriting(plan.folder);
  const told: (number | null)[][] = [];
  const onProgress = (...values: (number | null)[]) => void told.push(values);
  await buildFeatures(plan, store, { batch: 10, onProgress });
  assert.deepEqual(told.map(([done, total]) => [done, total]), [
    [10, 40],
    [20, 40],
    [30, 40],
    [40, 40],
  ]);
  assert.equal(told[0]![2], null, "the first batch may have compiled a model");
  assert(told.slice(1, 3).every(([, , left]) => left! > 0), told.join(";"));
  assert.equal(told[3]![2], 0);
});

Deno.test("createExtractor names what there is, and what is lacking", async () => {
  await assert.rejects(createExtractor("qwen2.5-vl-3b"), /--model.*config\.json.*pixel-2048/);
  await assert.rejects(createExtractor("clip"), /pixel-2048, qwen2\.5-vl-3b, imported.*"clip"/);
});
