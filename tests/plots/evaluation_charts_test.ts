import assert from "node:assert/strict";
import sharp from "sharp";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { renderSvg, showImages, spreadAgainstError, tradeOff } from "../../lib/plots/mod.ts";
import { temporaryFolder } from "../_temporary.ts";
import { assertWellFormed } from "./_markup.ts";

const bins = [{ expected: 0.02, rmse: 0.03 }, { expected: 0.05, rmse: 0.04 }];
const points = [
  { name: "one view", cost: 95, error: 0.2 },
  { name: "two <views>", cost: 168, error: 0.1 },
  { name: "three", cost: 240, error: 0.15 },
];
const input = {
  ...{ points, front: points.slice(0, 2) },
  ...{ costTitle: "latency (ms)", errorTitle: "RMSE (mm)" },
};

Deno.test("charts of evaluation are drawn, with units on their axes", () => {
  for (const figure of [spreadAgainstError(bins), tradeOff(input)]) {
    assertWellFormed(renderSvg(figure));
    assert.match(figure.layout.xaxis!.title!.text, /\((mm|ms)\)$/);
    assert.match(figure.layout.yaxis!.title!.text, /\(mm\)$/);
  }
});

Deno.test("the line of a calibrated policy reaches the largest of both errors", () => {
  const [policy, promise] = spreadAgainstError(bins).data;
  assert.deepEqual(policy!.y, [0.03, 0.04]);
  assert.deepEqual([promise!.x, promise!.y], [[0, 0.05], [0, 0.05]]);
});

Deno.test("the front is a staircase, every variant a point of its own", () => {
  const [stairs, ...marks] = tradeOff(input).data;
  assert.deepEqual([stairs!.x, stairs!.y], [[95, 168, 168], [0.2, 0.2, 0.1]]);
  assert.deepEqual(marks.map(({ name }) => name), points.map(({ name }) => name));
  const alike = points.map((point) => ({ ...point, name: "masked" }));
  assert.deepEqual(tradeOff({ ...input, points: alike }).data[1]!.x, [95, 168, 240]);
  assert.deepEqual(tradeOff({ ...input, front: [] }).data[0]!.x, []);
});

Deno.test("pictures stand row by row, and a missing one leaves a grey field", async () => {
  const folder = temporaryFolder();
  const colours = ["red", "blue"] as const;
  const files = await Promise.all(colours.map(async (background) => {
    const path = join(folder, `${background}.png`);
    await sharp({ create: { width: 32, height: 18, channels: 3, background } }).toFile(path);
    return path;
  }));
  const shown = await showImages([...files, null], { size: [16, 9], columns: 2, quality: 100 });
  const media = shown[Symbol.for("Jupyter.display")]!();
  const { data, info } = await sharp(Buffer.from(media["image/jpeg"] as string, "base64")).raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height], [36, 22]);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * 36 + x), 3 * (y * 36 + x) + 3)];
  const isNear = (found: number[], expected: number[]) =>
    found.every((value, c) => Math.abs(value - expected[c]!) < 40);
  assert(isNear(at(5, 4), [255, 0, 0]), `${at(5, 4)}`);
  assert(isNear(at(28, 4), [0, 0, 255]), `${at(28, 4)}`);
  assert(isNear(at(5, 17), [128, 128, 128]), `${at(5, 17)}`);
  assert(isNear(at(28, 17), [255, 255, 255]), `${at(28, 17)}`);
});

Deno.test("what is no picture is named, and no picture at all is refused", async () => {
  const path = join(temporaryFolder(), "broken.jpg");
  Deno.writeTextFileSync(path, "no picture");
  await assert.rejects(
    showImages([path]),
    (error: Error) => error instanceof SyntaxError && error.message.includes(path),
  );
  await assert.rejects(showImages([]), RangeError);
});
