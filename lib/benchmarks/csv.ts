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
 * All 16 columns of a robot's file as float64. The peer is pandas' C parser as it is by default, which
 * before pandas 3.1 did not round correctly: `inexactValues` tells how often. With correct rounding it
 * must give our numbers.
 */
export const csv: FileBenchmark = {
  needsEngine: false,
  summary: "a robot's log of 16 columns, against pandas",
  run: runCsv,
  table: (records) => [
    [
      ...["csv rows", "digits", "MB", "ms", "MB/s", "peak MB"],
      ...["pandas ms", "MB/s", "peak MB", "time ratio", "wrong"],
    ],
    ...records.map(({ config, median, megabytesPerSecond, peakRss, peers: [pandas] }) => [
      ...[Number(config.rows), String(config.digits), megabytes(Number(config.bytes))],
      ...[digits(median), digits(megabytesPerSecond, 3), megabytes(peakRss)],
      ...[digits(pandas?.median), digits(pandas?.megabytesPerSecond, 3)],
      ...[megabytes(pandas?.peakRss), describeRatio(pandas), pandas?.inexactValues ?? ""],
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
    const subject = { subject: "csv", path };
    const { record, facts: [ours] } = await measureFiles<CsvFacts>(context, {
      title: `csv ${rows} rows`,
      name: "csv",
      config: { rows, columns: COLUMNS, digits, bytes },
      ours: subject,
      peers: isPeerThere ? [{ label: "pandas", library: "pandas", config: subject }] : [],
    }, options.steps);
    const rated = withRate(record, bytes);
    records.push(isPeerThere ? await withExactness(rated, ours!, path, threads) : rated);
  }
  return records;
}

/** Compares the numbers in a process of its own, because it reads the file twice. */
async function withExactness(
  record: BenchRecord,
  ours: CsvFacts,
  path: string,
  threads: number,
): Promise<BenchRecord> {
  const { peer, missing } = await startFilePeer(threads, ["pandas"]);
  if (peer === undefined) throw new Error(missing);
  await using process = peer.process;
  const facts = (await process.prepare({ subject: "csv exactness", path }))
    .facts as unknown as Exactness;
  const problem = describeDifference("column", ours.checksums, facts.checksums);
  return {
    ...record,
    peers: record.peers.map((each) => ({ ...each, inexactValues: facts.inexactValues })),
    ...(problem === undefined ? {} : { problem: `csv ${ours.rows} rows: ${problem}` }),
  };
}

/** What pandas finds with correct rounding, and how often its default differs. */
interface Exactness extends Pick<CsvFacts, "checksums"> {
  readonly inexactValues: number;
}
