import { crc32 } from "node:zlib";

/** The header of an `.npy` file by NumPy's format page, version 1.0. */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + length).fill(0x20);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
  header.set(new TextEncoder().encode(text), 10);
  header[header.length - 1] = 0x0a;
  return header;
}

/** An `.npy` file of zeros that takes no room on disk. */
export function sparseNpy(path: string, shape: readonly number[]): void {
  const header = npyHeader("<f4", shape);
  Deno.writeFileSync(path, header);
  Deno.truncateSync(path, header.length + 4 * shape.reduce((a, b) => a * b, 1));
}

/** An archive of one such array, stored (PKWARE's APPNOTE, without ZIP64: up to 4 GB). */
export function sparseNpz(path: string, name: string, shape: readonly number[]): void {
  const header = npyHeader("<f4", shape);
  const size = header.length + 4 * shape.reduce((a, b) => a * b, 1);
  const file = new TextEncoder().encode(`${name}.npy`);
  const sizes = (at: number, view: DataView) => {
    view.setUint16(at, 20, true); // version needed
    view.setUint32(at + 10, crc32(new Uint8Array(0)), true);
    view.setUint32(at + 14, size, true);
    view.setUint32(at + 18, size, true);
    view.setUint16(at + 22, file.length, true);
  };
  const local = new DataView(new ArrayBuffer(30));
  local.setUint32(0, 0x04034b50, true);
  sizes(4, local);
  const central = new DataView(new ArrayBuffer(46));
  central.setUint32(0, 0x02014b50, true);
  central.setUint16(4, 20, true);
  sizes(6, central);
  const end = new DataView(new ArrayBuffer(22));
  const directory = 30 + file.length + size;
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, 1, true);
  end.setUint16(10, 1, true);
  end.setUint32(12, 46 + file.length, true);
  end.setUint32(16, directory, true);
  using out = Deno.openSync(path, { create: true, write: true });
  const put = (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>, at: number) => {
    out.seekSync(at, Deno.SeekMode.Start);
    out.writeSync(new Uint8Array(bytes));
  };
  put(local.buffer, 0);
  put(file, 30);
  put(header, 30 + file.length);
  put(central.buffer, directory);
  put(file, directory + 46);
  put(end.buffer, directory + 46 + file.length);
}
