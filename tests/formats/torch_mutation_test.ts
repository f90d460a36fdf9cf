import assert from "node:assert/strict";
import {
  fromBytes,
  openTorchCheckpoint,
  readZipDirectory,
  type TorchCheckpoint,
  type TorchTensor,
} from "../../lib/formats/mod.ts";
import { zipDataOffset } from "../../lib/formats/zip.ts";
import { seeded } from "./_seeded.ts";
import { mutate } from "./_tensor_fixtures.ts";
import { archive, open } from "./_torch_archive.ts";
import { describe, NAMES, plain, torchFixture } from "./_torch_fixtures.ts";

const PICKLE_RUNS = 14_000, ARCHIVE_RUNS = 10_000;
const MEBIBYTE = 2 ** 20;
const encoder = new TextEncoder();

/** What every refusal looks like. */
function checkError(error: unknown, bytes: number, run: number): void {
  const where = `run ${run}: ${(error as Error).stack}`;
  assert(error instanceof SyntaxError, where);
  const isListing = /^Cannot list the tensors of model\.pt: /.test(error.message);
  const at = /^Cannot read .*model\.pt.* at byte (\d+): \S.*, current value is [^]*\.( |$)/
    .exec(error.message)?.[1];
  // A damaged directory can claim any place.
  const isOutside = /(outside|past the end of) the file/.test(error.message);
  assert(isListing || (at !== undefined && (isOutside || Number(at) <= bytes)), where);
  assert(error.message.length < 1000, where);
}

/** The records of an archive, by name without its folder. */
function recordsOf(path: string): Map<string, Uint8Array<ArrayBuffer>> {
  const file = fromBytes(Deno.readFileSync(path), path);
  return new Map(
    readZipDirectory(file).map((entry) => [
      entry.name.slice(entry.name.indexOf("/") + 1),
      file.read(zipDataOffset(file, entry), entry.size),
    ]),
  );
}

/** Reads an element after the other from the storage. */
function naive(tensor: TorchTensor): string {
  const { shape, strides, offset, storage, bytes } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  const whole = new Uint8Array(storage.bytes), size = count === 0 ? 0 : bytes / count;
  storage.readInto(whole, 0);
  let text = "";
  for (let i = 0; i < count; i++) {
    let rest = i, at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    assert(at * size + size <= whole.length, "beyond its storage");
    text += whole.subarray(at * size, at * size + size).toHex();
  }
  return text;
}

function checkAccepted(checkpoint: TorchCheckpoint): void {
  for (const [, tensor] of checkpoint.tensors()) {
    if (tensor.bytes > 4096) continue;
    const { data } = tensor.read();
    assert.equal(new Uint8Array(data.buffer).toHex(), naive(tensor));
  }
}

Deno.test(`${PICKLE_RUNS} damaged pickles of checkpoints are refused, or describe tensors that are there`, () => {
  const samples = NAMES.map((name) => recordsOf(torchFixture(name)));
  const { below } = seeded(11);
  let read = 0, slowest = 0;
  for (let run = 0; run < PICKLE_RUNS; run++) {
    const records = samples[below(samples.length)]!;
    const other = samples[below(samples.length)]!.get("data.pkl")!;
    const pickle = mutate(records.get("data.pkl")!, other, below);
    const named = [...records].filter(([name]) => name.startsWith("data/"))
      .map(([name, bytes]) => [`x/${name}`, bytes]);
    // With the right CRC-32, so that the pickle itself is looked at.
    const bytes = archive({ "x/data.pkl": pickle, ...Object.fromEntries(named) });
    const start = performance.now();
    try {
      using checkpoint = open(bytes);
      checkAccepted(checkpoint);
      read++;
    } catch (error) {
      checkError(error, bytes.length, run);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  assert(read > PICKLE_RUNS / 50 && read < PICKLE_RUNS / 2, `${read} were read`);
  assert(slowest < 2000, `one took ${slowest} ms`);
  assert(Deno.memoryUsage().rss < 1500 * MEBIBYTE);
});

Deno.test(`${ARCHIVE_RUNS} damaged checkpoints are refused, or hold what they held before`, () => {
  const samples = NAMES.map((name) => {
    const bytes = Deno.readFileSync(torchFixture(name));
    using checkpoint = openTorchCheckpoint(torchFixture(name), { floats: "tagged" });
    return { bytes, value: plain(checkpoint.value), described: describe(checkpoint) };
  });
  const { below } = seeded(12);
  let read = 0;
  for (let run = 0; run < ARCHIVE_RUNS; run++) {
    const { bytes, value, described } = samples[below(samples.length)]!;
    // Half of them in the directory, at the end.
    const from = below(2) === 0 ? 0 : Math.floor(bytes.length * 0.7);
    const mutant = below(3) === 0
      ? mutate(bytes, samples[0]!.bytes, below, from)
      : flip(bytes, from, below);
    try {
      const file = fromBytes(mutant, "model.pt");
      using checkpoint = openTorchCheckpoint(file, { floats: "tagged" });
      const found = describe(checkpoint);
      assert.deepEqual(found, described, `run ${run} was accepted`);
      assert.deepEqual(plain(checkpoint.value), value, `run ${run} was accepted`);
      read++;
    } catch (error) {
      checkError(error, mutant.length, run);
    }
  }
  assert(read > ARCHIVE_RUNS / 50 && read < ARCHIVE_RUNS * 0.8, `${read} were read`);
});

/** Changes a bit or a byte, and nothing's place. */
function flip(
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  below: (limit: number) => number,
): Uint8Array<ArrayBuffer> {
  const mutant = bytes.slice();
  for (let left = below(2); left >= 0; left--) {
    const at = from + below(bytes.length - from);
    if (below(2) === 0) mutant[at]! ^= 1 << below(8);
    else mutant[at] = below(256);
  }
  return mutant;
}

Deno.test("a record of another name or order of bytes is noticed", () => {
  const records = recordsOf(torchFixture("state_dict"));
  const named = Object.fromEntries([...records].map(([name, bytes]) => [`x/${name}`, bytes]));
  using right = open(archive(named));
  assert.equal(right.tensors().length, 9);
  named["x/byteorder"] = encoder.encode("Little");
  assert.throws(() => open(archive(named)), /byte order should be little or big/);
});
