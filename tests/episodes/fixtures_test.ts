import assert from "node:assert/strict";
import { openEpisode, preprocess } from "../../lib/episodes/mod.ts";
import { diagnoseData } from "../../lib/episodes/doctor/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const recordings = new URL("../../data-fixtures/recordings", import.meta.url).pathname;

Deno.test("the recordings that come with the project are what they are said to be", async () => {
  const output = temporaryFolder();
  const outcomes = await preprocess([recordings], { output });
  assert.deepEqual(outcomes.map(({ layout, ok }) => [layout, ok]), [
    ["recv-all", true],
    ["new-dataset", true],
    ["new-dataset2", true],
  ]);
  const [needle, , faulty] = outcomes.map(({ report }) => report!);
  assert.deepEqual(
    [needle!.clockOffsets.camera.source, needle!.clockOffsets.sensor.source],
    ["recorded", "recorded"],
  );
  assert(needle!.sensor!.coverage > 0.99);
  const { gaps, duplicates, angleWraps } = faulty!.robot;
  assert.deepEqual([gaps.length, duplicates, angleWraps, faulty!.segments], [3, 2, 1, 4]);
  for (const { output } of outcomes) {
    using episode = openEpisode(output!);
    for (const { file } of episode.images) assert(Deno.statSync(file(0)).isFile);
  }
  const { ok, findings } = await diagnoseData([output]);
  assert(ok, JSON.stringify(findings));
});
