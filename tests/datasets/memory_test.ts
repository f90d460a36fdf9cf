import assert from "node:assert/strict";
import { createBatch, EpisodeDataset } from "../../lib/datasets/mod.ts";
import { openRandomAccess } from "../../lib/formats/random_access_file.ts";
import { memoryEpisode, tenths, ticks } from "./_episode.ts";
import { temporaryFolder } from "../_temporary.ts";

const ROWS = 50_000, ROW_BYTES = 1026 * 4, HEADER_BYTES = 128;
const MEGABYTE = 2 ** 20;

/** 205 MB of sensor rows on a disk that stores none of them, each beginning with its number. */
function sparseSensor(path: string): void {
  using file = Deno.openSync(path, { createNew: true, write: true });
  file.truncateSync(HEADER_BYTES + ROWS * ROW_BYTES);
  for (let row = 0; row < ROWS; row += 100) {
    file.seekSync(HEADER_BYTES + row * ROW_BYTES, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(Float32Array.of(row).buffer));
  }
}

Deno.test("EpisodeDataset: windows of 98,709 samples are read in flat memory", () => {
  const folder = temporaryFolder();
  const path = `${folder}/sensor.npy`;
  sparseSensor(path);
  using file = openRandomAccess(path);
  const episode = {
    ...memoryEpisode({ actionTime: tenths(760), robotTime: ticks(7601, 100) }),
    sensor: {
      time: ticks(ROWS, 650),
      rows: ROWS,
      readRowsInto: (start: number, target: Float32Array) =>
        file.readInto(target, HEADER_BYTES + start * ROW_BYTES),
    },
  };
  const episodes = new Array<typeof episode>(130).fill(episode);
  const before = Deno.memoryUsage().rss;
  const dataset = new EpisodeDataset(episodes);
  assert(dataset.length >= 98_709);
  const batch = createBatch(16, dataset);
  dataset.readBatch([500], batch);
  const warm = Deno.memoryUsage().rss;
  let seen = 0;
  // Every 37th sample: 0.7 GB of windows pass through.
  for (let i = 0; i + 15 * 37 < dataset.length; i += 16 * 37) {
    const indices = Int32Array.from({ length: 16 }, (_, k) => i + 37 * k);
    dataset.readBatch(indices, batch);
    batch.sensorMask.forEach((m, k) => seen += m === 1 && batch.sensor[k * 1026]! > 0 ? 1 : 0);
  }
  assert(seen > 1000);
  const after = Deno.memoryUsage().rss;
  assert(warm - before < 100 * MEGABYTE, `${(warm - before) / MEGABYTE} MB to make it`);
  assert(after - warm < 100 * MEGABYTE, `${(after - warm) / MEGABYTE} MB to read it`);
});
