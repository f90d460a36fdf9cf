import assert from "node:assert/strict";
import sharp from "sharp";
import { blockMeans } from "../../lib/features/_block_means.ts";
import { type FeatureRequest, pixel2048 } from "../../lib/features/mod.ts";
import { instructionOf } from "../../lib/episodes/mod.ts";
import { PHANTOM_TASKS, thumbnail, visualFeature } from "../../lib/phantom/mod.ts";
import { temporaryPath } from "../_temporary.ts";

const VIEWS = ["View1", "View2", "View3", "View4", "View5"];
const GREEN = "Perform Green point insertion task";

/** The pattern of make_features.py. */
function picture(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const c = i % 3, x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    return (x * 7 + y * 13 + c * 101 + (x * y) % 31 * 5) % 256;
  });
}

/** A smooth picture, as cameras give. */
function smooth(phase: number): Uint8Array {
  return Uint8Array.from({ length: 640 * 360 * 3 }, (_, i) => {
    const c = i % 3, x = Math.floor(i / 3) % 640, y = Math.floor(i / 3 / 640);
    return 128 + 100 * Math.sin(x / 90 + phase + c) * Math.cos(y / 70 - phase);
  });
}

function jpeg(pixels: Uint8Array, quality = 75, width = 640, height = 360): Promise<Uint8Array> {
  return sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality }).toBuffer();
}

function request(images: readonly (Uint8Array | string | null)[], instruction = GREEN) {
  const views = VIEWS.map((name, v) => ({ name, image: images[v] ?? null }));
  return { views, instruction } satisfies FeatureRequest;
}

async function valuesOf(each: FeatureRequest): Promise<Float32Array> {
  const [feature] = await pixel2048().extract([each]);
  assert.deepEqual([feature!.tokens, feature!.values.length], [1, 2048]);
  return feature!.values;
}

Deno.test("block means of pictures of any size equal NumPy's", () => {
  const { pictures } = JSON.parse(
    Deno.readTextFileSync(
      new URL("../../data-fixtures/features/block_means.json", import.meta.url),
    ),
  );
  assert.equal(pictures.length, 8);
  for (const { width, height, means } of pictures) {
    const target = new Float32Array(384);
    blockMeans(picture(width, height), width, height, target);
    for (let i = 0; i < 384; i++) {
      assert(Math.abs(target[i]! - means[i]) < 1e-6, `${width}x${height} at ${i}: ${target[i]}`);
    }
  }
});

Deno.test("block means of 640×360 and 128×72 equal the simulator's thumbnails exactly", () => {
  for (const [width, height] of [[640, 360], [128, 72]] as const) {
    const pixels = picture(width, height), target = new Float32Array(384);
    blockMeans(pixels, width, height, target);
    assert.deepEqual(target, thumbnail(pixels));
  }
});

Deno.test("pixel-2048 of JPEG files equals the simulator's feature within JPEG error", async () => {
  const pictures = VIEWS.map((_, v) => smooth(v));
  const images = await Promise.all(pictures.map((pixels) => jpeg(pixels)));
  for (const task of PHANTOM_TASKS) {
    const found = await valuesOf(request(images, instructionOf(task)));
    const expected = visualFeature(pictures.map(thumbnail), task);
    let most = 0;
    for (let i = 0; i < 2048; i++) most = Math.max(most, Math.abs(found[i]! - expected[i]!));
    assert(most < 0.01, `${task}: ${most}`); // 1.3 of 255 grey levels
  }
});

Deno.test("pixel-2048 of a decoded file equals the simulator's feature of its pixels exactly", async () => {
  const image = await jpeg(smooth(0.3));
  const { data } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  const found = await valuesOf(request([null, image]));
  assert.deepEqual(found.subarray(384, 768), thumbnail(new Uint8Array(data)));
});

Deno.test("pixel-2048 marks views without an image, and an instruction it does not know", async () => {
  const image = await jpeg(smooth(1));
  const found = await valuesOf(request([image, null, image, null, image], "Do something else"));
  assert.deepEqual([...found.subarray(2042)], [0, 1, 0, 1, 0, 1]);
  assert(found.subarray(384, 768).every((value) => value === 0));
  assert(found.subarray(1920, 2042).every((value) => value === 0));
  const whole = await valuesOf(request([image, image, image, image, image]));
  assert.equal(whole.indexOf(1, 1920), 1921);
  assert(whole.subarray(1926).every((value) => value === 0));
});

Deno.test("pixel-2048 takes grey, transparent and path images, and counts what it saw", async () => {
  const raw = { raw: { width: 8, height: 8, channels: 1 } } as const;
  const grey = await sharp(new Uint8Array(64).fill(51), raw).jpeg().toBuffer();
  const clear = await sharp({
    create: { width: 9, height: 9, channels: 4, background: { r: 255, g: 0, b: 51, alpha: 0.5 } },
  }).png().toBuffer();
  const path = temporaryPath("grey.jpg");
  Deno.writeFileSync(path, grey);
  const [feature] = await pixel2048().extract([request([grey, clear, path])]);
  const { values, visualTokens } = feature!;
  assert.equal(visualTokens, 3 * 128);
  for (const i of [0, 1, 2, 768]) assert(Math.abs(values[i]! + 0.6) < 0.008);
  for (const [c, value] of [1, -1, -0.6].entries()) {
    assert(Math.abs(values[384 + c]! - value) < 1e-6);
  }
});

Deno.test("pixel-2048 in a batch equals pixel-2048 alone", async () => {
  const images = await Promise.all([0, 1, 2].map((phase) => jpeg(smooth(phase))));
  const requests = [0, 1, 2, 3, 4, 5].map((k) => request([images[k % 3]!, images[(k + 1) % 3]!]));
  const together = await pixel2048().extract(requests);
  for (const [k, each] of requests.entries()) {
    assert.deepEqual(together[k]!.values, await valuesOf(each));
  }
});

Deno.test("pixel-2048 puts views where the caller's order says", async () => {
  const [a, b] = [await jpeg(smooth(0)), await jpeg(smooth(2))];
  const extractor = pixel2048({ views: ["View5", "View1"] });
  const [feature] = await extractor.extract([{
    views: [{ name: "View5", image: b }, { name: "View1", image: a }],
    instruction: GREEN,
  }]);
  const plain = await valuesOf(request([a, b]));
  assert.deepEqual(feature!.values.subarray(0, 384), plain.subarray(384, 768));
  assert.deepEqual(feature!.values.subarray(384, 768), plain.subarray(0, 384));
});

Deno.test("pixel-2048 refuses files that are no whole image, and names them", async () => {
  const path = temporaryPath("cut.jpg");
  const image = await jpeg(smooth(0));
  Deno.writeFileSync(path, image.subarray(0, image.length / 2));
  await assert.rejects(
    valuesOf(request([path])),
    (error: Error) => error instanceof SyntaxError && error.message.includes(path),
  );
  for (const bytes of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode("text")]) {
    await assert.rejects(valuesOf(request([null, bytes])), /Cannot decode the image of View2/);
  }
});

Deno.test("pixel-2048 refuses other views, and too many views or tasks", async () => {
  const extractor = pixel2048();
  const views = VIEWS.toReversed().map((name) => ({ name, image: null }));
  await assert.rejects(
    async () => await extractor.extract([{ views, instruction: GREEN }]),
    RangeError,
  );
  assert.throws(() => pixel2048({ views: [...VIEWS, "View6"] }), /1 to 5 views/);
  assert.throws(() => pixel2048({ views: ["View1", "View1"] }), /"View1" twice/);
  assert.throws(() => pixel2048({ views: [] }), RangeError);
  const many = Array.from({ length: 123 }, (_, k) => [`task ${k}`]);
  assert.throws(() => pixel2048({ tasks: many }), /1 to 122/);
  assert.throws(() => pixel2048({ tasks: [["a"], ["a"]] }), /"a" twice/);
});
