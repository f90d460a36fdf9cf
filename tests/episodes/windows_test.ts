import assert from "node:assert/strict";
import { rebuildRows } from "../../lib/episodes/layouts/_windows.ts";
import { openNpy, writeNpy } from "../../lib/formats/mod.ts";
import { temporaryPath } from "../_temporary.ts";

const HZ = 650, SIZE = 650, WIDTH = 3, DATAGRAM = 15;

/** Windows as the collector cuts them from rows that got through; row k is (k, 0, 0). */
function rebuild(loss: number, seconds: number, seed = 1, isStuck = false) {
  let state = seed;
  const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const kept: number[] = [];
  for (let first = 0; first < seconds * HZ; first += DATAGRAM) {
    if (random() < loss) continue;
    for (let k = 0; k < DATAGRAM; k++) kept.push(first + k);
  }
  const ends: number[] = [], values: number[] = [];
  let next = 0;
  kept.forEach((row, k) => {
    if (k + 1 < SIZE || row / HZ < next || (k + 1) % DATAGRAM !== 0) return;
    next = row / HZ + 0.2;
    ends.push(row / HZ);
    for (const id of kept.slice(k + 1 - SIZE, k + 1)) values.push(isStuck ? 0 : id, 0, 0);
  });
  const path = temporaryPath("data.npy");
  writeNpy(path, { shape: [ends.length, SIZE, WIDTH], data: Float32Array.from(values) });
  using windows = openNpy(path, { dtype: "float32" });
  const rows = rebuildRows(windows, Float64Array.from(ends), SIZE);
  const ids = new Float32Array(rows.time.length * WIDTH);
  rows.readRowsInto(0, ids);
  return { ...rows, ids: Array.from(rows.time, (_, k) => ids[k * WIDTH]!), kept, ends };
}

Deno.test("without losses the rows and their times are the recorded ones", () => {
  const { time, ids, lostInWindows } = rebuild(0, 6);
  assert.equal(lostInWindows, 0);
  ids.forEach((id, k) => assert(Math.abs(time[k]! - id / HZ) < 1e-9, `row ${id}`));
});

Deno.test("with losses no row is dated before its time, however many there are", () => {
  for (const loss of [0.004, 0.02, 0.06, 0.1, 0.2, 0.4]) {
    for (const seed of [1, 2, 3]) {
      const { time, ids, lostInWindows, kept } = rebuild(loss, 10, seed);
      const lost = ids.at(-1)! - ids[0]! + 1 - ids.length;
      assert(Math.abs(lostInWindows - lost) <= lost, `${lostInWindows} of ${lost}`);
      ids.forEach((id, k) => {
        const early = id / HZ - time[k]!;
        assert(early < 1e-6, `loss ${loss}: row ${id} is dated ${early} s before its time`);
      });
      const ascending = ids.every((id, k) => k === 0 || id > ids[k - 1]!);
      assert(ascending && ids.every((id) => kept.includes(id)), "each row once");
    }
  }
});

Deno.test("a sensor that is stuck keeps its rows", () => {
  const { time, ends } = rebuild(0, 6, 1, true);
  const span = ends.at(-1)! - ends[0]!;
  assert(Math.abs(time.length - (SIZE + span * HZ)) <= 2, `${time.length} rows`);
});
