import assert from "node:assert/strict";
import { cleanALine, cleanForce } from "../../lib/phantom/_sensor.ts";
import { noiseTable, streamWords } from "../../lib/phantom/_stream.ts";
import { simulateEpisode, tipGeometry } from "../../lib/phantom/mod.ts";
import { assertClose, canonicalScene } from "./_canonical.ts";

const background = Float64Array.from({ length: 1025 }, (_, i) => 22 + 150 * Math.exp(-i / 110));

function aLine(tipDistance: number, isPunctured: boolean): Float64Array {
  const line = new Float64Array(1025);
  cleanALine(line, { tipDistance, cosine: 1, sincePuncture: isPunctured ? 1 : -1 }, 1);
  return line;
}

Deno.test("the noise-free A-line has the prototype's echoes", () => {
  // deno-fmt-ignore
  const cases: [s: number, isPunctured: boolean, peaks: [index: number, value: number][],
    at500: number, mean: number][] = [
    [9, false, [], 23.592, 38.169],
    [8, false, [[1001, 111.959]], 23.592, 40.301],
    [5, false, [[626, 148.031]], 23.592, 47.133],
    [2, false, [[251, 212.498], [800, 89.756]], 40.104, 54.197],
    [0.5, false, [[63, 314.307], [612, 102.493]], 31.392, 57.316],
    [-0.4, false, [[535, 109.077]], 33.329, 56.672],
    [-0.6, true, [[475, 116.089]], 46.590, 54.929],
    [-2, true, [[300, 147.529]], 29.667, 55.420],
    [-2.3, true, [[262, 158.228]], 29.667, 55.536],
  ];
  for (const [s, isPunctured, peaks, at500, mean] of cases) {
    const line = aLine(s, isPunctured);
    const echo = line.map((value, i) => value - background[i]!);
    const found = Array.from(echo.keys()).filter((i) =>
      i > 5 && i < 1024 && // the scatter begins with a jump where the tip touches
      echo[i]! > echo[i - 1]! && echo[i]! > echo[i + 1]! && echo[i]! > 10
    );
    assert.deepEqual(found, peaks.map(([index]) => index), `s = ${s}`);
    assertClose(found.map((i) => line[i]!), peaks.map(([, value]) => value), 1e-3);
    assertClose([line[500]!, line.reduce((a, b) => a + b) / 1025], [at500, mean], 1e-3);
    assertClose([line[0]!], [s === -0.4 ? 322 : 172], 1e-3);
  }
});

Deno.test("a tilted needle sees the membrane further away, up to a limit", () => {
  for (const [cosine, index] of [[1, 250], [0.95, 263], [0.9, 278], [0.5, 278]] as const) {
    const line = new Float64Array(1025), flat = new Float64Array(1025);
    cleanALine(line, { tipDistance: 2, cosine, sincePuncture: NaN }, 1);
    cleanALine(flat, { tipDistance: 2 / Math.max(0.9, cosine), cosine: 1, sincePuncture: NaN }, 1);
    assertClose(line, flat, 1e-9);
    const peak = line.indexOf(Math.max(...line.subarray(150)));
    assert.ok(Math.abs(peak - index) <= 1, `peak at ${peak} for ${cosine}`);
  }
});

Deno.test("a row's noise follows from its word", () => {
  const { sensor, scene } = simulateEpisode({ seed: 9001 });
  const table = noiseTable(), words = streamWords(9001, 6, 130), rows = sensor.rows(0, 130);
  const clean = new Float64Array(1025);
  for (const row of [0, 1, 77, 129]) { // at rest
    const speckle = words[row]! & 0xFFFF, read = words[row]! >>> 16;
    const time = -0.2 + row / 650;
    const force = scene.baseForce + 0.006 * table[(speckle + 12345) % 65536]! +
      0.004 * Math.sin(100 * Math.PI * time);
    assertClose([rows[1026 * row]!], [force], 1e-6);
    const { tipDistance } = tipGeometry(scene, scene.start);
    cleanALine(clean, { tipDistance, cosine: 1, sincePuncture: NaN }, scene.echoGain);
    const expected = clean.map((value, i) => {
      const factor = 1 + 0.18 * table[(speckle + i) % 65536]!;
      return Math.min(290, Math.max(-30, value * factor + 6 * table[(read + 3 * i) % 65536]!));
    });
    assertClose(rows.subarray(1026 * row + 1, 1026 * (row + 1)), expected, 1e-3);
  }
});

Deno.test("the noise-free force is the prototype's", () => {
  const cases = [
    [1, NaN, 2.4],
    [-0.3, NaN, 2.7],
    [-0.59, NaN, 2.99],
    [-0.6, 0, 3.0],
    [-0.7, 0.05, 2.71270],
    [-2, 0.5, 2.62002],
    [0.1, 0.5, 2.4],
  ] as const;
  for (const [tipDistance, sincePuncture, force] of cases) {
    const seen = { tipDistance, cosine: 1, sincePuncture };
    assertClose([cleanForce(canonicalScene, seen)], [force], 1e-5);
  }
});

Deno.test("A-lines and force of an episode have the prototype's statistics", () => {
  const { sensor, truth, scene } = simulateEpisode({ seed: 1000 });
  let sum = 0, squares = 0, count = 0, least = Infinity, most = -Infinity, peak = 0;
  for (let start = 0; start < sensor.time.length; start += 650) {
    const rows = sensor.rows(start, Math.min(start + 650, sensor.time.length));
    for (let i = 0; i < rows.length; i++) {
      if (i % 1026 === 0) {
        peak = Math.max(peak, rows[i]!);
        continue;
      }
      sum += rows[i]!;
      squares += rows[i]! ** 2;
      count++;
      least = Math.min(least, rows[i]!);
      most = Math.max(most, rows[i]!);
    }
  }
  const mean = sum / count, deviation = Math.sqrt(squares / count - mean ** 2);
  assert.ok(mean > 44 && mean < 54, `mean ${mean}`);
  assert.ok(deviation > 40 && deviation < 50, `standard deviation ${deviation}`);
  assert.ok(least >= -30 && least < -5 && most === 290, `${least} to ${most}`);
  const expected = scene.baseForce + scene.punctureForce;
  assert.ok(Math.abs(peak - expected) < 0.05, `peak ${peak} N, expected ${expected} N`);
  assert.ok(truth.tPun > truth.tContact);
});

Deno.test("the membrane echo fades at the puncture, not before", () => {
  const { sensor, truth } = simulateEpisode({ seed: 1001 });
  const shallow = (time: number) => {
    const row = sensor.trueTime.findIndex((t) => t >= time);
    const rows = sensor.rows(row, row + 20);
    let total = 0;
    for (let i = 0; i < 20; i++) for (let k = 1; k <= 8; k++) total += rows[i * 1026 + k]!;
    return total / 160;
  };
  assert.ok(shallow(truth.tPun - 0.04) > shallow(truth.tPun) + 40); // both are cut at 290
});

Deno.test("rows are the same in whatever pieces they are read", () => {
  const { sensor } = simulateEpisode({ seed: 3, clock: "full" });
  const whole = sensor.rows(100, 130);
  for (const [start, end] of [[100, 101], [107, 130], [129, 130], [110, 110]] as const) {
    const part = whole.subarray((start - 100) * 1026, (end - 100) * 1026);
    assert.deepEqual(sensor.rows(start, end), part.slice());
  }
  assert.throws(() => sensor.rows(-1, 2), RangeError);
  assert.throws(() => sensor.rows(0, sensor.time.length + 1), /current value is 0 to/);
});
