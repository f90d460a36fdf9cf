/** `deno task bench loader`: batches for training. */
import { SENSOR_DIM } from "../datasets/window.ts";
import { createNpyWriter } from "../formats/npy_writer.ts";
import { digits, type FileBenchContext, type FileBenchmark, megabytes } from "./benchmark.ts";
import { hasPeer, measureFiles } from "./_file_case.ts";
import type { LoaderConfig, LoaderFacts } from "./_loader_subject.ts";
import { PEER_COLUMNS, peerRows } from "./_peer_rows.ts";
import { makeScratch } from "./_scratch.ts";
import { fill } from "./fill.ts";
import type { BenchRecord } from "./record.ts";

/** Samples of an episode, of the small data set and of the large one, which is as large as the field's. */
const SIZES = {
  tiny: { episode: 100, small: 100, large: 1000 },
  compact: { episode: 1000, small: 1000, large: 10_000 },
  reference: { episode: 1000, small: 1000, large: 98_709 },
} as const;
/** Samples of the batches that keep a small network busy. */
const LARGE_BATCH = 64;
/** Processes of PyTorch's DataLoader. */
const WORKERS = [0, 2] as const;
/** Batches of each side: a turn must take many more than what was loaded ahead before it. */
const STEPS = 200;

/**
 * Time from batch to batch, when nothing else is done in between: sensor windows, actions and their
 * masks, in random order. All episodes read one file, which stays in memory. The peer is PyTorch's
 * DataLoader over a memory-mapped file, without and with processes of its own.
 */
export const loader: FileBenchmark = {
  needsEngine: false,
  summary: "batches of sensor windows from 98,709 samples, against PyTorch's DataLoader",
  run: runLoader,
  table: (records) => [
    [
      ...["loader", "batch", "window", "ms", "p90", "batches/s", "samples/s", "peak MB"],
      ...PEER_COLUMNS,
    ],
    ...records.flatMap(({ config, median, p90, peakRss, peers }) => {
      const ours = [
        ...[`${config.samples} samples`, Number(config.batch), Number(config.window)],
        ...[digits(median), digits(p90), digits(1000 / median, 3)],
        ...[digits(1000 / median * Number(config.batch), 3), megabytes(peakRss)],
      ];
      return peerRows(ours, peers);
    }),
  ],
};

async function runLoader(context: FileBenchContext): Promise<BenchRecord[]> {
  const { options, onProgress } = context;
  const { window } = options, { episode, small, large } = SIZES[options.preset];
  const rows = episode * window;
  using scratch = makeScratch(rows * SENSOR_DIM * 4, "loader");
  const isPeerThere = await hasPeer(context, ["PyTorch"]);
  onProgress("loader: writing sensor rows");
  const path = `${scratch.path}/sensor.npy`;
  writeRows(path, episode, window);
  const cases = [[small, LARGE_BATCH], [large, LARGE_BATCH], [large, options.batch]] as const;
  const records: BenchRecord[] = [];
  for (const [samples, batch] of cases) {
    const config: LoaderConfig = { path, episodeSamples: episode, samples, batch, window };
    const subject = { subject: "loader", ...config };
    const { record, facts: [ours, ...theirs] } = await measureFiles<LoaderFacts>(context, {
      title: `loader, ${samples} samples, batch ${batch}`,
      name: "loader",
      config: { samples, batch, window },
      ours: subject,
      peers: (isPeerThere ? WORKERS : []).map((workers) => ({
        label: `PyTorch, ${workers} workers`,
        library: "PyTorch",
        config: { ...subject, workers },
      })),
    }, options.steps ?? STEPS);
    const other = theirs.find(({ checksum }) => checksum !== ours!.checksum);
    const problem = other && `loader: both sides should load the same windows, current value is ` +
        `${ours!.checksum} here and ${other.checksum} there (CRC-32).`;
    records.push(problem === undefined ? record : { ...record, problem });
  }
  return records;
}

/** One sample's window at a time; no two are alike. */
function writeRows(path: string, samples: number, window: number): void {
  using writer = createNpyWriter(path, { dtype: "float32", rowShape: [SENSOR_DIM] });
  for (let sample = 0; sample < samples; sample++) {
    writer.append(fill(sample, window * SENSOR_DIM, 1));
  }
  writer.close();
}
