import assert from "node:assert/strict";
import { join } from "node:path";
import {
  openTokenizer,
  type Picture,
  pictureSimilarity,
  readImageProcessor,
  tokenCounts,
  tokenRuns,
} from "../../lib/vision_language/mod.ts";
import { FIXTURES, MODEL } from "./_folder.ts";

const tokenizer = openTokenizer(join(FIXTURES, "tokenizer"));
const limits = (minPixels: number, maxPixels: number) =>
  readImageProcessor(join(MODEL, "preprocessor_config.json"), { minPixels, maxPixels });
const views = (count: number, width: number, height: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `View${i + 1}`, width, height }));

Deno.test("tokens of a prompt are 16, two marks and the visual tokens of each view, and the text", () => {
  for (const count of [1, 2, 3, 5]) {
    const own = tokenCounts(views(count, 1280, 720), limits(3136, 12845056), tokenizer, "Hello");
    assert.deepEqual(
      [own.visual, own.template, own.text, own.length],
      [1196 * count, 16 + 2 * count, 1, 1196 * count + 17 + 2 * count],
    );
    const equal = tokenCounts(views(count, 640, 360), limits(230400, 230400), tokenizer, "");
    assert.deepEqual([equal.visual, equal.length], [264 * count, 16 + 266 * count]);
  }
  const [image] = tokenCounts(views(1, 1280, 720), limits(3136, 12845056), tokenizer, "").images;
  assert.deepEqual(image, {
    name: "View1",
    size: { height: 720, width: 1280 },
    resized: { height: 728, width: 1288 },
    grid: { frames: 1, height: 52, width: 92 },
    patches: 4784,
    tokens: 1196,
  });
});

Deno.test("views of different sizes are counted each by its own, and none is allowed", () => {
  const mixed = [...views(1, 640, 480), { name: "hand", width: 512, height: 512 }];
  const counts = tokenCounts(mixed, limits(3136, 12845056), tokenizer, "Move left.");
  assert.deepEqual(counts.images.map(({ tokens }) => tokens), [391, 324]);
  assert.equal(counts.length, 16 + 2 * 2 + 391 + 324 + 3);
  assert.equal(tokenCounts([], limits(3136, 12845056), tokenizer, "Hello").length, 17);
});

Deno.test("token runs spell the whole prompt, equal neighbours once", () => {
  const text = "Perform Green point insertion task";
  const runs = tokenRuns(tokenizer, { imageTokens: [264, 15], text });
  assert.deepEqual(runs.slice(0, 14).map(({ id }) => id), [
    ...[151644, 8948, 198, 2610, 525, 264, 10950, 17847, 13, 151645, 198, 151644, 872, 198],
  ]);
  assert.deepEqual(
    runs.slice(14, 20).map(({ count, token }) => [count, token]),
    [
      [1, "<|vision_start|>"],
      [264, "<|image_pad|>"],
      [1, "<|vision_end|>"],
      [1, "<|vision_start|>"],
      [15, "<|image_pad|>"],
      [1, "<|vision_end|>"],
    ],
  );
  assert.deepEqual(
    runs.slice(20).map(({ token }) => token).join(""),
    [
      ...["Perform", "ĠGreen", "Ġpoint", "Ġinsertion", "Ġtask", "<|im_end|>", "Ċ"],
    ].join(""),
  );
  let place = 0;
  for (const run of runs) {
    assert.equal(run.place, place);
    place += run.count;
  }
});

/** As `make_similarity.py` makes it. */
function picture(height: number, width: number, salt: number): Picture {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        data[i++] = (x * 7 + y * 13 + c * 29 + (x * y % 17) * salt + Math.floor(y / 9) * 31) % 256;
      }
    }
  }
  return { height, width, data };
}

interface Case {
  readonly height: number;
  readonly width: number;
  readonly salts: readonly [number, number];
  readonly added: boolean;
  readonly psnr: number;
  readonly ssim: number;
}

Deno.test("PSNR and SSIM are those that NumPy and SciPy compute", () => {
  const cases: Case[] = JSON.parse(
    Deno.readTextFileSync(join(FIXTURES, "image", "similarity.json")),
  );
  assert.equal(cases.length, 4);
  for (const { height, width, salts: [first, second], added, psnr, ssim } of cases) {
    const a = picture(height, width, first), b = picture(height, width, second);
    if (added) {
      b.data.forEach((value, i) =>
        b.data[i] = Math.min(255, value + Math.floor(i / (3 * width)) % 3)
      );
    }
    const found = pictureSimilarity(a, b);
    assert(Math.abs(found.psnr - psnr) < 1e-9, `${found.psnr} and ${psnr}`);
    assert(Math.abs(found.ssim - ssim) < 1e-9, `${found.ssim} and ${ssim}`);
  }
});

Deno.test("pictures of other sizes, or smaller than the window, are refused", () => {
  assert.throws(() => pictureSimilarity(picture(20, 20, 1), picture(20, 21, 1)), /20×21/);
  assert.throws(() => pictureSimilarity(picture(10, 20, 1), picture(10, 20, 1)), RangeError);
});
