/** `deno task bench preprocess`: step 0 of a recording. */
import { digits, type FileBenchContext, type FileBenchmark, megabytes } from "./benchmark.ts";
import { type FileCase, hasPeer, measureFiles } from "./_file_case.ts";
import type { PreprocessConfig, PreprocessFacts } from "./_preprocess_subject.ts";
import { type RecordingFiles, recordingSize, writeRecording } from "./_recording_files.ts";
import { PEER_COLUMNS, peerRows } from "./_peer_rows.ts";
import { makeScratch } from "./_scratch.ts";
import type { BenchRecord } from "./record.ts";

/** Length of the recording, in seconds. */
const SECONDS = { tiny: 6, compact: 60, reference: 600 } as const;
/** Measured runs of the parts that write, which take seconds. */
const STEPS = 3;

interface Part extends Pick<PreprocessConfig, "part" | "images" | "format"> {
  /** `none`, `times` or `rows`: what is read of the sensor's file. */
  readonly sensor: "none" | "times" | "rows";
  /** The Python versions it can be compared with; none does what is left out here. */
  readonly styles: readonly (keyof typeof STYLES)[];
}

/** Ways to get at numbers in Python; `preprocess_peer.py` says what each does. */
const STYLES = {
  numpy: "Python, NumPy elements",
  lists: "Python, lists",
  iloc: "Python, pandas iloc",
} as const;
const ALL = ["numpy", "lists", "iloc"] as const;

/**
 * Parts from the actions alone to the whole command. What Python does in them: it reads the robot's
 * file, makes the actions, lists the images by name, loads the sensor's arrays whole and keeps one row
 * per action, and writes a pickle.
 *
 * So no ratio but that of `data-pkl` is quite like with like. Ours also makes rotation vectors and
 * segments (`actions`), cleans and compares the times of all streams and reports on them (`align`),
 * opens every image (`checked`), and the container keeps all sensor rows: 1.6 GB against 25 MB.
 */
const PARTS: readonly Part[] = [
  { part: "actions", images: "none", sensor: "none", format: "none", styles: ALL },
  { part: "csv+actions", images: "none", sensor: "none", format: "none", styles: ALL },
  { part: "align", images: "listed", sensor: "times", format: "none", styles: ["numpy"] },
  { part: "align", images: "checked", sensor: "times", format: "none", styles: [] },
  { part: "write", images: "listed", sensor: "none", format: "container", styles: ["numpy"] },
  { part: "write", images: "checked", sensor: "none", format: "container", styles: [] },
  { part: "write", images: "listed", sensor: "rows", format: "data-pkl", styles: ["numpy"] },
  { part: "write", images: "checked", sensor: "rows", format: "container", styles: ["numpy"] },
];

/** Step 0 of ten minutes, part by part, against the same written down in Python. */
export const preprocess: FileBenchmark = {
  needsEngine: false,
  summary:
    "step 0 of a recording of ten minutes, part by part, against plain Python (5 GB of disk)",
  run: runPreprocess,
  table: (records) => [
    [
      ...["preprocess", "images", "sensor", "writes", "ms", "p10", "p90", "peak MB"],
      ...PEER_COLUMNS,
    ],
    ...records.flatMap((record) => {
      const { config, median, p10, p90, peakRss, peers } = record;
      const ours = [
        ...[config.part, config.images, config.sensor, config.writes].map(String),
        ...[digits(median), digits(p10), digits(p90), megabytes(peakRss)],
      ];
      return peerRows(ours, peers);
    }),
  ],
};

async function runPreprocess(context: FileBenchContext): Promise<BenchRecord[]> {
  const { options, onProgress } = context;
  const seconds = SECONDS[options.preset];
  const size = recordingSize(seconds);
  // beside the recording: a container, and the one that replaces it
  using scratch = makeScratch(size.bytes + 2 * size.sensorBytes, "preprocess");
  const isPeerThere = await hasPeer(context, ["pandas"]);
  onProgress(`preprocess: writing a recording of ${seconds} s`);
  const files = writeRecording(scratch.path, seconds);
  const records: BenchRecord[] = [];
  for (const part of PARTS) {
    const what = caseOf(part, files, scratch.path, size, isPeerThere);
    // a sensor's file that should not be read is put out of sight
    const hidden = part.sensor === "none" ? `${scratch.path}/hidden` : files.sensorFile;
    Deno.renameSync(files.sensorFile, hidden);
    const steps = options.steps ?? (part.part === "write" ? STEPS : undefined);
    const { record, facts } = await measureFiles<PreprocessFacts>(context, what, steps);
    Deno.renameSync(hidden, files.sensorFile);
    const problem = describeFacts(facts);
    records.push(
      problem === undefined
        ? record
        : { ...record, problem: `preprocess ${part.part}: ${problem}` },
    );
  }
  return records;
}

function caseOf(
  { part, images, sensor, format, styles }: Part,
  { folder: recording, robotFile }: RecordingFiles,
  scratch: string,
  { robotRows, sensorRows, images: imageCount }: ReturnType<typeof recordingSize>,
  isPeerThere: boolean,
): FileCase {
  const ours: PreprocessConfig = {
    ...{ part, images, format, recording, robotFile },
    output: `${scratch}/${format}`,
  };
  return {
    title: `preprocess ${part}`,
    name: "preprocess",
    config: {
      ...{ part, images, sensor, writes: format, robotRows },
      sensorRows: sensor === "none" ? 0 : sensorRows,
      imageCount: images === "none" ? 0 : imageCount,
    },
    ours: { subject: "preprocess", ...ours },
    peers: (isPeerThere ? styles : []).map((style) => ({
      label: STYLES[style],
      library: "pandas",
      config: {
        ...{ subject: "preprocess", part, style, recording, robotFile },
        pickle: `${scratch}/data.pkl`,
      },
    })),
  };
}

/** A sentence if a peer found other actions or images. */
function describeFacts([ours, ...peers]: readonly PreprocessFacts[]): string | undefined {
  for (const peer of peers) {
    for (const key of ["actions", "images", "checksum"] as const) {
      if (ours![key] === undefined || peer[key] === undefined || ours![key] === peer[key]) continue;
      return `both sides should find the same ${key}, current value is ${ours![key]} here and ` +
        `${peer[key]} there.`;
    }
  }
  return undefined;
}
