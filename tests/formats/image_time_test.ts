import assert from "node:assert/strict";
import fc from "fast-check";
import { imageTime } from "../../lib/formats/mod.ts";

fc.configureGlobal({ seed: 1 }); // the same cases each time

Deno.test("the time is the last piece of an image's name", () => {
  const times: [string, number | undefined][] = [
    ["zed_41182735_left_1761551500.174.jpg", 1761551500.174],
    ["oak_1944301011169A4800_1761551500.174.jpg", 1761551500.174],
    ["ZED_49429257_right_1761551500.5.png", 1761551500.5],
    ["OAK_1761551500.174.jpg", 1761551500.174],
    ["1761760288.224272.jpg", 1761760288.224272],
    ["/data/episode_20251030_025119/images/View1/1761760288.224272.JPEG", 1761760288.224272],
    ["C:\\data\\zed_1_left_1761551500.174.jpg", 1761551500.174],
    ["zed_left_1761551500_174.jpg", 174],
    ["1761760288.224272", 1761760288.224272],
    ["left_1761551500.jpg", 1761551500],
    ["cam-1761551500.174-copy.jpg", 1761551500.174],
    ["zed_1761551500.174_annotated.jpg", 1761551500.174],
    ["foo.jpg", undefined],
    ["foo_left.jpg", undefined],
    ["", undefined],
    [".jpg", undefined],
    ["recv_all_20251027_1/foo.jpg", undefined],
    ["1761551500.174/foo.jpg", undefined],
    ["zed_-5.jpg", undefined],
    ["zed_1e9.jpg", undefined],
    ["zed_0x10.jpg", undefined],
  ];
  for (const [name, expected] of times) assert.equal(imageTime(name), expected, name);
});

Deno.test("a time written with its decimals comes back as the nearest float64", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e9, max: 9e9, noNaN: true }),
      fc.constantFrom(3, 6),
      fc.constantFrom("", "OAK_", "zed_41182735_left_", "a/b_c/oak_19A4_"),
      (time, decimals, before) => {
        const text = time.toFixed(decimals);
        assert.equal(imageTime(`${before}${text}.jpg`), Number(text));
      },
    ),
  );
});

Deno.test("any name at all has a finite time or none, and long ones take no longer", () => {
  fc.assert(fc.property(fc.string(), (name) => {
    const time = imageTime(name);
    assert(time === undefined || Number.isFinite(time) && time >= 0);
  }));
  const start = performance.now();
  for (const piece of ["1", "1.", "1234567890.", ".a", "_", "a."]) imageTime(piece.repeat(50_000));
  assert(performance.now() - start < 2000);
});
