/** What a benchmark reports. */
import { compareRounds, type Ratio, summarize, type Summary } from "./statistics.ts";

/** Further findings of one side; which there are depends on the benchmark. */
export interface Findings {
  /** 10⁹ floating-point operations per second at the median time. */
  readonly gflops?: number;
  /** Peak resident memory of the process, bytes; of files: up to the end of the first run. */
  readonly peakRss?: number;
  /** Seconds of loading a model. */
  readonly loadSeconds?: number;
  /** Seconds of the first call, with tracing and compiling. */
  readonly firstCallSeconds?: number;
  /** Seconds of tracing alone. */
  readonly traceSeconds?: number;
  /** Nodes of the traced graph. */
  readonly nodes?: number;
  /** Milliseconds of the parts of a step. */
  readonly phases?: Readonly<Record<string, number>>;
  /** Losses of the first two steps. */
  readonly losses?: readonly [number, number];
  /** Global norm of the first step's gradients. */
  readonly gradientNorm?: number;
  /** 10⁶ bytes per second at the median time. */
  readonly megabytesPerSecond?: number;
  /** Numbers that were read as a float64 other than the nearest to their text. */
  readonly inexactValues?: number;
}

/** What the same thing takes elsewhere, measured in alternation with ours. */
export interface PeerRecord extends Summary, Ratio, Findings {
  /** `PyTorch`, `NumPy`, `pandas`, or a way of using them. */
  readonly library: string;
  readonly version: string;
}

/** What `deno task bench --json` prints of one case. */
export interface BenchRecord extends Summary, Findings {
  /** The benchmark's name. */
  readonly name: string;
  /** The engine's name; `none` where none takes part. */
  readonly engine: string;
  /** What was measured. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  /** Unit of median, p10 and p90, here and in the peers. */
  readonly unit: "ms" | "ops/s";
  /** Our time divided by the first peer's; below 1 we are faster. Absent without a peer. */
  readonly ratio?: number;
  /** Smallest and largest ratio within one round. */
  readonly ratioRange?: readonly [number, number];
  readonly peers: readonly PeerRecord[];
  /** What is wrong, a sentence; then the command ends with exit code 1. */
  readonly problem?: string;
}

/** Times of one side by rounds, and what else was found. */
export interface Side {
  /** Milliseconds. */
  readonly rounds: readonly (readonly number[])[];
  readonly findings?: Findings;
}

/**
 * Makes a record of measured times.
 *
 * @param what name, engine, configuration and unit; `ops/s` is 1000 divided by milliseconds
 * @param ours our times, ms
 * @param peers the peers' times, ms, measured in the same rounds
 * @returns the record
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { makeRecord } from "./record.ts";
 * const what = { name: "sum", engine: "wasm", config: {}, unit: "ops/s" } as const;
 * const peer = { library: "NumPy", version: "2", rounds: [[1, 1]] };
 * const { median, ratio } = makeRecord(what, { rounds: [[2, 2]] }, [peer]);
 * assert(median === 500 && ratio === 2);
 * ```
 */
export function makeRecord(
  what: Pick<BenchRecord, "name" | "engine" | "config" | "unit">,
  ours: Side,
  peers: readonly (Side & { readonly library: string; readonly version: string })[],
): BenchRecord {
  const summary = ({ rounds }: Side) =>
    summarize(rounds.flat().map((ms) => what.unit === "ms" ? ms : 1000 / ms));
  const records = peers.map((peer): PeerRecord => ({
    library: peer.library,
    version: peer.version,
    ...summary(peer),
    ...compareRounds(ours.rounds, peer.rounds),
    ...peer.findings,
  }));
  const [first] = records;
  return {
    ...what,
    ...summary(ours),
    ...(first && { ratio: first.ratio, ratioRange: first.ratioRange }),
    ...ours.findings,
    peers: records,
  };
}
