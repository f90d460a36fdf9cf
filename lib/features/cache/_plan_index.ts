import { join } from "node:path";
import { writeFileAtomic } from "../../formats/atomic_write.ts";
import { identify } from "../../datasets/_digest.ts";
import { canonicalJson } from "../canonical_json.ts";
import type { FeatureIdentity } from "../extractor.ts";
import { extractorDigest, sha256 } from "./key.ts";
import type { EpisodePlan, FeaturePlan } from "./plan.ts";

const FORMAT = "trocar feature index", VERSION = 1;

/** First line of an index. */
export interface IndexHeader {
  readonly format: typeof FORMAT;
  readonly version: number;
  readonly episode: {
    readonly path: string;
    readonly task: string;
    readonly name: string;
    readonly digest: string;
    readonly instruction: string;
  };
  readonly extractor: { readonly name: string; readonly digest: string } & FeatureIdentity;
  readonly reuse: number;
  readonly maxAge: number;
  readonly observations: number;
}

/** Name of the index of an episode under a plan; planned again, it takes the older one's place. */
export function indexName(
  plan: Pick<FeaturePlan, "extractor" | "reuse" | "maxAge">,
  { episode }: EpisodePlan,
): string {
  const { extractor, reuse, maxAge } = plan;
  const of = canonicalJson({
    episode: episode.path,
    extractor: extractorDigest(extractor),
    reuse,
    maxAge,
  });
  return `${sha256(of).slice(0, 32)}.jsonl`;
}

/**
 * Writes which step of an episode has which feature: frames and ages, so that one can see what was
 * chosen, and keys, so that garbage collection knows what is needed.
 */
export function writePlanIndex(plan: FeaturePlan, episodePlan: EpisodePlan): void {
  const { extractor, reuse, maxAge, folder } = plan;
  const { episode, observations } = episodePlan;
  const header: IndexHeader = {
    format: FORMAT,
    version: VERSION,
    episode: {
      path: episode.path,
      ...identify(episode),
      instruction: episode.manifest.instruction,
    },
    extractor: {
      name: extractor.name,
      digest: extractorDigest(extractor),
      ...extractor.identity,
    },
    reuse,
    maxAge,
    observations: observations.length,
  };
  const lines = observations.map(({ step, time, frames, ages, digests, key }) =>
    JSON.stringify({ step, time, frames, ages, images: digests, key }) // NaN becomes null
  );
  const text = `${[JSON.stringify(header), ...lines].join("\n")}\n`;
  const path = join(folder, "index", indexName(plan, episodePlan));
  Deno.mkdirSync(join(folder, "index"), { recursive: true });
  if (isSame(path, text)) return touchPlanIndex(plan, episodePlan);
  const bytes = new TextEncoder().encode(text);
  writeFileAtomic(path, (file) => {
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  });
}

/** Notes that an index is in use, if it is there and this process may. */
export function touchPlanIndex(plan: FeaturePlan, episodePlan: EpisodePlan): void {
  const now = new Date();
  try {
    Deno.utimeSync(join(plan.folder, "index", indexName(plan, episodePlan)), now, now);
  } catch (error) {
    const isAllowed = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied ||
      (error as { code?: string }).code === "EROFS";
    if (!isAllowed) throw error;
  }
}

function isSame(path: string, text: string): boolean {
  try {
    return Deno.readTextFileSync(path) === text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** An index that lies in a cache. */
export interface PlanIndex {
  readonly name: string;
  readonly header: IndexHeader;
  readonly keys: readonly string[];
  /** The step of each key. */
  readonly steps: readonly number[];
  /** When it was used last, ms since 1970. */
  readonly used: number;
}

/** All indices of a cache. */
export function readPlanIndices(folder: string): PlanIndex[] {
  return names(join(folder, "index")).flatMap((name) => {
    const path = join(folder, "index", name);
    try {
      const [first, ...rest] = Deno.readTextFileSync(path).trimEnd().split("\n");
      const header = JSON.parse(first!) as IndexHeader;
      const lines = rest.map((line) => JSON.parse(line));
      const keys = lines.map(({ key }) => String(key));
      const steps = lines.map(({ step }) => Number(step));
      if (
        header.format === FORMAT && header.version === VERSION &&
        header.observations === keys.length && typeof header.episode?.path === "string"
      ) {
        const used = Deno.statSync(path).mtime?.getTime() ?? 0;
        return [{ name, header, keys, steps, used }];
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new SyntaxError(
      `Cannot read ${path}: it should be a ${FORMAT} of version ${VERSION}, current value is ` +
        "something else. Remove it and run cache:build for its episode again.",
    );
  });
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(".jsonl") && !name.startsWith(".")).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
