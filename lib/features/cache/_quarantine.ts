import { join } from "node:path";
import { writeFileAtomic } from "../../formats/atomic_write.ts";

/**
 * Damaged records, one small file each, named after key, shard and place: what the next process must
 * not believe. Where nothing can be written they are known to this process only.
 */
export class Quarantine {
  readonly #folder: string;
  #places = new Set<string>();
  /** Those that could not be written. */
  readonly #own = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Keys of the damaged records. */
  get keys(): Set<string> {
    return new Set(Array.from(this.#places, (name) => name.split("@")[0]!));
  }

  has(key: string, shard: string, offset: number): boolean {
    return this.#places.size > 0 && this.#places.has(nameOf(key, shard, offset));
  }

  add(key: string, shard: string, offset: number, reason: string): void {
    const name = nameOf(key, shard, offset);
    this.#places.add(name);
    try {
      Deno.mkdirSync(this.#folder, { recursive: true });
      const text = JSON.stringify({ shard, offset, key, reason, since: new Date().toISOString() });
      writeFileAtomic(
        join(this.#folder, name),
        (file) => void file.writeSync(new TextEncoder().encode(`${text}\n`)),
      );
    } catch (error) {
      const isReadOnly = error instanceof Deno.errors.PermissionDenied ||
        (error as { code?: string }).code === "EROFS";
      if (!isReadOnly) throw error;
      this.#own.add(name);
    }
  }

  /** Takes over what other processes have found, and mended. */
  refresh(): void {
    this.#places = new Set([...markers(this.#folder), ...this.#own]);
  }
}

/** Forgets the damaged records of a shard from a place on, because they are no longer there. */
export function clearQuarantine(folder: string, shard: string, from: number): void {
  for (const name of markers(folder)) {
    const [, owner, offset] = name.slice(0, -".json".length).split("@");
    if (`${owner}.shard` !== shard || Number(offset) < from) continue;
    try {
      Deno.removeSync(join(folder, name));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function markers(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(".json") && !name.startsWith("."));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function nameOf(key: string, shard: string, offset: number): string {
  return `${key}@${shard.replace(/\.shard$/, "")}@${offset}.json`;
}
