/** What a benchmark is, and the way all of them measure. */
import type { Engine } from "../engine/mod.ts";
import type { BenchProcess, SubjectConfig } from "./_process.ts";
import { interleave, spreadRuns } from "./interleave.ts";
import type { Peer } from "./peer.ts";
import type { BenchRecord } from "./record.ts";
import type { StepFamily } from "./step_weights.ts";
import type { PresetName } from "../policies/mod.ts";

/** Which implementations of the training step are measured. */
export type StepVariant = "eager" | "compiled" | "xla";

/** What the flags of `deno task bench` say. */
export interface BenchOptions {
  /** Size of the network and of the files; of the products, up to which size. */
  readonly preset: PresetName;
  /** Samples of a step. */
  readonly batch: number;
  /** Rows of a sample's sensor window. */
  readonly window: number;
  /** Measured runs of each case; undefined: the benchmark's own choice. */
  readonly steps: number | undefined;
  /** undefined: the benchmark's own choice. */
  readonly precision: "f32" | "bf16" | undefined;
  /** Whether to say where a step's time goes. */
  readonly profile: boolean;
  /** Folder of a visual-language model, absolute; undefined: random weights. */
  readonly model: string | undefined;
  /** What the policy of a step learns. */
  readonly family: StepFamily;
  readonly variants: readonly StepVariant[];
}

interface CommonContext {
  readonly options: BenchOptions;
  /** Tells how far it is. */
  readonly onProgress: (text: string) => void;
  /** Takes remarks about what is left out. */
  readonly note: (text: string) => void;
}

/** What a benchmark of the engine finds around it. */
export interface BenchContext extends CommonContext {
  /** The engine as started in this process; benchmarks measure it in child processes. */
  readonly engine: Engine;
  /** PyTorch and NumPy; absent if missing or not wanted. */
  readonly peer?: Peer;
}

/** What a benchmark of files finds around it. */
export interface FileBenchContext extends CommonContext {
  /** CPU threads that the peers' libraries may use. */
  readonly threads: number;
  /** Whether to measure peers where Python has them. */
  readonly isPeerWanted: boolean;
  /** Takes remarks about peers that are missing. */
  readonly warn: (text: string) => void;
}

interface Described {
  /** One line for `--help`. */
  readonly summary: string;
  /** Whether it runs only when it is named, because it takes much memory. Default: false */
  readonly onRequest?: boolean;
  /** The table for people: a heading and a row for each record, or for each of its peers. */
  readonly table: (records: readonly BenchRecord[]) => (string | number)[][];
}

/** A benchmark of the engine. */
export interface EngineBenchmark extends Described {
  readonly needsEngine: true;
  /** Measures all its cases. */
  readonly run: (context: BenchContext) => Promise<BenchRecord[]>;
}

/** A benchmark of reading and writing files, which no engine takes part in. */
export interface FileBenchmark extends Described {
  readonly needsEngine: false;
  /** Measures all its cases. */
  readonly run: (context: FileBenchContext) => Promise<BenchRecord[]>;
}

/** A benchmark. */
export type Benchmark = EngineBenchmark | FileBenchmark;

/** Something prepared in a child process. */
export interface Runner {
  readonly process: BenchProcess;
  readonly id: number;
}

/** Rounds of a case: each side has a turn in every one. */
const ROUNDS = 5;
/** Milliseconds of a turn, unless the number of runs was given. */
const TURN = 100;
const UNLIMITED = 1e9;

/**
 * Measures one case on all sides in alternation.
 *
 * @param runners Ours first, then the peers.
 * @param steps Measured runs of each side; undefined: as many as fit into half a second.
 * @param onRound Called before each round.
 * @returns Times of each side by rounds, milliseconds.
 */
export async function measureCase(
  runners: readonly Runner[],
  steps: number | undefined,
  onRound?: (round: number, rounds: number) => void,
): Promise<(readonly number[])[][]> {
  const runs = spreadRuns(steps ?? ROUNDS * 1000, ROUNDS);
  const rounds = runs.length;
  return await interleave(
    runners.map(({ process, id }) => ({ measure: (block) => process.measure(id, block) })),
    {
      rounds,
      runs,
      milliseconds: steps === undefined ? TURN : UNLIMITED,
      onRound: (round) => onRound?.(round, rounds),
    },
  );
}

/** One side of a case: what it prepares, and what its library is called. */
export interface Entrant {
  readonly process: BenchProcess;
  readonly config: SubjectConfig;
}

/** A peer of a case. */
export interface PeerEntrant extends Entrant {
  readonly library: "PyTorch" | "NumPy";
}

/**
 * The peer's side of a case.
 *
 * @param peer The peer's process, if there is one.
 * @param library Which library of it.
 * @param config What it prepares.
 * @returns The side, or none when the library is missing.
 */
export function peerEntrant(
  peer: Peer | undefined,
  library: "PyTorch" | "NumPy",
  config: SubjectConfig,
): PeerEntrant[] {
  if (peer?.versions[library] === undefined) return [];
  return [{
    process: peer.process,
    library,
    config: { ...config, library: library.toLowerCase() },
  }];
}

/**
 * Prepares all sides of a case, measures them in alternation, and frees them.
 *
 * @param ours Our side.
 * @param peers The others.
 * @param steps As in {@link measureCase}.
 * @returns Times of each side by rounds, ours first, milliseconds.
 */
export async function contest(
  ours: Entrant,
  peers: readonly Entrant[],
  steps: number | undefined,
): Promise<(readonly number[])[][]> {
  const runners: Runner[] = [];
  for (const { process, config } of [ours, ...peers]) {
    runners.push({ process, id: (await process.prepare(config)).id });
  }
  const times = await measureCase(runners, steps);
  for (const { process, id } of runners) await process.release(id);
  return times;
}

/** Rounds to a few digits, as a number, for a table. */
export function digits(value: number | undefined, count = 4): number | "" {
  return value === undefined ? "" : Number(value.toPrecision(count));
}

/** `0.88×`, `0.0043×`, and the range within the rounds. */
export function describeRatio(
  side: { readonly ratio?: number; readonly ratioRange?: readonly [number, number] } | undefined,
): string {
  if (side?.ratio === undefined || side.ratioRange === undefined) return "";
  const [ratio, low, high] = [side.ratio, ...side.ratioRange].map((each) =>
    each < 0.1 ? String(digits(each, 2)) : each.toFixed(2)
  );
  return `${ratio}× (${low}–${high})`;
}

/** Bytes in units of 10⁶, for a table. */
export function megabytes(bytes: number | undefined): number | "" {
  return bytes === undefined ? "" : digits(bytes / 1e6, 3);
}
