const PT_LOAD = 1, PT_DYNAMIC = 2;
const DT_STRTAB = 5n, DT_RPATH = 15n, DT_RUNPATH = 29n;
const HEADER_BYTES = 64, SEGMENT_BYTES = 56, MAX_RUNPATH_BYTES = 1 << 18;

/**
 * The folders in which a shared library of 64-bit Linux looks for others (its RUNPATH).
 * Reads a few kilobytes however large the library is.
 *
 * @returns the entries, empty when there are none or the file is of another format
 */
export function readRunpath(path: string): string[] {
  using file = Deno.openSync(path);
  const header = readAt(file, 0, HEADER_BYTES);
  if (header === undefined || header.getUint32(0) !== 0x7f454c46) return [];
  if (header.getUint8(4) !== 2 || header.getUint8(5) !== 1) return [];
  const count = header.getUint16(56, true);
  const table = readAt(file, Number(header.getBigUint64(32, true)), count * SEGMENT_BYTES);
  if (table === undefined) return [];
  const loads: { address: number; offset: number; bytes: number }[] = [];
  let dynamic: DataView | undefined;
  for (let at = 0; at < table.byteLength; at += SEGMENT_BYTES) {
    const type = table.getUint32(at, true);
    const offset = Number(table.getBigUint64(at + 8, true));
    const bytes = Number(table.getBigUint64(at + 32, true));
    if (type === PT_LOAD) {
      loads.push({ address: Number(table.getBigUint64(at + 16, true)), offset, bytes });
    } else if (type === PT_DYNAMIC) dynamic = readAt(file, offset, Math.min(bytes, 1 << 16));
  }
  const strings = find(dynamic, DT_STRTAB);
  const runpath = find(dynamic, DT_RUNPATH) ?? find(dynamic, DT_RPATH);
  if (strings === undefined || runpath === undefined) return [];
  const load = loads.find((l) => strings >= l.address && strings < l.address + l.bytes);
  if (load === undefined) return [];
  const text = readAt(
    file,
    strings - load.address + load.offset + runpath,
    MAX_RUNPATH_BYTES,
    true,
  );
  if (text === undefined) return [];
  const bytes = new Uint8Array(text.buffer, 0, text.byteLength);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? undefined : end)).split(":");
}

/** Whether the library was built for CUDA and looks for NVIDIA's libraries beside itself. */
export function isCudaBuild(path: string): boolean {
  try {
    return readRunpath(path).some((folder) => folder.includes("/nvidia/"));
  } catch {
    return false;
  }
}

function find(dynamic: DataView | undefined, tag: bigint): number | undefined {
  for (let at = 0; at + 16 <= (dynamic?.byteLength ?? 0); at += 16) {
    if (dynamic!.getBigInt64(at, true) === tag) return Number(dynamic!.getBigUint64(at + 8, true));
  }
  return undefined;
}

function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
  partial = false,
): DataView<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  let done = 0;
  while (done < length) {
    const read = file.readSync(bytes.subarray(done));
    if (read === null) break;
    done += read;
  }
  return done === length || partial ? new DataView(bytes.buffer, 0, done) : undefined;
}
