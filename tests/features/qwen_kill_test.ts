import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  type FeaturePlan,
  FeatureStore,
  planFeatures,
  verifyFeatures,
} from "../../lib/features/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { pictureEpisode, tinyFeatures } from "./_qwen.ts";

/** Kills; `TROCAR_KILLS` asks for more. */
const KILLS = Number(Deno.env.get("TROCAR_KILLS") ?? 2);
const STEPS = 60;
const child = fileURLToPath(new URL("./_qwen_child.ts", import.meta.url));

/** Builds a part in a process of its own, and kills it so many ms after it has stored something. */
async function build(folder: string, images: string, part: string, killAfter?: number) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", child, folder, images, `${STEPS}`, ...part.split("/")],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined, text = "";
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (killAfter === undefined || timer !== undefined) continue;
    timer = setTimeout(() => {
      try {
        process.kill("SIGKILL");
      } catch (error) {
        assert(error instanceof TypeError, "only a process that has ended cannot be killed");
      }
    }, killAfter);
  }
  const { code, signal } = await process.status;
  clearTimeout(timer);
  return { code, isKilled: signal === "SIGKILL", keys: text.split("\n").slice(0, -1) };
}

function contents(plan: FeaturePlan, folder: string) {
  using store = FeatureStore.open(folder);
  return plan.items.map(({ key }) => store.read(key, plan.extractor)?.values);
}

Deno.test(`a build that is killed ${KILLS} times and goes on makes what one and two processes make`, async () => {
  const images = temporaryFolder(), whole = temporaryFolder(), killed = temporaryFolder();
  const halves = temporaryFolder();
  const episode = await pictureEpisode({ path: images, steps: STEPS });
  using extractor = await tinyFeatures();
  const plan = await planFeatures([episode], extractor, whole);
  assert.equal((await build(whole, images, "0/1")).code, 0);
  const expected = contents(plan, whole);
  assert(expected.every((values) => values?.length === extractor.width));

  const ends = await Promise.all(["0/2", "1/2"].map((part) => build(halves, images, part)));
  assert.deepEqual(ends.map(({ code }) => code), [0, 0]);
  assert(ends.every(({ keys }) => keys.length > STEPS / 3), "work is divided");
  assert.deepEqual(contents(plan, halves), expected);

  let seed = 20251121, kills = 0, stored = 0;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  for (let round = 0; kills < KILLS; round++) {
    assert(round < 3 * KILLS + 3, `only ${kills} processes were killed at work`);
    const { isKilled, keys } = await build(killed, images, "0/1", 400 * random());
    if (isKilled) kills++;
    using store = FeatureStore.open(killed);
    for (const key of keys) assert(store.has(key), `${key} was stored and is lost`);
    stored += keys.length;
    // From the beginning where nothing is left to be killed at.
    if (store.size.entries > STEPS - 10) Deno.removeSync(`${killed}/shards`, { recursive: true });
  }
  assert(stored >= KILLS, "features are stored before kills");
  assert.equal((await build(killed, images, "0/1")).code, 0);
  assert.deepEqual(contents(plan, killed), expected);
  using store = FeatureStore.open(killed);
  const report = await verifyFeatures({ ...plan, folder: killed }, store, { sample: 6 });
  assert.deepEqual([report.hit, report.missing, report.compared], [STEPS, 0, 6]);
});
