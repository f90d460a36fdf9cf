import { statSync } from "node:fs";
import { join } from "node:path";
import { isFolder } from "../../formats/_path.ts";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import { sha256 } from "./key.ts";

const FORMAT = "trocar image digests";
/** A file that changed less than this before it was read may change again within one clock tick. */
const SETTLED_NS = 2_000_000_000n;

/** What the file system says of a file: it changes whenever the contents do. */
type Fingerprint = readonly [size: string, modified: string, changed: string, inode: string];

/**
 * SHA-256 of image files. A file that the file system says has not changed since it was last read
 * (size, times of change in nanoseconds, inode) is not read again.
 */
export class ImageDigests {
  readonly #folder: string;
  readonly #file: string;
  readonly #known: Map<string, readonly [Fingerprint, string]>;
  #isChanged = false;
  /** Files that were read. */
  hashed = 0;

  /**
   * @param folder of the cache
   * @param owner what the images belong to: an episode's path
   */
  constructor(folder: string, owner: string) {
    this.#folder = folder;
    this.#file = join(folder, "images", `${sha256(owner).slice(0, 32)}.json`);
    this.#known = read(this.#file);
  }

  /** SHA-256, hexadecimal, of an image file's contents. */
  digestOf(path: string): string {
    const { fingerprint, isSettled } = look(path);
    const known = this.#known.get(path);
    if (known !== undefined && known[0].every((part, i) => part === fingerprint[i])) {
      return known[1];
    }
    const digest = sha256(Deno.readFileSync(path));
    this.hashed++;
    if (isSettled) {
      this.#known.set(path, [fingerprint, digest]);
      this.#isChanged = true;
    }
    return digest;
  }

  /** Keeps what is known for the next time, where there is a cache. */
  save(): void {
    if (!this.#isChanged || !isFolder(this.#folder)) return;
    try {
      Deno.mkdirSync(join(this.#file, ".."), { recursive: true });
      const text = JSON.stringify({ format: FORMAT, files: [...this.#known] });
      const bytes = new TextEncoder().encode(text);
      writeFileAtomic(this.#file, (file) => {
        for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      });
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

/** A file that is missing or damaged knows nothing. */
function read(path: string): Map<string, readonly [Fingerprint, string]> {
  try {
    const { format, files } = JSON.parse(Deno.readTextFileSync(path));
    const isSound = format === FORMAT && Array.isArray(files) &&
      files.every((entry) =>
        Array.isArray(entry) && typeof entry[0] === "string" && Array.isArray(entry[1]?.[0]) &&
        /^[0-9a-f]{64}$/.test(entry[1][1])
      );
    return new Map(isSound ? files : []);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return new Map();
    throw error;
  }
}
