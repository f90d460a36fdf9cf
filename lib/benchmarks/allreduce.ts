/** `deno task bench allreduce`: sums of tensors over the processes of one machine. */
import { fileURLToPath } from "node:url";
import { localPlaces, tfConfig } from "../launch/mod.ts";
import { type BenchContext, describeRatio, digits, type EngineBenchmark } from "./benchmark.ts";
import { BenchProcess } from "./_process.ts";
import { type BenchRecord, makeRecord } from "./record.ts";

/** 10⁶ bytes of float32. The last is about the gradient of the reference policy. */
const SIZES = [1, 10, 40, 480];
const PROCESSES = [2, 4];
const ROUNDS = 3;
/** Of one round; 480 MB take seconds. */
const RUNS = 3;
/** Processes × size beyond which memory would be short on a common machine, 10⁶ bytes. */
const MOST = 1000;

/**
 * Sums of one tensor over 2 and 4 processes on this machine, as they happen in every training step of
 * several processes. The peer is `torch.distributed.all_reduce` with gloo. Each process has one thread.
 */
export const allreduce: EngineBenchmark = {
  needsEngine: true,
  summary: "sums over 2 and 4 processes, against torch.distributed with gloo",
  run: runAllreduce,
  table: (records) => [
    ["allreduce", "MB", "processes", "ms", "MB/s", "gloo ms", "time ratio"],
    ...records.map(({ config, median, megabytesPerSecond, peers: [torch] }) => [
      "float32",
      Number(config.megabytes),
      Number(config.processes),
      digits(median),
      digits(megabytesPerSecond, 3),
      digits(torch?.median),
      describeRatio(torch),
    ]),
  ],
};

async function runAllreduce(context: BenchContext): Promise<BenchRecord[]> {
  const { engine, peer, options, onProgress, note } = context;
  if (engine.name !== "tensorflow") {
    note(`allreduce is left out: only tensorflow has several processes, not ${engine.name}.`);
    return [];
  }
  const version = peer?.versions.PyTorch;
  const records: BenchRecord[] = [];
  for (const processes of PROCESSES) {
    onProgress(`allreduce: ${processes} processes start`);
    await using ours = new Group(processes, ourCommand);
    await using theirs = version === undefined ? undefined : new Group(processes, peerCommand);
    const groups = [ours, ...(theirs === undefined ? [] : [theirs])];
    for (const megabytes of SIZES.filter((size) => size * processes <= MOST)) {
      onProgress(`allreduce: ${megabytes} MB in ${processes} processes`);
      const rounds: number[][][] = groups.map(() => []);
      for (let round = 0; round < ROUNDS; round++) {
        for (const [i, group] of groups.entries()) {
          rounds[i]!.push(await group.measure(megabytes, options.steps ?? RUNS));
        }
      }
      const what = {
        name: "allreduce",
        engine: engine.name,
        config: { megabytes, processes, threads: 1 },
        unit: "ms" as const,
      };
      const record = makeRecord(
        what,
        { rounds: rounds[0]! },
        theirs === undefined ? [] : [{ library: "PyTorch", version: version!, rounds: rounds[1]! }],
      );
      records.push({ ...record, megabytesPerSecond: megabytes / record.median * 1000 });
    }
  }
  return records;
}

type CommandOf = (places: ReturnType<typeof localPlaces>, rank: number) => readonly string[];

const ourCommand: CommandOf = (places, rank) => [
  Deno.execPath(),
  "run",
  "--quiet",
  "--allow-all",
  fileURLToPath(import.meta.resolve("./_allreduce_worker.ts")),
  tfConfig(places[rank]!),
];

const peerCommand: CommandOf = (places, rank) => [
  "python3",
  "-B",
  "-u",
  fileURLToPath(import.meta.resolve("./allreduce_peer.py")),
  places[0]!.addresses[0]!,
  String(rank),
  String(places.length),
];

/** Processes that sum together. */
class Group implements AsyncDisposable {
  readonly #members: readonly BenchProcess[];

  constructor(size: number, command: CommandOf) {
    const places = localPlaces(size);
    this.#members = places.map((_, rank) =>
      new BenchProcess({
        command: command(places, rank),
        name: `process ${rank} of ${size}`,
        remedy: "See the messages of the others.",
      })
    );
  }

  /** Milliseconds of sums, as rank 0 saw them; the slowest ends them all. */
  async measure(megabytes: number, runs: number): Promise<number[]> {
    const answers = await Promise.all(
      this.#members.map((member) => member.ask<{ times: number[] }>({ megabytes, runs })),
    );
    return answers[0]!.times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map((member) => member[Symbol.asyncDispose]()));
  }
}
