import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { openEpisode } from "../../lib/episodes/mod.ts";
import { openNpy } from "../../lib/formats/mod.ts";
import { recordPhantom } from "../../lib/phantom/mod.ts";
import { temporaryFolder } from "../_temporary.ts";

const KILLS = 50;
const script = new URL("../../scripts/preprocess.ts", import.meta.url).pathname;

function run(recording: string, windowMs: number): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      script,
      "--data",
      recording,
      "--sensor-window-ms",
      `${windowMs}`,
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** Window of the episode that is there, in ms, after every byte of it was checked; 0 without one. */
function stateOf(recording: string): number {
  try {
    Deno.statSync(`${recording}/episode/episode.json`);
  } catch (error) {
    assert(error instanceof Deno.errors.NotFound);
    const names = [...Deno.readDirSync(recording)].map(({ name }) => name);
    assert(!names.includes("episode"), "a folder without its manifest");
    return 0;
  }
  using episode = openEpisode(recording);
  const { arrays, sensorWindow } = episode.manifest;
  for (const [name, entry] of Object.entries(arrays)) {
    using array = openNpy(`${episode.path}/${name}.npy`);
    assert.deepEqual([array.dtype, array.shape], [entry.dtype, entry.shape], name);
    const rows = array.readRows(0, array.rows) as Float32Array;
    const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
    assert.equal(crc32(bytes), entry.crc32, name);
  }
  return Math.round(sensorWindow * 1000);
}

Deno.test(`preprocess killed ${KILLS} times leaves the old state or the new one`, async () => {
  const output = temporaryFolder();
  const [recording] = await Array.fromAsync(
    recordPhantom({ output, layouts: ["needle"], raster: 40, seed: 12 }),
  );
  const { path } = recording!;
  let began = performance.now();
  assert.equal((await run(path, 100).status).code, 0);
  let whole = performance.now() - began;
  assert.equal(stateOf(path), 100);
  Deno.removeSync(`${path}/episode`, { recursive: true });

  let seed = 20251121;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const seen = new Set<string>();
  let before = 0, insideWriting = 0, reach = 0.8;
  // More where a busy machine has let it write at few of them.
  for (let kill = 0; kill < KILLS || insideWriting < 5 && kill < 4 * KILLS; kill++) {
    if (kill % 10 === 9) {
      if (before > 0) Deno.removeSync(`${path}/episode`, { recursive: true });
      before = 0;
    }
    const window = 100 + kill;
    began = performance.now();
    const child = run(path, window);
    // From before the program has loaded to after it is done, also where it has become slower.
    const wait = whole * (0.3 + reach * random());
    const timer = setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        assert(error instanceof TypeError, "only a process that has ended cannot be killed");
      }
    }, wait);
    const { success } = await child.status;
    clearTimeout(timer);
    if (success) whole = performance.now() - began; // or faster
    if ([...Deno.readDirSync(path)].some(({ name }) => name.includes("partial"))) insideWriting++;
    const after = stateOf(path);
    assert([before, window].includes(after), `kill ${kill}: ${before} became ${after}`);
    seen.add(after === before ? "old" : "new");
    reach = after === before ? reach * 1.05 : 0.8;
    before = after;
  }
  assert.deepEqual([...seen].sort(), ["new", "old"]);
  assert(insideWriting >= 5, `only ${insideWriting} kills while it wrote`);
  assert.equal((await run(path, 300).status).code, 0);
  assert.equal(stateOf(path), 300);
  const left = [...Deno.readDirSync(path)].map(({ name }) => name);
  assert(left.every((name) => !name.includes("partial")), left.join());
});
