/** `deno task bench step`: a whole training step of a policy. */
import { countParameters } from "../policies/mod.ts";
import {
  type BenchContext,
  describeRatio,
  digits,
  type EngineBenchmark,
  measureCase,
  peerEntrant,
  type Runner,
  type StepVariant,
} from "./benchmark.ts";
import { describeDisagreement } from "./agreement.ts";
import type { StepFacts } from "./_step_subject.ts";
import { type BenchRecord, makeRecord } from "./record.ts";
import { startPeer } from "./peer.ts";
import { stepPolicy, stepWeights } from "./step_weights.ts";
import { startWorker } from "./worker.ts";

/** Measured steps of each side, unless `--steps` says otherwise. */
const STEPS = 15;

/**
 * Forward pass, backward pass, clip by global norm 1, AdamW; op by op, compiled, and as one XLA
 * program, each in a child process of its own. The peer is PyTorch's eager step with fused AdamW.
 */
export const step: EngineBenchmark = {
  needsEngine: true,
  summary: "a training step, op by op, compiled and XLA, against PyTorch with fused AdamW",
  run: runStep,
  table: (records) => [
    [
      ...["step", "ms", "p10", "p90", "PyTorch ms", "time ratio"],
      ...["trace s", "first call s", "peak GB", "PyTorch peak GB", "first loss", "norm"],
    ],
    ...records.flatMap((record) =>
      record.peers.length > 1
        ? record.peers.map((p) => [record, p] as const)
        : [[record, record.peers[0]] as const]
    ).map(([record, torch]) => {
      const { config, median, p10, p90 } = record;
      const against = torch === undefined || torch.library === "PyTorch"
        ? ""
        : ` against ${torch.library}`;
      return [
        `${config.family} ${config.variant} ${config.precision}${against}`,
        ...[digits(median), digits(p10), digits(p90), digits(torch?.median)],
        describeRatio(torch),
        ...[digits(record.traceSeconds, 3), digits(record.firstCallSeconds, 3)],
        ...[gigabytes(record.peakRss), gigabytes(torch?.peakRss)],
        ...[digits(record.losses?.[0], 6), digits(record.gradientNorm, 5)],
      ];
    }),
  ],
};

function gigabytes(bytes: number | undefined): number | "" {
  return bytes === undefined ? "" : digits(bytes / 1e9, 3);
}

async function runStep(context: BenchContext): Promise<BenchRecord[]> {
  const { engine, peer, options, onProgress } = context;
  const { preset, batch, window, family, profile } = options;
  const precision = options.precision ?? "f32";
  const policy = stepPolicy(preset, window, family);
  const subject = { subject: "step", policy, batch, precision };
  const variants = possibleVariants(context, precision);

  const torch: (Runner & { readonly facts: StepFacts; readonly library: string })[] = [];
  await using second = precision === "bf16" && peer !== undefined
    ? await secondPeer(engine.threads)
    : undefined;
  // PyTorch's bfloat16 step is the peer that computes alike; the float32 one is what it must beat.
  for (const each of precision === "bf16" ? ["bf16", "f32"] as const : ["f32"] as const) {
    const forPeer = { ...subject, precision: each, weights: stepWeights(policy) };
    const library = each === precision ? "PyTorch" : "PyTorch float32";
    for (
      const { process, config } of peerEntrant(
        each === precision ? peer : second?.peer,
        "PyTorch",
        forPeer,
      )
    ) {
      onProgress(`step: ${library}'s first steps`);
      torch.push({ process, library, ...await prepare(process, config) });
    }
  }
  const records: BenchRecord[] = [];
  for (const variant of variants) {
    onProgress(`step ${variant}: first steps`);
    await using worker = startWorker(engine);
    const ours = await prepare(worker, { ...subject, variant, profile });
    if (ours.facts.phases) context.note(`step ${variant}: ${describePhases(ours.facts.phases)}`);
    const times = await measureCase(
      [{ process: worker, id: ours.id }, ...torch],
      options.steps ?? STEPS,
      (round, rounds) => onProgress(`step ${variant}: round ${round + 1} of ${rounds}`),
    );
    const record = makeRecord(
      {
        name: "step",
        engine: engine.name,
        config: {
          ...{ family, preset, variant, batch, window, precision },
          threads: engine.threads,
          parameters: countParameters(policy).total,
        },
        unit: "ms",
      },
      { rounds: times[0]!, findings: { ...ours.facts, peakRss: await worker.peakRss() } },
      await Promise.all(torch.map(async ({ process, facts, library }, i) => ({
        library,
        version: peer!.versions.PyTorch!,
        rounds: times[i + 1]!,
        findings: { ...facts, peakRss: await process.peakRss() },
      }))),
    );
    const problem = torch[0] && describeDisagreement(ours.facts, torch[0].facts, precision);
    records.push(problem === undefined ? record : { ...record, problem: `${variant}: ${problem}` });
  }
  for (const { process, id } of torch) await process.release(id);
  return records;
}

/** `forward 61 ms (20 %), …` */
function describePhases(phases: NonNullable<StepFacts["phases"]>): string {
  const total = Object.values(phases).reduce((sum, time) => sum + time, 0);
  return Object.entries(phases)
    .map(([name, time]) => `${name} ${time.toFixed(0)} ms (${(100 * time / total).toFixed(0)} %)`)
    .join("; ");
}

/** A process of its own for the other precision, whose peak memory is that of this one. */
async function secondPeer(threads: number) {
  const { peer } = await startPeer(threads);
  return { peer, [Symbol.asyncDispose]: async () => await peer?.process[Symbol.asyncDispose]() };
}

async function prepare(process: Runner["process"], config: Parameters<typeof process.prepare>[0]) {
  const { id, facts } = await process.prepare(config);
  return { id, facts: facts as unknown as StepFacts };
}

function possibleVariants(
  { engine, options, note }: BenchContext,
  precision: "f32" | "bf16",
): StepVariant[] {
  if (engine.name === "tensorflow") {
    if (precision === "f32") return [...options.variants];
    note("step: eager is left out, because only compiled functions compute in bfloat16");
    return options.variants.filter((variant) => variant !== "eager");
  }
  if (precision === "bf16") {
    note(`step: bf16 is left out, because ${engine.name} has no bfloat16`);
    return [];
  }
  const without = options.variants.filter((variant) => variant !== "eager");
  if (without.length > 0) {
    note(`step: ${without.join(", ")} left out, because ${engine.name} runs op by op`);
  }
  return options.variants.filter((variant) => variant === "eager");
}
