import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import {
  assertFits,
  cutPatches,
  decodePicture,
  gridOf,
  processPicture,
  readImageProcessor,
  readModelConfig,
  resample,
  resizedSize,
} from "../../lib/vision_language/mod.ts";
import { checkImages, syntheticPicture } from "../../lib/vision_language/parity/mod.ts";
import { copyModel, editJson, FIXTURES, MODEL } from "./_folder.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

const FILE = "preprocessor_config.json";
const processor = readImageProcessor(join(MODEL, FILE));

Deno.test("Sizes, resized pictures and pixel values are those of the published processors, to the bit", () => {
  const checks = checkImages(FIXTURES);
  assert(checks.length > 20);
  assert.deepEqual(checks.filter(({ pass }) => !pass), []);
});

Deno.test("resizedSize gives whole visual tokens between the limits, whose shape is close", () => {
  const side = fc.integer({ min: 28, max: 3000 });
  fc.assert(fc.property(side, side, (height, width) => {
    const limits = { minPixels: 3136, maxPixels: 230400 };
    const size = resizedSize({ height, width }, limits);
    assert(size.height % 28 === 0 && size.width % 28 === 0);
    if (Math.max(height, width) / Math.min(height, width) < 5) {
      assert(size.height * size.width <= limits.maxPixels);
      assert(Math.abs(Math.log(size.height / size.width / (height / width))) < 0.7);
    }
  }));
  assert.throws(() => resizedSize({ height: 1, width: 201 }, processor), /at most 200 times/);
  assert.throws(() => resizedSize({ height: 0, width: 5 }, processor), /positive integers/);
});

Deno.test("resizedSize is not idempotent where both limits are the same", () => {
  const limits = { minPixels: 230400, maxPixels: 230400 };
  assert.deepEqual(resizedSize({ height: 336, width: 616 }, limits), { height: 364, width: 672 });
});

Deno.test("resample leaves a picture of the same size as it is, and keeps colours apart", () => {
  const picture = syntheticPicture({ width: 30, height: 20 }, 1);
  assert.deepEqual(resample(picture, { width: 30, height: 20 }).data, picture.data);
  const onlyRed = { ...picture, data: picture.data.map((value, i) => i % 3 === 0 ? value : 0) };
  const { data } = resample(onlyRed, { width: 50, height: 11 });
  assert(data.some((value) => value > 0) && data.every((value, i) => i % 3 === 0 || value === 0));
});

/** A side at a time and a value at a time, with weights as in the definition. */
function slowly(data: Uint8Array, width: number, outputs: number, bits: number): Uint8Array {
  const lines = data.length / width / 3, scale = width / outputs, stretch = Math.max(scale, 1);
  const result = new Uint8Array(lines * outputs * 3);
  const cubic = (x: number) =>
    x < 1 ? ((1.5 * x) - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
  for (let i = 0; i < outputs; i++) {
    const centre = (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5));
    const to = Math.min(width, Math.trunc(centre + 2 * stretch + 0.5));
    const exact = Array.from(
      { length: to - from },
      (_, j) => cubic(Math.abs((from + j - centre + 0.5) / stretch)),
    );
    const sum = exact.reduce((total, weight) => total + weight, 0);
    const weights = exact.map((weight) => {
      const shifted = weight / sum * 2 ** bits;
      return Math.trunc(shifted + (weight < 0 ? -0.5 : 0.5));
    });
    for (let line = 0; line < lines; line++) {
      for (let c = 0; c < 3; c++) {
        const total = weights.reduce(
          (so, weight, j) => so + weight * data[(line * width + from + j) * 3 + c]!,
          2 ** (bits - 1),
        );
        const value = Math.min(255, Math.max(0, Math.floor(total / 2 ** bits)));
        result[(line * outputs + i) * 3 + c] = value;
      }
    }
  }
  return result;
}

Deno.test("resample adds what the definition adds, however short a side is or however much it shrinks", () => {
  const side = fc.integer({ min: 1, max: 90 });
  fc.assert(
    fc.property(side, side, fc.integer({ min: 1, max: 40 }), (width, height, outputs) => {
      const picture = syntheticPicture({ width, height }, width + height);
      const { data } = resample(picture, { width: outputs, height }, "pil");
      const expected = width === outputs ? picture.data : slowly(picture.data, width, outputs, 22);
      assert.deepEqual(data, expected);
      const turned = { width: 1, height: width, data: picture.data.subarray(0, 3 * width) };
      const upright = resample(turned, { width: 1, height: outputs }, "pil");
      const line = turned.data.slice();
      assert.deepEqual(upright.data, width === outputs ? line : slowly(line, width, outputs, 22));
    }),
    { numRuns: 200, seed: 1 },
  );
});

Deno.test("cutPatches puts tokens before patches, and inside a patch channel, frame, row, column", () => {
  const picture = syntheticPicture({ width: 56, height: 28 }, 3);
  const plain = { ...processor, mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] };
  const patches = cutPatches(picture, plain);
  const at = (x: number, y: number, c: number) => picture.data[(y * 56 + x) * 3 + c]!;
  const found = (patch: number, c: number, frame: number, row: number, column: number) =>
    Math.round(patches[patch * 1176 + ((c * 2 + frame) * 14 + row) * 14 + column]!);
  // Patch 5 is the second of the second token: row 0, column 3 of the grid.
  assert.equal(found(5, 2, 1, 4, 9), at(3 * 14 + 9, 4, 2));
  assert.equal(found(5, 2, 0, 4, 9), at(3 * 14 + 9, 4, 2));
  assert.equal(found(2, 0, 0, 1, 0), at(0, 15, 0));
  assert.throws(() => cutPatches({ ...picture, height: 14 }, plain), /multiples of 28/);
});

Deno.test("decodePicture turns by EXIF, blends transparency onto white, and names what it cannot read", async () => {
  const wide = { width: 8, height: 4, channels: 3, background: "blue" } as const;
  const turned = await sharp({ create: wide }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const { width, height } = await decodePicture(turned);
  assert.deepEqual([width, height], [4, 8]);
  const clear = { width: 2, height: 2, channels: 4, background: "#ff000000" } as const;
  const { data } = await decodePicture(await sharp({ create: clear }).png().toBuffer());
  assert.deepEqual([...data.subarray(0, 3)], [255, 255, 255]);
  const grey = await sharp({ create: wide }).greyscale().png().toBuffer();
  assert.equal((await decodePicture(grey)).data.length, 8 * 4 * 3);
  await assert.rejects(decodePicture(turned.subarray(0, 40), "View1"), /Cannot decode View1/);
});

Deno.test("readImageProcessor takes limits of both spellings, refuses others, and must fit the model", () => {
  const folder = copyModel(), path = join(folder, FILE);
  editJson(folder, FILE, ({ min_pixels, max_pixels, ...rest }) => ({
    ...rest,
    size: { shortest_edge: min_pixels, longest_edge: max_pixels },
  }));
  assert.deepEqual(readImageProcessor(path), processor);
  editJson(folder, FILE, (value) => void (value["image_std"] = [1, 0, 1]));
  assert.throws(() => readImageProcessor(path), /deviation should be above 0/);
  const { vision } = readModelConfig(join(MODEL, "config.json"));
  assertFits(processor, vision);
  assert.throws(
    () => assertFits({ ...processor, patchSize: 16 }, vision),
    /patchSize should be 14/,
  );
});

Deno.test("processPicture gives the patches of its grid", () => {
  const picture = syntheticPicture({ width: 97, height: 61 }, 1);
  const { grid, patches } = processPicture(picture, processor);
  assert.deepEqual(grid, gridOf(picture, processor));
  assert.equal(patches.length, grid.height * grid.width * 1176);
  const wide = { ...processor, minPixels: 230400, maxPixels: 230400 };
  assert.deepEqual(gridOf({ height: 360, width: 640 }, wide), { frames: 1, height: 24, width: 44 });
});

Deno.test("readImageProcessor refuses settings that ask for another computation", () => {
  const folder = copyModel(), path = join(folder, FILE);
  const original = Deno.readTextFileSync(path);
  const read = (change: object) => () => {
    Deno.writeTextFileSync(path, JSON.stringify({ ...JSON.parse(original), ...change }));
    return readImageProcessor(path);
  };
  const steps = ["do_resize", "do_rescale", "do_normalize", "do_convert_rgb"];
  const usual = Object.fromEntries(steps.map((key) => [key, true]));
  for (const rescale_factor of [1 / 255, 0.00392156862745098, 0.003921569]) {
    assert.deepEqual(read({ ...usual, rescale_factor, resample: 3 })(), processor);
  }
  for (const key of steps) {
    assert.throws(read({ [key]: false }), {
      name: "SyntaxError",
      message: new RegExp(`${FILE}: ${key} should be true, current value is false`),
    });
    assert.throws(read({ [key]: null }), new RegExp(`${key} should be true or false.*null`));
  }
  assert.throws(
    read({ rescale_factor: 1 / 256 }),
    /preprocessor_config\.json: rescale_factor should be 1\/255, current value is 0\.00390625/,
  );
  assert.throws(read({ resample: 2 }), /resample should be 3 \(bicubic\), current value is 2/);
});

Deno.test("readImageProcessor names the file that a model's folder lacks", () => {
  const folder = copyModel(), path = join(folder, FILE);
  Deno.removeSync(path);
  assert.throws(() => readImageProcessor(path), {
    name: "NotFound",
    message:
      /Cannot open the model .*should hold preprocessor_config\.json, current value is no such/,
  });
});
