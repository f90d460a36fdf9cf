import { join } from "node:path";
import { cacheFolder } from "../../engine/install/cache_folder.ts";
import { writeFileAtomic } from "../../formats/atomic_write.ts";

const FORMAT = "trocar feature cache", VERSION = 1;
/** Bytes that a cache may take, if nothing else is said: 50 GiB. */
export const DEFAULT_LIMIT = 50 * 2 ** 30;

/** What holds for a cache as a whole. */
export interface CacheSettings {
  /** Bytes that its shards may take. */
  readonly limitBytes: number;
}

/**
 * Where features are kept if no folder is named: `features` in trocar's cache folder.
 *
 * @returns an absolute path; the folder need not exist
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { defaultFeatureCache } from "./settings.ts";
 *
 * assert.match(defaultFeatureCache(), /features$/);
 * ```
 */
export function defaultFeatureCache(): string {
  return join(cacheFolder(), "features");
}

/**
 * The settings of a cache, from its `cache.json`.
 *
 * @param folder of the cache
 * @returns the settings; the defaults where there is no cache yet
 * @throws {SyntaxError} when the file is damaged or of another version
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readCacheSettings, writeCacheSettings } from "./settings.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * writeCacheSettings(folder, { limitBytes: 1e9 });
 * assert.equal(readCacheSettings(folder).limitBytes, 1e9);
 * ```
 */
export function readCacheSettings(folder: string): CacheSettings {
  const path = join(folder, "cache.json");
  let found: { format?: unknown; version?: unknown; limitBytes?: unknown } | null;
  try {
    found = JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { limitBytes: DEFAULT_LIMIT };
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read ${path}: ${error.message}. Remove it, or the whole cache.`);
  }
  if (found?.format !== FORMAT || found.version !== VERSION) {
    throw new SyntaxError(
      `Cannot read ${path}: it should be a ${FORMAT} of version ${VERSION}, current value is ` +
        `${JSON.stringify(found?.format)} ${found?.version}. Choose another folder with --cache.`,
    );
  }
  const { limitBytes } = found;
  if (!Number.isSafeInteger(limitBytes) || !((limitBytes as number) > 0)) {
    throw new SyntaxError(
      `Cannot read ${path}: limitBytes should be a positive integer, current value is ` +
        `${limitBytes}. Set it with: deno task cache:build --limit-gb N`,
    );
  }
  return { limitBytes: limitBytes as number };
}

/**
 * Writes the settings of a cache.
 *
 * @param folder of the cache; made where there is none
 * @param settings what holds from now on
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { writeCacheSettings } from "./settings.ts";
 *
 * const folder = `${Deno.makeTempDirSync()}/cache`;
 * writeCacheSettings(folder, { limitBytes: 1e9 });
 * assert.match(Deno.readTextFileSync(`${folder}/cache.json`), /1000000000/);
 * ```
 */
export function writeCacheSettings(folder: string, settings: CacheSettings): void {
  Deno.mkdirSync(folder, { recursive: true });
  const path = join(folder, "cache.json");
  const text = `${JSON.stringify({ format: FORMAT, version: VERSION, ...settings }, null, 2)}\n`;
  try {
    if (Deno.readTextFileSync(path) === text) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  writeFileAtomic(path, (file) => void file.writeSync(new TextEncoder().encode(text)));
}
