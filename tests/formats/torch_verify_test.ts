import assert from "node:assert/strict";
import {
  fromBytes,
  openTorchCheckpoint,
  type RandomAccessFile,
  readZipDirectory,
} from "../../lib/formats/mod.ts";
import { archive, checkpoint, open, pickle, storage, tensor } from "./_torch_archive.ts";

const LARGE = 9 * 2 ** 20;
const whole = (key = "0", bytes = 24) => tensor(storage(bytes / 4, key), 0, [bytes / 4], [1]);

/** Sets the CRC-32 of records to 0, in their local headers and in the directory. */
function withoutCrc(bytes: Uint8Array, names: RegExp): Uint8Array {
  const copy = bytes.slice(), view = new DataView(copy.buffer);
  const raw = new TextDecoder("latin1").decode(copy);
  for (const { name, headerOffset } of readZipDirectory(fromBytes(bytes, "model.pt"))) {
    if (!names.test(name)) continue;
    view.setUint32(headerOffset + 14, 0, true);
    view.setUint32(raw.lastIndexOf(name) - 46 + 16, 0, true);
  }
  return copy;
}

/** Changes one bit of a record, whose local header ends with a field of 20 bytes. */
function flipped(bytes: Uint8Array, record: string, at: number): Uint8Array {
  const copy = bytes.slice();
  const start = new TextDecoder("latin1").decode(copy).indexOf(record) + record.length + 20;
  copy[start + at]! ^= 0x10;
  return copy;
}

Deno.test("verify reads each storage once, and names the one that is not as it was written", async () => {
  const bytes = checkpoint({ a: whole(), b: [whole("1", LARGE), whole("1", LARGE)] }, 24, LARGE);
  const file = fromBytes(bytes, "model.pt");
  let read = 0;
  const counted: RandomAccessFile = {
    ...file,
    readInto(target, offset) {
      read += target.byteLength;
      file.readInto(target, offset);
    },
  };
  using checked = openTorchCheckpoint(counted);
  await checked.verify();
  assert.equal(read, 24 + LARGE);

  for (const at of [0, LARGE - 1]) {
    using damaged = open(flipped(bytes, "x/data/1", at));
    await assert.rejects(damaged.verify(), (error: Error) => {
      assert(error instanceof SyntaxError, String(error.stack));
      assert.match(error.message, /model\.pt at byte \d+: x\/data\/1 should have the CRC-32/);
      return true;
    });
    damaged.tensors()[0]![1].read(); // the other one is whole
  }
});

Deno.test("verify can be stopped before and while it reads", async () => {
  using small = open(checkpoint([whole()], 24));
  await assert.rejects(small.verify({ signal: AbortSignal.abort() }), { name: "AbortError" });
  const bytes = checkpoint([whole("0", 5 * LARGE)], 5 * LARGE);
  using file = open(flipped(bytes, "x/data/0", 5 * LARGE - 1)); // which it does not come to
  const controller = new AbortController();
  setTimeout(() => controller.abort());
  await assert.rejects(file.verify({ signal: controller.signal }), { name: "AbortError" });
});

Deno.test("a record without CRC-32 is damaged where others have one", async () => {
  const good = checkpoint([whole()], 24), damaged = flipped(good, "x/data/0", 0);
  assert.throws(
    () => open(withoutCrc(good, /data\.pkl/)),
    /x\/data\.pkl should have the CRC-32 00/,
  );
  assert.throws(() => open(withoutCrc(damaged, /data\.pkl/)), /should have the CRC-32 00000000/);
  using partly = open(withoutCrc(good, /data\/0/));
  await assert.rejects(partly.verify(), /x\/data\/0 should have the CRC-32 00000000/);
});

Deno.test("an archive that PyTorch wrote without CRC-32s is read, as there is none at all", async () => {
  using file = open(withoutCrc(checkpoint([whole()], 24), /./));
  await file.verify();
  assert.equal(file.tensors()[0]![1].read().data.length, 6);
  using empty = open(withoutCrc(archive({ "x/data.pkl": pickle([1]) }), /./));
  assert.deepEqual(empty.value, [1]);
});
