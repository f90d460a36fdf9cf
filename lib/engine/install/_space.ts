import { statfs } from "node:fs/promises";
import { InstallError } from "./install_error.ts";

/** Room beyond the estimate, for the file system's own use. */
const MARGIN = 1.03;

/**
 * Refuses to begin what would fill the disk.
 *
 * @param folder an existing folder on that disk
 * @param needed bytes
 * @throws {InstallError} `no-space`
 */
export async function assertSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed * MARGIN) return;
  throw noSpace(folder, `${megabytes(needed * MARGIN)} are needed`, megabytes(free));
}

/** The same error from a write that failed. */
export function noSpace(folder: string, state: string, free: string): InstallError {
  return new InstallError(
    "no-space",
    `Cannot install TensorFlow in ${folder}: ${state}, current value of free space is ${free}. ` +
      "Make room there, or set TROCAR_CACHE to a folder on a larger disk. " +
      "Nothing half-written was left behind.",
  );
}

/** Bytes as `123 MB` (10^6 bytes). */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
