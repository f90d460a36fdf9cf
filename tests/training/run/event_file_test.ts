import assert from "node:assert/strict";
import { join } from "node:path";
import { maskedCrc32c } from "../../../lib/training/run/_crc32c.ts";
import { EventFile } from "../../../lib/training/run/event_file.ts";

/** Payloads of a TFRecord file whose checksums hold. */
function records(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = Number(view.getBigUint64(0, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(view.getUint32(8, true), maskedCrc32c(bytes.subarray(at, at + 8)));
    assert.equal(view.getUint32(12 + length, true), maskedCrc32c(data));
    found.push(data);
    at += length + 16;
  }
  return found;
}

function only(folder: string): Uint8Array {
  const [entry, ...more] = [...Deno.readDirSync(folder)];
  assert.equal(more.length, 0);
  return Deno.readFileSync(join(folder, entry!.name));
}

Deno.test("maskedCrc32c gives the masked value of the check string of CRC-32C", () => {
  const crc = 0xe3069283; // of "123456789": catalogue of parametrised CRC algorithms, CRC-32/ISCSI
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  assert.equal(maskedCrc32c(new TextEncoder().encode("123456789")), masked);
});

Deno.test("EventFile writes the version first, then steps with their finite scalars", () => {
  const folder = Deno.makeTempDirSync();
  {
    using events = EventFile.create(folder);
    events.scalars(300, { loss: 0.5, text: "no", nothing: null, nan: NaN });
    events.scalars(301, { nan: NaN });
  }
  const [version, scalars, ...more] = records(only(folder));
  assert.equal(more.length, 0);
  const behindTime = (record: Uint8Array) => [...record.subarray(9)]; // tag and float64
  assert.deepEqual(behindTime(version!), [
    ...[0x10, 0], // step 0
    ...[0x1a, 13, ...new TextEncoder().encode("brain.Event:2")],
  ]);
  assert.deepEqual(behindTime(scalars!), [
    ...[0x10, 0xac, 0x02], // step 300
    ...[0x2a, 13], // summary
    ...[0x0a, 11], // value
    ...[0x0a, 4, ...new TextEncoder().encode("loss")],
    ...[0x15, ...new Uint8Array(Float32Array.of(0.5).buffer)],
  ]);
});

Deno.test("EventFile of a run that goes on begins a session at its step", () => {
  const folder = Deno.makeTempDirSync();
  EventFile.create(folder, { fromStep: 7 })[Symbol.dispose]();
  const [, session] = records(only(folder));
  assert.deepEqual([...session!.subarray(9)], [0x10, 7, 0x3a, 2, 0x08, 1]);
});
