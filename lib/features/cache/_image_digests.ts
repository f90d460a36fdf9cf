import { join } from "node:path";
import { FileDigests } from "../../formats/_file_digests.ts";
import { isFile, isFolder } from "../../formats/_path.ts";
import { sha256 } from "./key.ts";

/** SHA-256 of image files. One that has not changed since it was last read is not read again. */
export class ImageDigests {
  readonly #folder: string;
  readonly #digests: FileDigests;
  /** Files that were read. */
  hashed = 0;

  /**
   * @param folder of the cache
   * @param owner what the images belong to: an episode's path
   */
  constructor(folder: string, owner: string) {
    this.#folder = folder;
    const path = join(folder, "images", `${sha256(owner).slice(0, 32)}.json`);
    this.#digests = new FileDigests(path, "trocar image digests");
  }

  /** SHA-256, hexadecimal, of an image file's contents. */
  digestOf(path: string): string {
    const found = this.#digests.lookUp(path);
    if (typeof found === "string") return found;
    if (!isFile(path)) throw notAFile(path); // a pipe would be waited for
    const digest = sha256(Deno.readFileSync(path));
    this.hashed++;
    found(digest);
    return digest;
  }

  /** Keeps what is known for the next time, where there is a cache. */
  save(): void {
    if (isFolder(this.#folder)) this.#digests.save();
  }
}

function notAFile(path: string): Error & { readonly code: string } {
  const message = `Cannot read the image ${path}: it should be a file, current value is ` +
    `${isFolder(path) ? "a folder" : "none"}. Put the recording's image back.`;
  return Object.assign(new Error(message), { code: "EINVAL" });
}
