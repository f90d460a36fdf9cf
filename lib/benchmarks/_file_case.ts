/** One case of a benchmark of files: every side in a process of its own, which does nothing else. */
import type { BenchProcess, SubjectConfig } from "./_process.ts";
import { type FileBenchContext, measureCase, type Runner } from "./benchmark.ts";
import { type PeerLibrary, startFilePeer } from "./peer.ts";
import { type BenchRecord, makeRecord } from "./record.ts";
import { startFileWorker } from "./worker.ts";

/** What is measured, and what the peers do for it. */
export interface FileCase {
  /** What the progress line calls it. */
  readonly title: string;
  readonly name: string;
  readonly config: BenchRecord["config"];
  readonly ours: SubjectConfig;
  readonly peers: readonly {
    /** How the report calls it. */
    readonly label: string;
    readonly library: PeerLibrary;
    readonly config: SubjectConfig;
  }[];
}

/** What a case found: its record, and what each side found, ours first. */
export interface FileResult<Facts> {
  readonly record: BenchRecord;
  readonly facts: readonly Facts[];
}

/**
 * Measures a case. Peak memory is that of one run in a fresh process.
 *
 * @param context Options, and where to tell how far it is.
 * @param what The case.
 * @param steps Measured runs of each side; undefined: one a round, and more if they fit into half a second.
 */
export async function measureFiles<Facts>(
  context: FileBenchContext,
  what: FileCase,
  steps: number | undefined,
): Promise<FileResult<Facts>> {
  const { threads, onProgress } = context;
  onProgress(what.title);
  await using stack = new AsyncDisposableStack();
  const sides: (Runner & { readonly facts: Facts; readonly peakRss: number })[] = [];
  const add = async (process: BenchProcess, config: SubjectConfig) => {
    stack.use(process);
    const { id, facts } = await process.prepare(config);
    sides.push({ process, id, facts: facts as Facts, peakRss: await process.peakRss() });
  };
  await add(startFileWorker(), what.ours);
  const versions: string[] = [];
  for (const { library, config } of what.peers) {
    const { peer, missing } = await startFilePeer(threads, [library]);
    if (peer === undefined) throw new Error(missing);
    versions.push(peer.versions[library]!);
    await add(peer.process, config);
  }
  const times = await measureCase(
    sides,
    steps,
    (round, rounds) => onProgress(`${what.title}: round ${round + 1} of ${rounds}`),
  );
  const side = (index: number) => ({
    rounds: times[index]!,
    findings: { peakRss: sides[index]!.peakRss },
  });
  const record = makeRecord(
    { name: what.name, engine: "none", config: { ...what.config, threads }, unit: "ms" },
    side(0),
    what.peers.map(({ label }, i) => ({ library: label, version: versions[i]!, ...side(i + 1) })),
  );
  return { record, facts: sides.map(({ facts }) => facts) };
}

/** Whether the peers are wanted and Python has these libraries; a remark if it has not. */
export async function hasPeer(
  { isPeerWanted, threads, warn }: FileBenchContext,
  libraries: readonly PeerLibrary[],
): Promise<boolean> {
  if (!isPeerWanted) return false;
  const { peer, missing } = await startFilePeer(threads, libraries);
  await peer?.process[Symbol.asyncDispose]();
  if (missing !== undefined) warn(missing);
  return missing === undefined;
}

/** Adds the rate at which so many bytes are read to a record and its peers. */
export function withRate(record: BenchRecord, bytes: number): BenchRecord {
  const rate = (ms: number) => ({ megabytesPerSecond: bytes / ms / 1e3 });
  return {
    ...record,
    ...rate(record.median),
    peers: record.peers.map((peer) => ({ ...peer, ...rate(peer.median) })),
  };
}

/** A sentence if two sides hold different numbers, by the CRC-32s of what they hold. */
export function describeDifference(
  what: string,
  ours: Readonly<Record<string, number>>,
  peer: Readonly<Record<string, number>>,
): string | undefined {
  const name = [...new Set([...Object.keys(ours), ...Object.keys(peer)])]
    .find((each) => ours[each] !== peer[each]);
  return name === undefined ? undefined : `Both sides should read the same ${what} "${name}", ` +
    `current value is ${ours[name]} here and ${peer[name]} there (CRC-32 of its numbers).`;
}
