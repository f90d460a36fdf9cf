import { statSync } from "node:fs";
import { dirname } from "node:path";
import { writeFileAtomic } from "./atomic_write.ts";

/** A file that changed less than this before it was read may change again within one clock tick. */
const SETTLED_NS = 2_000_000_000n;

/** What the file system says of a file: it changes whenever the contents do. */
type Fingerprint = readonly [size: string, modified: string, changed: string, inode: string];

/**
 * SHA-256 of files as they were when they were last read. What is known of a file holds as long as the
 * file system says that it has not changed: size, times of change in nanoseconds, inode.
 */
export class FileDigests {
  readonly #path: string;
  readonly #format: string;
  readonly #known: Map<string, readonly [Fingerprint, string]>;
  #isChanged = false;

  /**
   * @param path of the file in which digests are kept
   * @param format word by which such files are known
   */
  constructor(path: string, format: string) {
    this.#path = path;
    this.#format = format;
    this.#known = read(path, format);
  }

  /**
   * The digest of a file, if it is known.
   *
   * @returns the digest, else a function that takes it when the file has been read
   */
  lookUp(path: string): string | ((digest: string) => void) {
    const { fingerprint, isSettled } = look(path);
    const known = this.#known.get(path);
    if (known !== undefined && isSame(known[0], fingerprint)) return known[1];
    return (digest) => {
      if (!isSettled || !isSame(look(path).fingerprint, fingerprint)) return; // it is in motion
      this.#known.set(path, [fingerprint, digest]);
      this.#isChanged = true;
    };
  }

  /** Keeps what is known for the next time, where this process may write. */
  save(): void {
    if (!this.#isChanged) return;
    try {
      Deno.mkdirSync(dirname(this.#path), { recursive: true });
      const text = JSON.stringify({ format: this.#format, files: [...this.#known] });
      writeFileAtomic(this.#path, text);
    } catch (error) {
      const isReadOnly = error instanceof Deno.errors.PermissionDenied ||
        (error as { code?: string }).code === "EROFS";
      if (!isReadOnly) throw error;
    }
    this.#isChanged = false;
  }
}

function look(path: string): { fingerprint: Fingerprint; isSettled: boolean } {
  const { size, mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true });
  const changed = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return {
    fingerprint: [`${size}`, `${mtimeNs}`, `${ctimeNs}`, `${ino}`],
    isSettled: BigInt(Date.now()) * 1_000_000n - changed > SETTLED_NS,
  };
}

function isSame(a: Fingerprint, b: Fingerprint): boolean {
  return a.every((part, i) => part === b[i]);
}

/** A file that is missing or damaged knows nothing. */
function read(path: string, expected: string): Map<string, readonly [Fingerprint, string]> {
  try {
    const { format, files } = JSON.parse(Deno.readTextFileSync(path));
    const isSound = format === expected && Array.isArray(files) &&
      files.every((entry) =>
        Array.isArray(entry) && typeof entry[0] === "string" && Array.isArray(entry[1]?.[0]) &&
        /^[0-9a-f]{64}$/.test(entry[1][1])
      );
    return new Map(isSound ? files : []);
  } catch (error) {
    const isNothing = error instanceof Deno.errors.NotFound || error instanceof SyntaxError ||
      error instanceof TypeError;
    if (isNothing) return new Map();
    throw error;
  }
}
