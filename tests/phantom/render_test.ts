import assert from "node:assert/strict";
import fc from "fast-check";
import { cameraOf, project } from "../../lib/phantom/_camera.ts";
import type { Vector3 } from "../../lib/robot/_geometry.ts";
import { renderFrame } from "../../lib/phantom/_render.ts";
import { noiseTable } from "../../lib/phantom/_stream.ts";
import {
  INSERTION_AXIS,
  sampleScene,
  simulateEpisode,
  thumbnail,
  visualFeature,
} from "../../lib/phantom/mod.ts";
import { assertClose, canonicalScene } from "./_canonical.ts";
import { referenceFrame } from "./_reference_renderer.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const start = canonicalScene.start;

Deno.test("the cameras project as the prototype's do", () => {
  // deno-fmt-ignore
  const expected = [
    [[261.5832, 89.1418, 344.4602], [284.630, 180.716, 185.454], [297.018, 126.448, 176.232], [279.789, 203.580, 187.824]],
    [[75.6276, 114.3135, 356.0376], [337.290, 166.286, 188.367], [341.410, 126.738, 175.477], [330.082, 179.501, 193.231]],
    [[35.6807, -69.0368, 344.4602], [356.601, 204.104, 179.216], [343.960, 152.741, 169.037], [361.026, 217.663, 184.093]],
    [[214.9957, -84.7249, 366.6464], [301.653, 218.831, 177.512], [297.633, 163.389, 167.967], [309.238, 238.292, 181.033]],
    [[142.3079, -20.2235, 303.8560], [276.859, 231.234, 81.720], [320.000, 151.648, 68.002], [279.938, 256.023, 87.200]],
  ];
  const { target } = canonicalScene;
  const deeper = target.map((x, i) => x + 6 * INSERTION_AXIS[i]!);
  expected.forEach(([origin, ...projections], view) => {
    const camera = cameraOf(view, start);
    assertClose(camera.origin, origin!, 1e-3);
    [target, start.slice(0, 3), deeper].forEach((point, i) => {
      const { u, v, depth } = project(camera, point as unknown as Vector3);
      assertClose([u, v, depth], projections[i]!, 0.01);
    });
  });
});

for (const [reduction, tolerance] of [[1, 0.01], [5, 0.02]] as const) {
  Deno.test(`thumbnails from frames reduced by ${reduction} are the prototype's`, () => {
    const thumbnails = [0, 1, 2, 3, 4].map((view) =>
      thumbnail(renderFrame(canonicalScene, view, start, undefined, reduction))
    );
    const cell = (view: number, row: number, column: number) =>
      thumbnails[view - 1]!.subarray(48 * row + 3 * column, 48 * row + 3 * column + 3);
    assertClose(cell(1, 4, 8), [0.4078, 0.2904, 0.1835], tolerance);
    assertClose(cell(2, 4, 8), [0.1702, 0.2628, 0.0448], tolerance);
    assertClose(cell(4, 4, 8), [0.4148, 0.3056, 0.0057], tolerance);
    assertClose(cell(5, 3, 6), [0.2914, 0.3970, 0.1787], tolerance);
    assertClose(cell(5, 4, 8), [0.5627, 0.4484, 0.3570], tolerance);
    assertClose(cell(5, 2, 9), [0.5269, 0.4156, 0.3265], tolerance);
    assertClose(cell(1, 2, 9), [-0.6324, -0.5431, -0.4902], tolerance);
    const means = thumbnails.map((values) => values.reduce((a, b) => a + b) / values.length);
    assertClose(means, [-0.5009, -0.4731, -0.4728, -0.4846, -0.1583], tolerance);
  });
}

Deno.test("frames equal those of a renderer without bounding boxes, wherever the tool is", () => {
  const noise = fc.double({ min: -1, max: 1, noNaN: true });
  const tool = fc.record({
    seed: fc.nat(1000),
    view: fc.nat(4),
    reduction: fc.constantFrom(5, 8, 20),
    reach: fc.constantFrom(0.1, 1, 10), // how far from where the tool belongs
    moves: fc.tuple(noise, noise, noise, noise, noise, noise),
    depth: fc.double({ min: -20, max: 12, noNaN: true }),
  });
  fc.assert(
    fc.property(tool, ({ seed, view, reduction, reach, moves, depth }) => {
      const scene = sampleScene(seed);
      const pose = scene.start.map((value, i) =>
        (i < 3 ? scene.target[i]! + depth * INSERTION_AXIS[i]! : value) + 10 * reach * moves[i]!
      );
      const frame = renderFrame(scene, view, pose, undefined, reduction);
      const reference = referenceFrame(scene, view, pose, reduction);
      assertClose(frame, reference, 0.01);
    }),
    { numRuns: 60, seed: 1 },
  );
});

Deno.test("full frames equal those of a renderer without bounding boxes", () => {
  const scene = sampleScene(11);
  for (const view of [1, 4]) {
    const frame = renderFrame(scene, view, scene.start, undefined);
    assertClose(frame, referenceFrame(scene, view, scene.start, 1), 0.01);
  }
});

Deno.test("nothing drawn depends on the membrane", () => {
  const deep = { ...canonicalScene, membraneDistance: 9 };
  for (const view of [0, 4]) {
    const frame = renderFrame(canonicalScene, view, start, 1, 5).slice();
    assert.deepEqual(renderFrame(deep, view, start, 1, 5), frame);
  }
});

Deno.test("a frame's word brings flicker and pixel noise from the table", () => {
  const table = noiseTable(), word = 0xABCD1234;
  for (const reduction of [1, 5]) {
    const clean = renderFrame(canonicalScene, 2, start, undefined, reduction).slice();
    const noisy = renderFrame(canonicalScene, 2, start, word, reduction);
    const expected = clean.map((colour, i) => {
      const flicker = 1 + 0.01 * table[0xABCD]!;
      const value = colour * flicker + 4 / reduction * table[(0x1234 + i) % 65536]!;
      return Math.min(255, Math.max(0, value));
    });
    assertClose(noisy, expected, 1e-3);
  }
});

Deno.test("a thumbnail is the mean of its cells", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const pixels = Float32Array.from(
        { length: 128 * 72 * 3 },
        (_, i) => (Math.imul(i + seed, 2654435761) >>> 0) % 256,
      );
      const small = thumbnail(pixels);
      for (const [row, column, channel] of [[0, 0, 0], [7, 15, 2], [3, 9, 1]] as const) {
        let sum = 0;
        for (let y = 0; y < 9; y++) {
          for (let x = 0; x < 8; x++) {
            sum += pixels[3 * ((9 * row + y) * 128 + 8 * column + x) + channel]!;
          }
        }
        assertClose([small[48 * row + 3 * column + channel]!], [sum / 72 / 127.5 - 1], 1e-6);
      }
    }),
    { numRuns: 20 },
  );
});

Deno.test("a visual feature holds the thumbnails in order and the task", () => {
  const thumbnails = [1, 2, undefined, 4, 5].map((value) =>
    value === undefined ? undefined : new Float32Array(384).fill(value)
  );
  const feature = visualFeature(thumbnails, "White_point");
  const heads = [0, 1, 2, 3, 4].map((view) => feature[384 * view + 383]);
  assert.deepEqual(heads, [1, 2, 0, 4, 5]);
  assert.deepEqual([...feature.subarray(1920, 1926)], [0, 0, 0, 1, 0, 0]);
  assert.throws(() => visualFeature([], "White_point"), /current value is 0 thumbnails/);
});

Deno.test("impossible sizes of frames are refused", () => {
  for (const raster of [0, -1, 3, 0.5, NaN, 1000]) {
    assert.throws(() => simulateEpisode({ seed: 1, raster }), /must divide 640 and 360/);
  }
  assert.throws(() => thumbnail(new Uint8Array(80 * 45 * 3)), /current value is 10800/);
});
