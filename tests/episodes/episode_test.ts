import assert from "node:assert/strict";
import { openEpisode, preprocess, readManifest } from "../../lib/episodes/mod.ts";
import { rewriteFile, temporaryFolder } from "../_temporary.ts";

const recordings = new URL("../../data-fixtures/recordings", import.meta.url).pathname;

async function episodeFolder(): Promise<string> {
  const [outcome] = await preprocess([`${recordings}/Needle_insertion_eye_trocar`], {
    output: temporaryFolder(),
  });
  return outcome!.output!;
}

Deno.test("an episode opens by its own folder or by its recording's", async () => {
  const folder = await episodeFolder();
  using episode = openEpisode(folder);
  assert.deepEqual(
    [episode.manifest.task, episode.robotTime.length, episode.sensor!.rows],
    ["Needle_insertion_eye_trocar", 120, 911],
  );
  const rows = new Float32Array(2 * 1026);
  episode.sensor!.readRowsInto(909, rows);
  assert(rows[0]! > 2 && rows[0]! < 4, "force comes first");
  assert.throws(() => episode.sensor!.readRowsInto(910, rows), RangeError);
  const parent = temporaryFolder();
  Deno.renameSync(folder, `${parent}/episode`);
  openEpisode(parent).close();
});

Deno.test("a missing, cut or exchanged file is named", async () => {
  const folder = await episodeFolder();
  const refused = (file: string, damage: (path: string) => void, message: RegExp) => {
    const path = `${folder}/${file}`, kept = Deno.readFileSync(path);
    damage(path);
    assert.throws(() => openEpisode(folder), (error: Error) => {
      assert.match(error.message, message);
      assert(error.message.includes(file), error.message);
      return true;
    });
    Deno.writeFileSync(path, kept);
  };
  const cut = (path: string) => Deno.truncateSync(path, Deno.statSync(path).size - 4);
  refused("action.npy", cut, /byte|bytes/);
  refused("sensor.npy", cut, /byte|bytes/);
  refused(
    "sensor_range.npy",
    (path) => Deno.copyFileSync(`${folder}/segment.npy`, path),
    /shape|\(/,
  );
  refused("images.json", (path) => Deno.writeTextFileSync(path, "{}"), /View1_left/);
  refused("images.json", (path) => Deno.removeSync(path), /no such file/);
  refused("episode.json", cut, /no JSON|JSON/);
});

Deno.test("20,000 damaged manifests are read or refused with their path", async () => {
  const folder = await episodeFolder();
  const path = `${folder}/episode.json`;
  const whole = Deno.readTextFileSync(path);
  let seed = 4;
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  let refused = 0;
  for (let k = 0; k < 20_000; k++) {
    const at = random(whole.length), length = random(4) === 0 ? random(200) : 1;
    const put = ["", '"', "{", "}", "[", "0", "-", "null", ",", "\\", "9e999"][random(11)]!;
    rewriteFile(path, whole.slice(0, at) + put + whole.slice(at + length));
    try {
      readManifest(folder);
      if (k % 20 === 0) openEpisode(folder).close();
    } catch (error) {
      refused++;
      assert(error instanceof SyntaxError, (error as Error).message);
      assert((error as Error).message.includes(folder), (error as Error).message);
    }
  }
  assert(refused > 10_000);
});
