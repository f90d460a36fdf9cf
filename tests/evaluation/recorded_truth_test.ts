import assert from "node:assert/strict";
import { join } from "node:path";
import { preprocess } from "../../lib/episodes/mod.ts";
import { openEpisode } from "../../lib/episodes/mod.ts";
import { readRecordedTruth } from "../../lib/evaluation/mod.ts";
import { recordPhantom, simulateEpisode } from "../../lib/phantom/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const manifest = { source: "..", clock: "robot origin" };

Deno.test("events of a simulated recording come back on the episode's clock", async () => {
  const root = temporaryFolder();
  const recordings = recordPhantom({
    output: root,
    layouts: ["new-dataset2", "needle"],
    raster: 40,
    task: "Blue_point",
    seed: 5000,
  });
  for await (const { path } of recordings) {
    const [outcome] = await preprocess([path], {});
    using episode = openEpisode(outcome!.output!);
    const { truth, startTime } = simulateEpisode({ seed: 5000 });
    const recorded = readRecordedTruth(episode)!;
    const expected = [truth.tDec, truth.tPun, truth.tStop].map((event) => startTime + event);
    assert.deepEqual(recorded.events, expected);
    assert.equal(recorded.disturbances.length, truth.disturbances.length);
    assert(recorded.events.every((event) => event < episode.robotTime.at(-1)!), "within the log");
  }
});

Deno.test("real recordings have no truth, and damaged truth is an error", () => {
  const folder = temporaryFolder(), path = join(folder, "episode");
  const write = (file: string, text: string) => Deno.writeTextFileSync(join(folder, file), text);
  assert.equal(readRecordedTruth({ path, manifest }), null);
  for (const text of ["{", "[]", "null", `{"truth": {"t_dec": 1}}`]) {
    write("metadata.json", text);
    assert.equal(readRecordedTruth({ path, manifest }), null, text);
  }
  write("truth.json", `{"generator": "trocar phantom", "start_time": "soon", "disturbances": []}`);
  assert.throws(() => readRecordedTruth({ path, manifest }), /start_time must be seconds/);
  const received = { ...manifest, clock: "robot recv" };
  assert.equal(readRecordedTruth({ path, manifest: received }), null);
});
