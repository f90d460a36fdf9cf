/** `deno task bench dispatch`: small ops, whose time is that of reaching the kernel. */
import type { DispatchConfig } from "./_dispatch_subject.ts";
import {
  type BenchContext,
  contest,
  describeRatio,
  type EngineBenchmark,
  peerEntrant,
} from "./benchmark.ts";
import { type BenchRecord, makeRecord } from "./record.ts";
import { startWorker } from "./worker.ts";

const OPS: readonly DispatchConfig["ops"][] = ["add", "chain", "compiled chain"];

/**
 * Ops on 8 numbers: one addition, a chain of 128 mixed ops, and that chain in one compiled function.
 * The peer is PyTorch, op by op, for all three.
 */
export const dispatch: EngineBenchmark = {
  needsEngine: true,
  summary: "small ops per second, op by op and compiled, against PyTorch op by op",
  run: runDispatch,
  table: (records) => [
    ["dispatch", "ops/s", "PyTorch ops/s", "time ratio"],
    ...records.map(({ config, median, peers: [torch] }) => [
      String(config.ops),
      Math.round(median),
      torch === undefined ? "" : Math.round(torch.median),
      describeRatio(torch),
    ]),
  ],
};

async function runDispatch(context: BenchContext): Promise<BenchRecord[]> {
  const { engine, peer, options, onProgress } = context;
  await using worker = startWorker(engine);
  const records: BenchRecord[] = [];
  for (const ops of OPS) {
    onProgress(`dispatch ${ops}`);
    const config = { subject: "dispatch", ops };
    const peers = peerEntrant(peer, "PyTorch", config);
    const times = await contest({ process: worker, config }, peers, options.steps);
    records.push(makeRecord(
      {
        name: "dispatch",
        engine: engine.name,
        config: { ops, size: 8, threads: engine.threads },
        unit: "ops/s",
      },
      { rounds: times[0]! },
      peers.map(({ library }) => ({
        library,
        version: peer!.versions[library]!,
        rounds: times[1]!,
      })),
    ));
  }
  return records;
}
