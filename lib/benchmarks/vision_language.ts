/** `deno task bench vision-language`: features of a 3B-shaped Qwen2.5-VL. */
import { basename, join } from "node:path";
import { readModelConfig } from "../vision_language/config.ts";
import { RANDOM_BLOCK, randomTensors } from "../vision_language/_random_tensors.ts";
import { randomFolders } from "../vision_language/random_weights.ts";
import {
  type BenchContext,
  describeRatio,
  digits,
  type EngineBenchmark,
  type Runner,
} from "./benchmark.ts";
import { interleave, spreadRuns } from "./interleave.ts";
import { startVisionLanguagePeer } from "./peer.ts";
import { type BenchRecord, makeRecord } from "./record.ts";
import type { VisionLanguageConfig, VisionLanguageFacts } from "./_vision_language_subject.ts";
import { startWorker } from "./worker.ts";

/** Views of a prompt, and measured runs of each side: one takes seconds, or minutes. */
const CASES = [{ views: 1, steps: 3 }, { views: 5, steps: 2 }] as const;
/** The largest that a run of the same in bfloat16 and in float32 differ by, 1 − cosine. */
const TOLERANCE = 1e-3;

/**
 * One prompt's mean hidden state: a view of 616 × 336, 264 visual tokens, and five of them. Both sides
 * hold the same weights in bfloat16: those of a folder, or random ones, of which loading means making
 * them, without a disk.
 */
export const visionLanguage: EngineBenchmark = {
  needsEngine: true,
  onRequest: true,
  summary:
    "features of a 3B-shaped Qwen2.5-VL with random weights, or of the one in\n  --model, against transformers (18 GB of memory, minutes)",
  run: runVisionLanguage,
  table: (records) => [
    [
      ...["vision-language", "tokens", "products", "s", "first call s", "load s", "peak GB"],
      ...["transformers s", "first call s", "load s", "peak GB", "time ratio"],
    ],
    ...records.map((record) => {
      const { config, peers: [peer] } = record;
      const side = (each: Pick<BenchRecord, "median" | "firstCallSeconds" | "peakRss">) => [
        digits(each.median / 1000, 3),
        digits(each.firstCallSeconds, 3),
      ];
      const memory = (of: BenchRecord | typeof peer) => [
        digits(of?.loadSeconds, 3),
        digits(of?.peakRss === undefined ? undefined : of.peakRss / 1e9, 3),
      ];
      return [
        `${config.model ?? config.size}, ${config.views} ${config.views === 1 ? "view" : "views"}`,
        ...[Number(config.tokens), String(config.precision)],
        ...[...side(record), ...memory(record)],
        ...(peer === undefined ? ["", "", "", ""] : [...side(peer), ...memory(peer)]),
        describeRatio(peer),
      ];
    }),
  ],
};

async function runVisionLanguage(context: BenchContext): Promise<BenchRecord[]> {
  const { engine, options, onProgress, note } = context;
  const { model } = options, size = options.preset === "reference" ? "3b" : "tiny";
  await using stack = new AsyncDisposableStack();
  const isPeerWanted = context.peer !== undefined;
  const { peer, missing } = isPeerWanted ? await startVisionLanguagePeer(engine.threads) : {};
  if (missing !== undefined) note(missing);
  if (peer !== undefined) stack.use(peer.process);
  const worker = stack.use(startWorker(engine));
  const random = randomFolders(size).model;
  const weights = model === undefined
    ? {
      ...{ folder: random, block: RANDOM_BLOCK },
      tensors: randomTensors(readModelConfig(join(random, "config.json"))),
    }
    : { folder: model };
  const records: BenchRecord[] = [];
  for (const { views, steps } of CASES) {
    const title = `vision-language, views: ${views}`;
    const subject: VisionLanguageConfig = {
      ...{ subject: "vision-language", size, views, ...(model !== undefined && { model }) },
      ...(options.precision && { precision: options.precision }),
    };
    onProgress(`${title}, first call`);
    const sides: (Runner & { readonly facts: VisionLanguageFacts })[] = [];
    const add = async (process: Runner["process"], more = {}) => {
      const { id, facts } = await process.prepare({ ...subject, ...more });
      sides.push({ process, id, facts: facts as unknown as VisionLanguageFacts });
    };
    await add(worker);
    const { facts: { ids, patches } } = sides[0]!;
    if (peer !== undefined) {
      onProgress(`${title}, first call of transformers`);
      await add(peer.process, { ...weights, ids, patches });
    }
    const runs = spreadRuns(options.steps ?? steps, options.steps ?? steps);
    const times = await interleave(
      sides.map(({ process, id }) => ({
        measure: (block) => process.measure(id, { ...block, warmUp: false }),
      })),
      {
        rounds: runs.length,
        runs,
        milliseconds: 1e9,
        onRound: (round) => onProgress(`${title}, round ${round + 1} of ${runs.length}`),
      },
    );
    const side = async (i: number) => {
      const { process, facts: { loadSeconds, firstCallSeconds } } = sides[i]!;
      const peakRss = await process.peakRss();
      return { rounds: times[i]!, findings: { loadSeconds, firstCallSeconds, peakRss } };
    };
    const { precision } = sides[0]!.facts;
    const record = makeRecord(
      {
        name: "vision-language",
        engine: engine.name,
        config: {
          ...(model === undefined ? { size } : { model: basename(model) }),
          ...{ views, tokens: ids.length, precision, threads: engine.threads },
        },
        unit: "ms",
      },
      await side(0),
      peer === undefined
        ? []
        : [{ library: "transformers", version: peer.versions.transformers!, ...await side(1) }],
    );
    const problem = sides[1] && describeDistance(sides[0]!.facts, sides[1].facts);
    records.push(problem === undefined ? record : { ...record, problem: `${title}: ${problem}` });
    for (const { process, id } of sides) await process.release(id);
  }
  return records;
}

/** A sentence if both features point in other directions. */
function describeDistance(
  { feature: ours }: VisionLanguageFacts,
  { feature: theirs }: VisionLanguageFacts,
): string | undefined {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const distance = 1 - dot(ours, theirs) / Math.sqrt(dot(ours, ours) * dot(theirs, theirs));
  return ours.length === theirs.length && distance <= TOLERANCE
    ? undefined
    : `both sides should compute the same feature, current value is a distance of ${distance} ` +
      `(1 − cosine, tolerance ${TOLERANCE})`;
}
