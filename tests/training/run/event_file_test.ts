import assert from "node:assert/strict";
import { join } from "node:path";
import { maskedCrc32c } from "../../../lib/training/run/_crc32c.ts";
import { EventFile } from "../../../lib/training/run/event_file.ts";
import { temporaryFolder } from "../../_temporary.ts";

/** Made by Python's tensorboard. */
const FIXTURE = new URL("../../../data-fixtures/training/monitoring.json", import.meta.url);

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
  const folder = temporaryFolder();
  {
    using events = EventFile.create(folder);
    events.scalars(300, { loss: 0.5, text: "no", nothing: null, nan: NaN });
    events.scalars(301, { nan: NaN });
  }
  const [version, , scalars, ...more] = records(only(folder));
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

Deno.test("EventFile begins a session behind the last step that stays", () => {
  for (const [fromStep, step] of [[0, 0], [7, 8]] as const) {
    const folder = temporaryFolder();
    EventFile.create(folder, { fromStep })[Symbol.dispose]();
    const [, session] = records(only(folder));
    assert.deepEqual([...session!.subarray(9)], [0x10, step, 0x3a, 2, 0x08, 1]);
  }
});

Deno.test("EventFile writes histograms and texts byte for byte as TensorBoard's own summaries", () => {
  const folder = temporaryFolder();
  const { histogram, text, markdown } = JSON.parse(Deno.readTextFileSync(FIXTURE));
  {
    using events = EventFile.create(folder);
    events.histogram(1, "train/diffusion_t", { edges: [0, 12.5, 50, 100], counts: [3, 0, 1e6] });
    events.text(2, "run/settings", markdown);
  }
  const [, , first, second, ...more] = records(only(folder));
  assert.equal(more.length, 0);
  // Behind time and step stand tag and length of the summary.
  assert.equal(first!.subarray(9 + 2 + 2).toHex(), histogram);
  assert.equal(second!.subarray(9 + 2 + 2).toHex(), text);
});

Deno.test("EventFile.histogram refuses bins that are none, and writes nothing then", () => {
  const folder = temporaryFolder();
  using events = EventFile.create(folder);
  const before = only(folder).length;
  const bad: [number[], number[], RegExp][] = [
    [[0], [], /bins, current value is none/],
    [[0, 1], [1, 2], /3 edges, current value is 2/],
    [[0, 1, 1], [1, 2], /increase, current value is 1, 1/],
    [[0, NaN], [1], /increase/],
    [[0, Infinity], [1], /increase/],
    [[0, 1], [-1], /at least 0, current value is -1/],
    [[0, 1], [NaN], /at least 0/],
  ];
  for (const [edges, counts, message] of bad) {
    assert.throws(() => events.histogram(1, "t", { edges, counts }), message);
  }
  assert.equal(only(folder).length, before);
});

Deno.test("EventFile comes behind earlier files of the folder, whatever the clock says", () => {
  const folder = temporaryFolder();
  const later = `events.out.tfevents.${(Date.now() / 1000 + 3600).toFixed(6)}.trocar.1`;
  Deno.writeTextFileSync(join(folder, later), "");
  for (let n = 0; n < 3; n++) EventFile.create(folder)[Symbol.dispose]();
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  assert.equal(names.length, 4);
  assert.equal(names[0], later);
});
