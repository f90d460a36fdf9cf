import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { openRandomAccess } from "../../formats/random_access_file.ts";
import { readZipDirectory, type ZipEntry } from "../../formats/zip.ts";
import { readZipEntry } from "../../formats/zip_stream.ts";
import { InstallError } from "./install_error.ts";
import { isInside } from "./_manifest.ts";
import { type InstallProgress, ProgressMeter } from "./_progress.ts";
import { labelOf, type Wheel } from "./_wheel.ts";

type Report = ((progress: InstallProgress) => void) | undefined;

/**
 * Compares the SHA-256 of a downloaded wheel with the pinned one; a wrong file is deleted.
 *
 * @throws {InstallError} `wrong-hash`
 */
export async function verifyWheel(
  path: string,
  wheel: Wheel,
  onProgress: Report,
  signal: AbortSignal | undefined,
): Promise<void> {
  const meter = new ProgressMeter("verify", labelOf(wheel), wheel.bytes, onProgress);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 20);
  let bytes = 0;
  {
    using file = await Deno.open(path);
    for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
      signal?.throwIfAborted();
      hash.update(buffer.subarray(0, read));
      meter.update(bytes += read);
    }
  }
  const found = hash.digest("hex");
  if (found === wheel.sha256) return;
  await Deno.remove(path);
  throw new InstallError(
    "wrong-hash",
    `Cannot use the downloaded ${wheel.file}: its SHA-256 should be ${wheel.sha256}, current ` +
      `value is ${found} (${bytes} bytes, expected ${wheel.bytes}). The file was deleted. Run the ` +
      "command again; if it happens again, the package index serves another file than the one " +
      "that was tested.",
  );
}

/**
 * Unpacks the libraries of a wheel.
 *
 * @returns path inside `folder` and size of each file
 * @throws {InstallError} `bad-wheel`
 */
export async function unpackWheel(
  path: string,
  wheel: Wheel,
  folder: string,
  onProgress: Report,
  signal: AbortSignal | undefined,
): Promise<{ path: string; bytes: number }[]> {
  try {
    const entries = readEntries(path).filter((entry) => wheel.members.test(entry.name));
    const total = entries.reduce((sum, entry) => sum + entry.size, 0);
    if (total !== wheel.unpackedBytes || !entries.every((entry) => isInside(entry.name))) {
      throw new SyntaxError(
        `the libraries should hold ${wheel.unpackedBytes} bytes, current value is ${total}`,
      );
    }
    const meter = new ProgressMeter("unpack", labelOf(wheel), total, onProgress);
    let done = 0;
    for (const entry of entries) {
      await unpackEntry(path, entry, join(folder, entry.name), (bytes) => {
        signal?.throwIfAborted();
        meter.update(done += bytes);
      });
    }
    return entries.map((entry) => ({ path: entry.name, bytes: entry.size }));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InstallError(
      "bad-wheel",
      `Cannot unpack ${wheel.file}: ${error.message} Run the command again.`,
      { cause: error },
    );
  }
}

function readEntries(path: string): ZipEntry[] {
  using file = openRandomAccess(path);
  return readZipDirectory(file);
}

async function unpackEntry(
  archive: string,
  entry: ZipEntry,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  using file = await Deno.open(path, { createNew: true, write: true });
  for await (const piece of readZipEntry(archive, entry)) {
    for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
    onBytes(piece.length);
  }
  await file.sync();
  if ((entry.mode & 0o111) !== 0) await Deno.chmod(path, 0o755);
}
