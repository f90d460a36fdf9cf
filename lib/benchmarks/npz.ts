/** `deno task bench npz`: reading arrays of an NPZ archive. */
import {
  describeRatio,
  digits,
  type FileBenchContext,
  type FileBenchmark,
  megabytes,
} from "./benchmark.ts";
import { writeNpz } from "../formats/npz_writer.ts";
import { describeDifference, hasPeer, measureFiles, withRate } from "./_file_case.ts";
import type { NpzFacts } from "./_npz_subject.ts";
import { makeScratch } from "./_scratch.ts";
import { fill } from "./fill.ts";
import type { BenchRecord } from "./record.ts";

/** Rows of the arrays (rows, 16) and (rows, 8) of float32 and (rows) of int64. */
const ROWS = { tiny: 2000, compact: 200_000, reference: 2_000_000 } as const;
const ROW_BYTES = (16 + 8) * 4 + 8;
const ONE = "time";
/** Measured runs of a deflated archive, which takes seconds. */
const STEPS = 5;

/**
 * All arrays of an archive and one of them, stored and deflated, with the check of their CRC-32s. The
 * peer is NumPy, which checks them too.
 */
export const npz: FileBenchmark = {
  needsEngine: false,
  summary: "arrays of a 208 MB NPZ archive, stored and deflated, against NumPy",
  run: runNpz,
  table: (records) => [
    [
      ...["npz", "arrays", "MB", "ms", "MB/s", "peak MB"],
      ...["NumPy ms", "MB/s", "peak MB", "time ratio"],
    ],
    ...records.map(({ config, median, megabytesPerSecond, peakRss, peers: [numpy] }) => [
      ...[String(config.form), String(config.arrays), megabytes(Number(config.bytes))],
      ...[digits(median), digits(megabytesPerSecond, 3), megabytes(peakRss)],
      ...[digits(numpy?.median), digits(numpy?.megabytesPerSecond, 3), megabytes(numpy?.peakRss)],
      describeRatio(numpy),
    ]),
  ],
};

async function runNpz(context: FileBenchContext): Promise<BenchRecord[]> {
  const { options, onProgress } = context;
  const rows = ROWS[options.preset];
  using scratch = makeScratch(2 * rows * ROW_BYTES + 1e5, "npz");
  const isPeerThere = await hasPeer(context, ["NumPy"]);
  const records: BenchRecord[] = [];
  for (const form of ["stored", "deflated"] as const) {
    onProgress(`npz ${form}: writing it`);
    const path = `${scratch.path}/${form}.npz`;
    writeNpz(path, arrays(rows), { compressed: form === "deflated" });
    const fileBytes = Deno.statSync(path).size;
    for (const member of [undefined, ONE]) {
      const bytes = rows * (member === undefined ? ROW_BYTES : 8);
      const subject = { subject: "npz", path, ...(member === undefined ? {} : { member }) };
      const { record, facts: [ours, numpy] } = await measureFiles<NpzFacts>(context, {
        title: `npz ${form}, ${member === undefined ? "all arrays" : "one array"}`,
        name: "npz",
        config: { form, arrays: member === undefined ? "all" : "one", rows, bytes, fileBytes },
        ours: subject,
        peers: isPeerThere ? [{ label: "NumPy", library: "NumPy", config: subject }] : [],
      }, options.steps ?? (form === "deflated" && member === undefined ? STEPS : undefined));
      const problem = numpy && describeDifference("array", ours!.checksums, numpy.checksums);
      records.push({
        ...withRate(record, bytes),
        ...(problem === undefined ? {} : { problem: `npz ${form}: ${problem}` }),
      });
    }
  }
  return records;
}

/** Robot states and actions in steps of 1/2048, and times that count up: they deflate to a third. */
function arrays(rows: number) {
  const stepped = (index: number, width: number) =>
    fill(index, rows * width, 1).map((value) => Math.round(value * 2048) / 2048);
  const time = BigInt64Array.from({ length: rows }, (_, row) =>
    1_761_551_500_000_000_000n +
    10_000_000n * BigInt(row));
  return {
    state: { shape: [rows, 16], data: stepped(400, 16) },
    action: { shape: [rows, 8], data: stepped(401, 8) },
    [ONE]: { data: time },
  };
}
