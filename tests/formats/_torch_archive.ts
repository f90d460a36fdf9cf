import { PickleCall, PicklePersistent } from "../../lib/formats/_pickle_call.ts";
import { PickleEncoder } from "../../lib/formats/_pickle_encoder.ts";
import { createZipWriter } from "../../lib/formats/_zip_writer.ts";
import {
  fromBytes,
  openTorchCheckpoint,
  PickleReference,
  PickleTuple,
} from "../../lib/formats/mod.ts";

/** A stored archive in memory. */
export function archive(records: Readonly<Record<string, Uint8Array>>): Uint8Array<ArrayBuffer> {
  const total = Object.values(records).reduce((sum, { length }) => sum + length + 600, 600);
  const bytes = new Uint8Array(total);
  let at = 0, end = 0;
  const zip = createZipWriter({
    writeSync(piece) {
      bytes.set(piece, at);
      at += piece.length;
      end = Math.max(end, at);
      return piece.length;
    },
    seekSync: (offset) => at = Number(offset),
  }, false);
  for (const [name, data] of Object.entries(records)) {
    zip.begin(name, new Uint8Array(0));
    zip.write(data);
    zip.end(new Uint8Array(0));
  }
  zip.finish();
  return bytes.slice(0, end);
}

/** The pickle of a value in which anything may be called. */
export function pickle(value: unknown): Uint8Array<ArrayBuffer> {
  const encoder = new PickleEncoder({ protocol: 2, reduce: () => undefined, allowed: "" });
  encoder.save(value);
  const pieces = encoder.output.finish();
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

export const call = (name: string, ...args: unknown[]) =>
  new PickleCall(new PickleReference(name), args);

/** A storage as PyTorch refers to it. */
export const storage = (count: unknown, key: unknown = "0", type = "torch.FloatStorage") =>
  new PicklePersistent(["storage", new PickleReference(type), key, "cpu", count]);

/** A tensor as PyTorch writes it. */
export const tensor = (
  of: unknown,
  offset: unknown,
  shape: readonly unknown[],
  strides: readonly unknown[],
) =>
  call(
    "torch._utils._rebuild_tensor_v2",
    of,
    offset,
    new PickleTuple<unknown>(shape as never),
    new PickleTuple<unknown>(strides as never),
    false,
    call("collections.OrderedDict"),
  );

/** A checkpoint of a value and storages of so many bytes. */
export function checkpoint(
  value: unknown,
  ...storages: readonly number[]
): Uint8Array<ArrayBuffer> {
  const data = storages.map((bytes, key) => [`x/data/${key}`, new Uint8Array(bytes).fill(key)]);
  return archive({ "x/data.pkl": pickle(value), ...Object.fromEntries(data) });
}

/** Opens a checkpoint in memory. */
export const open = (bytes: Uint8Array) => openTorchCheckpoint(fromBytes(bytes, "model.pt"));
