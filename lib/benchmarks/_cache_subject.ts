/** Features: from pixels, and from the cache. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import sharp from "sharp";
import { type Feature, FeatureStore, pixel2048 } from "../features/mod.ts";
import type { Subject } from "./_subject.ts";

/** What is measured. */
export interface CacheConfig {
  /**
   * `lookup`: whether a key is there; `read`: a feature, checked; `open`: the cache; `extract`:
   * pixel-2048 of the five 640×360 images of a moment.
   */
  readonly part: "lookup" | "read" | "open" | "extract";
  /** Features in the cache. */
  readonly entries: number;
  /** An empty folder for the cache; one that a run of the same size has left serves again. */
  readonly folder: string;
}

/** What was made ready. */
export interface CacheFacts {
  readonly entries: number;
  /** Of the shards. */
  readonly bytes: number;
}

const SHAPE = { width: 256, dtype: "float16", norm: [0.01, 100] } as const;
/** Keys asked for in one run, spread over all. */
const ASKED = 1000;
const BLOCK = 1000;

/** Fills a cache, or reads it, or makes features. */
export async function cacheSubject({ part, entries, folder }: CacheConfig): Promise<Subject> {
  if (part === "extract") return await extractSubject();
  const place = join(folder, `${entries}`);
  const keys = Array.from(
    { length: entries },
    (_, k) => createHash("sha256").update(`${k}`).digest("hex"),
  );
  await fill(place, keys);
  const store = FeatureStore.open(place);
  const asked = Array.from({ length: ASKED }, (_, i) => keys[i * 7919 % entries]!);
  const facts: CacheFacts = { entries: store.size.entries, bytes: store.size.bytes };
  const bodies: Record<Exclude<typeof part, "extract">, () => void> = {
    lookup: () => assertAll(asked.every((key) => store.has(key))),
    read: () => assertAll(asked.every((key) => store.read(key, SHAPE) !== undefined)),
    open: () => FeatureStore.open(place).close(),
  };
  return {
    facts: { ...facts },
    run: bodies[part],
    repeats: part === "open" ? 1 : ASKED,
    release: () => store.close(),
  };
}

async function fill(folder: string, keys: readonly string[]): Promise<void> {
  using store = await FeatureStore.openForWriting(folder);
  for (let start = 0; start < keys.length; start += BLOCK) {
    const missing = keys.slice(start, start + BLOCK).filter((key) => !store.has(key));
    store.write(missing.map((key) => ({ key, feature: featureOf(key) })), SHAPE);
  }
}

function featureOf(key: string): Feature {
  const values = new Float32Array(SHAPE.width).fill(parseInt(key.slice(0, 8), 16) / 2 ** 32 + 0.1);
  return { tokens: 1, visualTokens: 1, values };
}

async function extractSubject(): Promise<Subject> {
  const extractor = pixel2048();
  const pixels = Uint8Array.from(
    { length: 640 * 360 * 3 },
    (_, i) => 128 + 100 * Math.sin(i / 999),
  );
  const raw = { raw: { width: 640, height: 360, channels: 3 } } as const;
  const views = await Promise.all(extractor.identity.views.map(async (name) => ({
    name,
    image: new Uint8Array(await sharp(pixels, raw).jpeg({ quality: 75 }).toBuffer()),
  })));
  const request = { views, instruction: "Perform Blue point insertion task" };
  return {
    facts: { images: views.length },
    run: async () => void await extractor.extract([request]),
    repeats: 1,
    release: () => {},
  };
}

function assertAll(isThere: boolean): void {
  if (!isThere) throw new Error("Cannot measure the cache: a feature is missing.");
}
