import { join } from "node:path";
import { Quarantine } from "./_quarantine.ts";
import { scanShard, ShardFile } from "./_shard_file.ts";
import { type IndexEntry, indexPath, readShardIndex } from "./_shard_index.ts";

/** A shard as it is known so far. */
export interface Shard {
  readonly name: string;
  readonly file: ShardFile;
  /** Bytes that were looked through. */
  scanned: number;
}

/** Where a feature lies. */
export interface Location {
  readonly shard: Shard;
  readonly offset: number;
  /** Bytes of its values. */
  readonly bytes: number;
}

/** Which feature lies where: all shards of a folder, without the records in quarantine. */
export class Catalogue {
  /** By key. */
  readonly locations = new Map<string, Location>();
  readonly quarantine: Quarantine;
  /** Records that stand in a shard a second time. */
  duplicates = 0;
  readonly #folder: string;
  readonly #shards = new Map<string, Shard>();

  constructor(folder: string, quarantine: string) {
    this.#folder = folder;
    this.quarantine = new Quarantine(quarantine);
  }

  /** Number of shards. */
  get shards(): number {
    return this.#shards.size;
  }

  /** All shards, by name. */
  get all(): readonly Shard[] {
    return [...this.#shards.values()];
  }

  /** Bytes of all shards. */
  get bytes(): number {
    return [...this.#shards.values()].reduce((sum, { file }) => sum + file.bytes, 0);
  }

  /** Looks for what was written since. */
  refresh(): void {
    this.quarantine.refresh();
    const names = shardNames(this.#folder);
    const isGone = (name: string) => !names.includes(name);
    if ([...this.#shards.keys()].some(isGone)) this.forget();
    for (const name of names) {
      try {
        this.#scan(this.#shardOf(name));
      } catch (error) {
        // Another process has removed it between listing and opening.
        if ((error as { code?: string }).code !== "ENOENT") throw error;
      }
    }
  }

  /** Enters a record that was just written. */
  add(name: string, entry: IndexEntry): void {
    this.#add(this.#shardOf(name), entry);
  }

  /** Puts a record into quarantine. */
  condemn(key: string, reason: string): void {
    const { shard, offset } = this.locations.get(key)!;
    this.quarantine.add(key, shard.name, offset, reason);
    this.locations.delete(key);
  }

  /** Closes all files and knows nothing. */
  forget(): void {
    for (const { file } of this.#shards.values()) file.close();
    this.#shards.clear();
    this.locations.clear();
    this.duplicates = 0;
  }

  #shardOf(name: string): Shard {
    let shard = this.#shards.get(name);
    if (shard === undefined) {
      shard = { name, file: new ShardFile(join(this.#folder, name)), scanned: 0 };
      this.#shards.set(name, shard);
    }
    return shard;
  }

  #scan(shard: Shard): void {
    const { bytes } = shard.file;
    if (shard.scanned === 0) {
      const index = readShardIndex(indexPath(shard.file.path), bytes);
      for (const entry of index?.entries ?? []) this.#add(shard, entry);
      shard.scanned = index?.covered ?? 0;
    }
    if (bytes <= shard.scanned) return;
    const { end } = scanShard(
      shard.file,
      shard.scanned,
      ({ key, bytes }, offset) => this.#add(shard, { key, bytes, offset }),
    );
    shard.scanned = end;
  }

  #add(shard: Shard, { key, offset, bytes }: IndexEntry): void {
    if (this.quarantine.has(key, shard.name, offset)) return;
    const known = this.locations.get(key);
    if (known === undefined) this.locations.set(key, { shard, offset, bytes });
    else if (known.shard !== shard || known.offset !== offset) this.duplicates++;
  }
}

/** Names of the shards in a folder, sorted. */
export function shardNames(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(".shard")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
