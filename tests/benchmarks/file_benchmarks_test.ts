import assert from "node:assert/strict";
import { describeDifference } from "../../lib/benchmarks/_file_case.ts";
import { recordingSize, writeRecording } from "../../lib/benchmarks/_recording_files.ts";
import { writeRobotFile } from "../../lib/benchmarks/_robot_file.ts";
import { makeScratch } from "../../lib/benchmarks/_scratch.ts";
import { type BenchRecord, startFilePeer } from "../../lib/benchmarks/mod.ts";
import { discoverRecordings, readRecording } from "../../lib/episodes/mod.ts";
import { readCsv } from "../../lib/formats/mod.ts";
import { runBench } from "./_run_bench.ts";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const { peer, missing } = await startFilePeer(1, ["pandas"]);
await peer?.process[Symbol.asyncDispose]();

const TINY = ["--preset", "tiny", "--steps", "1", "--threads", "1", "--json"];

/** Runs it with a folder for temporary files of its own, which must be empty in the end. */
async function bench(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  const result = await runBench([...args, ...TINY], {
    TMPDIR: folder,
    TEMP: folder,
    TMP: folder,
    ...env,
  });
  assert.equal(result.code, 0, result.stderr);
  const left = [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith("trocar-bench"));
  assert.deepEqual(left, []);
  const records = JSON.parse(result.stdout) as BenchRecord[];
  for (const record of records) {
    assert.equal(record.engine, "none");
    assert.equal(record.unit, "ms");
    assert.equal(record.config.threads, 1);
    assert.equal(record.problem, undefined);
    assert.equal(record.runs, 1);
    assert.ok(record.median > 0 && record.p10 === record.median && record.p90 === record.median);
    assert.ok(record.peakRss! > 2e7 && record.peakRss! < 1e9, String(record.peakRss));
  }
  return { ...result, records };
}

Deno.test("bench cache measures opening, looking up, reading and extracting", async () => {
  const { records } = await bench(["cache"]);
  assert.deepEqual(
    records.map(({ config }) => [config.part, config.entries]),
    [["open", 1000], ["lookup", 1000], ["read", 1000], ["extract", 0]],
  );
  assert(records.every(({ engine, median }) => engine === "none" && median > 0));
});

Deno.test("bench loader --no-peer loads from a small and a large data set", async () => {
  const { records } = await bench(["loader", "--no-peer", "--batch", "3", "--window", "5"]);
  assert.deepEqual(
    records.map(({ config: { samples, batch, window } }) => [samples, batch, window]),
    [[100, 64, 5], [1000, 64, 5], [1000, 3, 5]],
  );
});

Deno.test("bench csv npz starts no engine and reports sizes and rates without python3", async () => {
  const { records, stderr } = await bench(["csv", "npz"], { PATH: "" });
  assert.doesNotMatch(stderr, /engine/);
  assert.match(stderr, /peer is missing.*no python3.*pip install pandas/);
  const [csv, ...npz] = records;
  const { bytes, ...config } = csv!.config;
  assert.deepEqual(config, { rows: 600, columns: 16, digits: "3-7", threads: 1 });
  assert.ok(Number(bytes) > 600 * 16 * 4 && Number(bytes) < 600 * 300, String(bytes));
  assert.deepEqual(
    npz.map(({ config }) => [config.form, config.arrays, config.bytes]),
    [
      ["stored", "all", 2000 * 104],
      ["stored", "one", 2000 * 8],
      ["deflated", "all", 2000 * 104],
      ["deflated", "one", 2000 * 8],
    ],
  );
  assert.ok(Number(npz[2]!.config.fileBytes) < 0.6 * Number(npz[0]!.config.fileBytes));
  for (const { config, median, megabytesPerSecond, peers } of records) {
    assert.ok(Math.abs(megabytesPerSecond! / (Number(config.bytes) / median / 1e3) - 1) < 1e-9);
    assert.deepEqual(peers, []);
  }
});

Deno.test("bench preprocess --no-peer goes from the actions to the whole command", async () => {
  const { records } = await bench(["preprocess", "--no-peer"]);
  assert.deepEqual(
    records.map(({ config }) =>
      [config.part, config.images, config.sensor, config.writes].join(" ")
    ),
    [
      "actions none none none",
      "csv+actions none none none",
      "align listed times none",
      "align checked times none",
      "write listed none container",
      "write checked none container",
      "write listed rows data-pkl",
      "write checked rows container",
    ],
  );
  assert.ok(records.every(({ config, peers }) => config.robotRows === 600 && peers.length === 0));
  assert.deepEqual([records[7]!.config.sensorRows, records[7]!.config.imageCount], [3900, 150]);
});

Deno.test({
  name: `bench csv npz preprocess finds the peers' numbers${missing ? ` (${missing})` : ""}`,
  ignore: missing !== undefined,
  fn: async () => {
    const { records } = await bench(["csv", "npz", "preprocess"]);
    assert.deepEqual(
      records.map(({ name, peers }) => `${name} ${peers.map(({ library }) => library).join()}`),
      [
        "csv pandas",
        ...Array(4).fill("npz NumPy"),
        ...Array(2).fill(
          "preprocess Python, NumPy elements,Python, lists,Python, pandas iloc",
        ),
        "preprocess Python, NumPy elements",
        "preprocess ",
        "preprocess Python, NumPy elements",
        "preprocess ",
        ...Array(2).fill("preprocess Python, NumPy elements"),
      ],
    );
    for (const record of records) {
      for (const peer of record.peers) {
        assert.ok(Math.abs(peer.ratio / (record.median / peer.median) - 1) < 1e-9);
        assert.ok(peer.peakRss! > 1e7);
        assert.match(peer.version, /^\d+\.\d+/);
      }
      assert.equal(record.ratio, record.peers[0]?.ratio);
    }
    assert.ok(Number.isInteger(records[0]!.peers[0]!.inexactValues));
  },
});

Deno.test("describeDifference names what differs or is missing on one side", () => {
  assert.equal(describeDifference("column", { a: 1, b: 2 }, { a: 1, b: 2 }), undefined);
  assert.match(describeDifference("column", { a: 1, b: 2 }, { a: 1, b: 3 })!, /"b".*2 here and 3/);
  assert.match(describeDifference("array", { a: 1 }, { a: 1, c: 3 })!, /array "c".*undefined here/);
});

Deno.test("makeScratch removes its folder and refuses what does not fit on the disk", () => {
  let path: string;
  {
    using scratch = makeScratch(1, "csv");
    path = scratch.path;
    Deno.writeTextFileSync(`${path}/file`, "");
  }
  assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  assert.throws(
    () => makeScratch(2 ** 70, "csv"),
    /Cannot measure csv: .* need 1\.22e\+12 GB in .*free space is .* GB\. Make room there, set T/,
  );
});

Deno.test("writeRobotFile writes what the recorders write", () => {
  const path = temporaryPath("robot_state.csv");
  const bytes = writeRobotFile(path, 50, "3-7");
  const lines = Deno.readTextFileSync(path).split("\r\n");
  assert.equal(Deno.statSync(path).size, bytes);
  assert.equal(lines.length, 52);
  assert.match(
    lines[0]!,
    /^recv_timestamp,origin_timestamp,send_timestamp,force_placeholder,joint_/,
  );
  const number = (digits: number) => `-?\\d+\\.\\d{${digits}}`;
  const digits = [6, 6, 6, 1, 3, 4, 5, 6, 7, 3, 4, 5, 6, 7, 3, 4];
  assert.match(lines[1]!, new RegExp(`^${digits.map(number).join(",")}$`));
  const { columns } = readCsv(path, { columns: ["origin_timestamp"] });
  const time = columns.origin_timestamp;
  assert.ok(time.every((each, row) => row === 0 || each > time[row - 1]!));
  assert.ok(Math.abs(time[49]! - time[0]! - 0.49) < 0.005);
});

Deno.test("writeRecording makes a recording with all streams", () => {
  const { folder } = writeRecording(temporaryFolder(), 2);
  const recording = readRecording(discoverRecordings([folder]).recordings[0]!);
  const size = recordingSize(2);
  assert.equal(recording.layout, "recv-all");
  assert.deepEqual([recording.robot.time.length, size.robotRows], [200, 200]);
  assert.deepEqual([recording.sensor!.time.length, size.sensorRows], [1300, 1300]);
  assert.deepEqual(recording.views.map(({ files }) => files.length), [10, 10, 10, 10, 10]);
  const row = new Float32Array(1026);
  recording.sensor!.readRowsInto(1299, row);
  assert.equal(row[1], 1299);
  // The folder above is a temporary one, no task.
  assert.deepEqual(recording.findings.map(({ code }) => code), ["instruction.generic"]);
  recording.close();
});
