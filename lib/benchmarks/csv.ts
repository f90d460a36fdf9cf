/** `deno task bench csv`: reading a robot's file. */
import {
  describeRatio,
  digits,
  type FileBenchContext,
  type FileBenchmark,
  megabytes,
} from "./benchmark.ts";
import type { CsvFacts } from "./_csv_subject.ts";
import { describeDifference, hasPeer, measureFiles, withRate } from "./_file_case.ts";
import { type RobotDigits, writeRobotFile } from "./_robot_file.ts";
import { makeScratch } from "./_scratch.ts";
import { startFilePeer } from "./peer.ts";
import type { BenchRecord } from "./record.ts";

/** Ten minutes and 100 minutes of a robot's log, and what comes of not rounding. */
const CASES: Record<string, readonly (readonly [rows: number, digits: RobotDigits])[]> = {
  tiny: [[600, "3-7"]],
  compact: [[60_000, "3-7"]],
  reference: [[60_000, "3-7"], [600_000, "3-7"], [60_000, "float32"]],
};
const COLUMNS = 16;
/** Longest line, bytes. */
const LINE = 300;

/**
 * All 16 columns of a robot's file as float64. Peers: pandas' C parser as it is by default, which does
 * not round correctly (`inexactValues` tells how often), and told to, which must give our numbers.
 */
export const csv: FileBenchmark = {
  needsEngine: false,
  summary: "a robot's log of 16 columns, against pandas",
  run: runCsv,
  table: (records) => [
    [
      ...["csv rows", "digits", "MB", "ms", "MB/s", "peak MB"],
      ...["pandas ms", "MB/s", "peak MB", "time ratio", "wrong", "round_trip ms", "time ratio"],
    ],
    ...records.map(({ config, median, megabytesPerSecond, peakRss, peers: [fast, exact] }) => [
      ...[Number(config.rows), String(config.digits), megabytes(Number(config.bytes))],
      ...[digits(median), digits(megabytesPerSecond, 3), megabytes(peakRss)],
      ...[digits(fast?.median), digits(fast?.megabytesPerSecond, 3), megabytes(fast?.peakRss)],
      ...[describeRatio(fast), fast?.inexactValues ?? ""],
      ...[digits(exact?.median), describeRatio(exact)],
    ]),
  ],
};

async function runCsv(context: FileBenchContext): Promise<BenchRecord[]> {
  const { options, onProgress, threads } = context;
  const cases = CASES[options.preset]!;
  const needed = LINE * cases.reduce((sum, [rows]) => sum + rows, 0);
  using scratch = makeScratch(needed, "csv");
  const isPeerThere = await hasPeer(context, ["pandas"]);
  const records: BenchRecord[] = [];
  for (const [rows, digits] of cases) {
    onProgress(`csv ${rows} rows: writing them`);
    const path = `${scratch.path}/${rows}-${digits}.csv`;
    const bytes = writeRobotFile(path, rows, digits);
    const peer = (label: string, precision: "round_trip" | null) => ({
      label,
      library: "pandas" as const,
      config: { subject: "csv", path, precision },
    });
    const { record, facts: [ours, , exact] } = await measureFiles<CsvFacts>(context, {
      name: "csv",
      config: { rows, columns: COLUMNS, digits, bytes },
      ours: { subject: "csv", path },
      peers: isPeerThere ? [peer("pandas", null), peer("pandas round_trip", "round_trip")] : [],
    }, options.steps);
    const problem = exact && describeDifference("column", ours!.checksums, exact.checksums);
    const rated = withRate(record, bytes);
    const inexactValues = isPeerThere ? await countInexact(path, threads) : undefined;
    records.push({
      ...rated,
      peers: rated.peers.map((each, i) =>
        i === 0 && inexactValues !== undefined ? { ...each, inexactValues } : each
      ),
      ...(problem === undefined ? {} : { problem: `csv ${rows} rows: ${problem}` }),
    });
  }
  return records;
}

/** In a process of its own, because it reads the file twice. */
async function countInexact(path: string, threads: number): Promise<number | undefined> {
  const { peer } = await startFilePeer(threads, ["pandas"]);
  if (peer === undefined) return undefined;
  await using process = peer.process;
  const { facts } = await process.prepare({ subject: "csv exactness", path });
  return Number(facts.inexactValues);
}
