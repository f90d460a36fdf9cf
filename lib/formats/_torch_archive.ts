import { crc32 } from "node:zlib";
import { fail } from "./_fail.ts";
import { TYPED_STORAGES, UNTYPED_STORAGE } from "./_torch_dtype.ts";
import { TENSOR_DTYPES } from "./_tensor_dtype.ts";
import { checkCrc, type RecordForm, TorchRecord } from "./_torch_record.ts";
import type { PickleContext } from "./pickle_globals.ts";
import { PickleReference, PickleTuple, pickleTypeName } from "./pickle_values.ts";
import type { RandomAccessFile } from "./random_access_file.ts";
import type { TorchValue } from "./torch_values.ts";
import { readZipDirectory, zipDataOffset, type ZipEntry } from "./zip.ts";

const PICKLE = "/data.pkl";
/** The pickle of 0x1950a86a20f9469cfc6c, with which files of PyTorch before 1.6 begin. */
const LEGACY = "80028a0a6cfc9c46f9206aa850192e";
/** Longer records of this kind are none. */
const MAX_BYTEORDER_BYTES = 16;

/** The archive that a checkpoint is, and what was found in it. */
export interface TorchArchive {
  /** The bytes of `data.pkl`. */
  readonly pickle: Uint8Array<ArrayBuffer>;
  /** File and record, for messages. */
  readonly picklePath: string;
  /** Resolves a reference to a storage. */
  readonly storage: (id: TorchValue, context: PickleContext) => TorchRecord;
  /** The storages that were referred to so far. */
  readonly records: () => Iterable<TorchRecord>;
}

/** Reads the directory and the pickle of an archive. */
export function openArchive(file: RandomAccessFile): TorchArchive {
  checkKind(file);
  const entries = entriesByName(file);
  const pickleEntry = findPickle(file, entries);
  const root = pickleEntry.name.slice(0, -PICKLE.length);
  const hasCrc = [...entries.values()].some(({ crc32 }) => crc32 !== 0);
  const order = byteOrder(file, entries.get(`${root}/byteorder`), hasCrc);
  const form = { bigEndian: order === "big", hasCrc };
  return {
    pickle: readRecord(file, pickleEntry, hasCrc),
    picklePath: `${file.path}, record ${pickleEntry.name}`,
    ...storages(file, entries, root, form),
  };
}

/** Names what is no archive of `torch.save`. */
function checkKind(file: RandomAccessFile): void {
  const { path, bytes } = file;
  const start = file.read(0, Math.min(bytes, 512));
  const hex = start.toHex(), text = new TextDecoder("latin1").decode(start);
  const should = "a PyTorch checkpoint should be a zip archive";
  if (text.startsWith("PK\x03\x04")) return;
  if (hex.startsWith(LEGACY) || text.slice(257, 262) === "ustar") {
    fail(
      path,
      0,
      should,
      "a legacy file of PyTorch before 1.6",
      "Load it in PyTorch and save it again with torch.save.",
    );
  }
  if (/^[^]{8}\{/.test(text) && hex.slice(8, 16) === "00000000") {
    fail(path, 0, should, "a safetensors file", "Open it with openSafetensors.");
  }
  if (start[0] === 0x80) {
    fail(path, 0, should, "a pickle without an archive", "Read it with readPickle.");
  }
  const found = bytes === 0 ? "an empty file" : `a file that begins with ${hex.slice(0, 16)}`;
  fail(path, 0, should, found, "It may have been cut short or not downloaded.");
}

function entriesByName(file: RandomAccessFile): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  for (const entry of readZipDirectory(file)) {
    if (entries.has(entry.name)) {
      fail(file.path, entry.headerOffset, "each record should have its own name", entry.name);
    }
    entries.set(entry.name, entry);
  }
  return entries;
}

function findPickle(file: RandomAccessFile, entries: ReadonlyMap<string, ZipEntry>): ZipEntry {
  const found = [...entries.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = found;
  if (pickle === undefined || found.length > 1) {
    const shown = [...entries.keys()].slice(0, 5).join(", ") || "no records";
    const value = pickle === undefined ? shown : found.map(({ name }) => name).join(", ");
    return fail(file.path, 0, "a checkpoint of torch.save should hold one data.pkl", value);
  }
  const root = pickle.name.slice(0, -PICKLE.length);
  if (entries.has(`${root}/constants.pkl`)) {
    fail(
      file.path,
      pickle.headerOffset,
      "it should be a checkpoint of torch.save",
      "a TorchScript archive of torch.jit.save",
      "Save module.state_dict() with torch.save.",
    );
  }
  return pickle;
}

/** A whole record, which must be as its CRC-32 says. */
function readRecord(
  file: RandomAccessFile,
  entry: ZipEntry,
  hasCrc: boolean,
): Uint8Array<ArrayBuffer> {
  checkStored(file, entry);
  const start = zipDataOffset(file, entry);
  const bytes = file.read(start, entry.size);
  if (hasCrc) checkCrc(file, entry, start, crc32(bytes));
  return bytes;
}

function byteOrder(
  file: RandomAccessFile,
  entry: ZipEntry | undefined,
  hasCrc: boolean,
): "little" | "big" {
  if (entry === undefined) return "little"; // before PyTorch 2.1
  const text = entry.size <= MAX_BYTEORDER_BYTES
    ? new TextDecoder().decode(readRecord(file, entry, hasCrc))
    : `${entry.size} bytes`;
  if (text === "little" || text === "big") return text;
  return fail(file.path, entry.headerOffset, "the byte order should be little or big", text);
}

function checkStored(file: RandomAccessFile, { name, method, size, headerOffset }: ZipEntry): void {
  const stored = method === 0 ? size : 0; // a compressed record's size is that of its contents
  if (headerOffset + stored > file.bytes) {
    fail(file.path, file.bytes, `${name} should lie in the file`, `${size} at ${headerOffset}`);
  }
  if (method !== 0) {
    const advice = "Load it in PyTorch and save it again with torch.save.";
    fail(file.path, headerOffset, `${name} should be stored`, "a compressed record", advice);
  }
}

/** Finds storages by `("storage", type, key, location, number of elements)`. */
function storages(
  file: RandomAccessFile,
  entries: ReadonlyMap<string, ZipEntry>,
  root: string,
  form: RecordForm,
): Pick<TorchArchive, "storage" | "records"> {
  const known = new Map<string, TorchRecord>();
  const storage: TorchArchive["storage"] = (id, context) => {
    const [kind, type, key, location, count] = id instanceof PickleTuple ? id.items : [];
    const isRight = kind === "storage" && type instanceof PickleReference &&
      typeof key === "string" && typeof location === "string" && typeof count === "number";
    if (!isRight || (id as PickleTuple).items.length !== 5) {
      const found = id instanceof PickleTuple ? id.items.map(pickleTypeName) : pickleTypeName(id);
      return context.fail('a storage should be ("storage", type, str, str, int)', found);
    }
    const dtype = TYPED_STORAGES[type.name];
    if (dtype === undefined && type.name !== UNTYPED_STORAGE) {
      return context.fail("the type of a storage should be known", type.name);
    }
    if (dtype === undefined && form.bigEndian) {
      return context.fail("the storages of a big-endian file should be typed", type.name);
    }
    const bytes = count * (dtype === undefined ? 1 : TENSOR_DTYPES[dtype].bytes);
    const record = known.get(key) ?? open(key, dtype, location, context);
    if (record.dtype !== dtype || record.bytes !== bytes) {
      context.fail(
        `the storage ${key} should hold ${bytes} bytes of ${dtype ?? "any dtype"}`,
        `${record.bytes} bytes of ${record.dtype ?? "any dtype"}`,
      );
    }
    known.set(key, record);
    return record;
  };
  return { storage, records: () => known.values() };

  function open(
    key: string,
    dtype: TorchRecord["dtype"],
    location: string,
    context: PickleContext,
  ): TorchRecord {
    const name = `${root}/data/${key}`;
    const entry = entries.get(name) ??
      context.fail("the archive should hold each storage", `no record ${name}`);
    checkStored(file, entry);
    return new TorchRecord(file, entry, form, { key, dtype, location });
  }
}
