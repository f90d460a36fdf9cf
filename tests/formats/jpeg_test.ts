import assert from "node:assert/strict";
import sharp from "sharp";
import { type JpegHeader, readJpegHeader } from "../../lib/formats/mod.ts";
import { seeded } from "./_seeded.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

interface Kind {
  readonly width: number;
  readonly height: number;
  readonly grey?: boolean;
  readonly progressive?: boolean;
  readonly metadata?: boolean;
}

/** A picture that does not compress to nothing. */
async function jpeg({ width, height, grey, progressive, metadata }: Kind) {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k * k) >> 5);
  let image = sharp(pixels, { raw: { width, height, channels: 3 } });
  if (grey) image = image.toColourspace("b-w");
  if (metadata) {
    image = image.withExif({ IFD0: { Copyright: "x".repeat(3000) } }).withIccProfile("srgb");
  }
  const data = await image.jpeg({ quality: 75, progressive: progressive ?? false }).toBuffer();
  return new Uint8Array(data);
}

const KINDS: Kind[] = [
  { width: 1280, height: 720 },
  { width: 640, height: 480, grey: true },
  { width: 33, height: 17, progressive: true },
  { width: 1, height: 1 },
  { width: 64, height: 48, metadata: true },
];

function refuses(data: Uint8Array, message: RegExp) {
  assert.throws(() => readJpegHeader(data), (error) => {
    assert(error instanceof SyntaxError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("size, components, bits and order are those that sharp wrote, from bytes and from a file", async () => {
  const path = temporaryPath("image.jpg");
  for (const kind of KINDS) {
    const data = await jpeg(kind);
    const expected: JpegHeader = {
      width: kind.width,
      height: kind.height,
      components: kind.grey ? 1 : 3,
      bits: 8,
      progressive: kind.progressive ?? false,
      hasEnd: true,
    };
    assert.deepEqual(readJpegHeader(data), expected);
    Deno.writeFileSync(path, data);
    assert.deepEqual(readJpegHeader(path), expected);
    const { width, height, isProgressive } = await sharp(data).metadata();
    assert.deepEqual([width, height, isProgressive], [
      kind.width,
      kind.height,
      expected.progressive,
    ]);
  }
});

Deno.test("an image that was cut short has no end, or no header", async () => {
  const data = await jpeg(KINDS[0]!);
  const path = temporaryPath("cut.jpg");
  let headers = 0;
  for (let length = 0; length < data.length; length += length < 1000 ? 1 : 997) {
    Deno.writeFileSync(path, data.subarray(0, length));
    try {
      const { width, height, hasEnd } = readJpegHeader(path);
      assert.deepEqual([width, height, hasEnd], [1280, 720, false]);
      headers++;
    } catch (error) {
      assert(error instanceof SyntaxError && length < 1000, String(error));
      assert.match(error.message, /cut\.jpg at byte \d+: \d+ bytes should follow.*cut short/);
    }
  }
  assert(headers > 10);
});

Deno.test("zeros behind the end do not count, other bytes do", async () => {
  const data = await jpeg(KINDS[3]!);
  const followedBy = (...more: number[]) =>
    readJpegHeader(new Uint8Array([...data, ...more])).hasEnd;
  assert(followedBy(0, 0, 0));
  assert(!followedBy(1));
  assert(!followedBy(...Array<number>(10_000).fill(0)));
});

Deno.test("what is no JPEG image is refused with the place", async () => {
  const soi = [0xff, 0xd8];
  const png = new Uint8Array(await sharp(await jpeg(KINDS[3]!)).png().toBuffer());
  refuses(png, /the JPEG bytes at byte 0: a JPEG file begins with ff d8, current value is 89 50/);
  refuses(new Uint8Array(), /at byte 0: 2 bytes should follow, current value is 0 bytes/);
  refuses(
    new Uint8Array([...soi, 1, 2]),
    /at byte 2: a marker begins with ff, current value is 01/,
  );
  refuses(
    new Uint8Array([...soi, 0xff, 0xd9, 0, 0]),
    /at byte 2: a frame header should come first/,
  );
  refuses(new Uint8Array([...soi, 0xff, 0xe0, 0, 1]), /at byte 4: a segment has 2 bytes or more/);
  const frame = (...fields: number[]) =>
    new Uint8Array([...soi, 0xff, 0xc0, 0, 11, ...fields, 0xff, 0xd9]);
  assert(readJpegHeader(frame(8, 0, 2, 0, 3, 1, 1, 0x11, 0)).hasEnd);
  refuses(frame(8, 0, 0, 0, 3, 1, 1, 0x11, 0), /at byte 7: it should have a height/);
  refuses(frame(8, 0, 2, 0, 0, 1, 1, 0x11, 0), /at byte 9: it should have a width/);
  refuses(frame(1, 0, 2, 0, 3, 1, 1, 0x11, 0), /at byte 6: it should have 2 to 16 bits/);
  refuses(frame(8, 0, 2, 0, 3, 3, 1, 0x11, 0), /at byte 4: a frame header of 3 components/);
  assert.throws(() => readJpegHeader(temporaryFolder()), TypeError);
});

Deno.test("endless fill bytes and segments are refused soon", () => {
  const fill = new Uint8Array(2 ** 22).fill(0xff);
  fill[1] = 0xd8;
  const segments = new Uint8Array(2 ** 22);
  segments.set([0xff, 0xd8]);
  for (let at = 2; at + 4 < segments.length; at += 4) segments.set([0xff, 0xe1, 0, 2], at);
  const start = performance.now();
  refuses(fill, /fill bytes only/);
  refuses(segments, /10000 segments/);
  assert(performance.now() - start < 1000);
});

Deno.test("20,000 damaged images are refused, or have a header that could be one", async () => {
  const random = seeded(1);
  const bases = await Promise.all(KINDS.map(jpeg));
  const starts = bases.map((base) => base.subarray(0, 5000));
  let read = 0;
  for (let run = 0; run < 20_000; run++) {
    let data = starts[run % starts.length]!.slice();
    for (let times = random.below(4); times >= 0; times--) {
      data[random.below(random.below(2) === 0 ? 30 : Math.min(data.length, 700))] = random.below(
        256,
      );
    }
    if (random.below(3) === 0) data = data.slice(0, random.below(data.length));
    try {
      const header = readJpegHeader(data);
      assert(header.width > 0 && header.width <= 0xffff);
      assert(header.height > 0 && header.height <= 0xffff);
      assert(header.components > 0 && header.bits >= 2 && header.bits <= 16);
      read++;
    } catch (error) {
      assert(error instanceof SyntaxError, String((error as Error).stack));
      assert.match(error.message, /^Cannot read the JPEG bytes at byte \d+: /);
    }
  }
  assert(read > 2000 && read < 19_000, `${read} read`);
});
