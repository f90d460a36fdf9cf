import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../_temporary.ts";

const SCRIPT = new URL("../../scripts/phantom.ts", import.meta.url).pathname;

function start(args: string[]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await start(args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Small pictures keep these tests short. */
const SMALL = ["--raster", "40"];

Deno.test("phantom --json prints the document alone, and the recordings are there", async () => {
  const output = temporaryFolder();
  const { code, stdout, stderr } = await run(
    ...["--output", output, "--layout", "new-dataset2", "--episodes", "2", "--seed", "1003"],
    ...["--task", "each", "--inject", "golden", "packet-loss:3", "--json", ...SMALL],
  );
  assert.equal(code, 0, stderr);
  const { episodes } = JSON.parse(stdout);
  assert.equal(episodes.length, 2);
  for (const [index, { path, layout, seed, injected }] of episodes.entries()) {
    assert.equal(layout, "new-dataset2");
    assert.equal(seed, 1003 + index);
    assert.ok(path.startsWith(join(output, "New_dataset2", ["Blue_point", "Green_point"][index]!)));
    assert.equal(injected.gap.count, 3);
    assert.equal(injected.gap.places.length, 3);
    assert.equal(injected.duplicates.places.length, 2);
    assert.equal(injected["angle-wrap"].places.length, 1);
    assert.deepEqual(injected["clock-offset"], { seconds: 0.04 });
    assert.equal(injected["packet-loss"].lost, 45);
    const truth = JSON.parse(Deno.readTextFileSync(join(path, "truth.json")));
    assert.deepEqual(truth.injected, injected);
    assert.ok(truth.t_pun > truth.t_contact && truth.h >= 2.5 && truth.h <= 9);
    const offsets = JSON.parse(Deno.readTextFileSync(join(path, "clock_offsets.json")));
    assert.deepEqual(offsets, { camera: 0, sensor: 0.04 });
  }
  assert.match(stderr, /2 of 2 recordings written/);
});

Deno.test("phantom --layout all writes every layout and says what it leaves out", async () => {
  const output = temporaryFolder();
  const { code, stdout, stderr } = await run(
    ...["--output", output, "--layout=all", "--no-sensor", "--inject", "frame-loss:4,right-eyes"],
    ...["--clock", "full", ...SMALL],
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /right-eyes is left out of new-dataset, new-dataset2/);
  const roots = [...Deno.readDirSync(output)].map(({ name }) => name).sort();
  assert.deepEqual(roots, [
    "Needle_insertion_eye_trocar",
    "New_dataset",
    "New_dataset2",
    "OCT_insertion",
    "White_silicone_white_circle",
    "part1",
  ]);
  const eyes = ["left", "right"].map((eye) => {
    const folder = join(output, "part1/ZED_Captures_1th/view2", eye);
    const [first] = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    return Deno.readFileSync(join(folder, first!));
  });
  assert.notDeepEqual(eyes[0], eyes[1]);
  assert.match(stdout, /^recording +seed +task +robot rows +sensor rows +images +faults\n/);
  assert.match(stdout, /part1\/ZED_Captures_1th +1000 +Blue_point +\d+ +0 +\d+ +right-eyes/);
  assert.match(stdout, /recv_all_\d{8}_\d{6} +1000 +Eye_trocar .* frame-loss:4/);
});

const WRONG: [args: string[], message: RegExp][] = [
  [[], /--output is missing/],
  [["recordings"], /Too many arguments|Expected 0 arguments/],
  [["--outputs", "x"], /Unknown flag --outputs; did you mean --output\?/],
  [["--output", "x", "--inject", "duplicate"], /"duplicate" .*did you mean duplicates\?/],
  [["--output", "x", "--inject", "gap=99"], /seconds should be a number from 0.05 to 60/],
  [["--output", "x", "--inject", "zzzzzzzz"], /its name should be one of clock-offset/],
  [["--output", "x", "--layout", "oct", "--inject", "packet-loss"], /oct cannot show it/],
  [["--output", "x", "--layout", "new_dataset"], /Did you mean "new-dataset"\?/],
  [
    ["--output", "x", "--raster", "3"],
    /--raster: it should be .* 20, 40, current value is "3"\.\n/,
  ],
  [["--output", "x", "--inject", "gap:0"], /how often should be a whole number from 1/],
  [["--output", "x", "--episodes", "0"], /--episodes/],
];
Deno.test("phantom ends with 2 and one message where it is used wrongly", async () => {
  const results = await Promise.all(WRONG.map(([args]) => run(...args)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assert.equal(code, 2, WRONG[index]![0].join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, WRONG[index]![1]);
  }
});

Deno.test("phantom ends with 1 where a fault has no room, and leaves nothing", async () => {
  const output = temporaryFolder();
  const { code, stdout, stderr } = await run("--output", output, "--inject", "gap=5:3", ...SMALL);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /Cannot inject gaps of 5 s/);
});

Deno.test("phantom --help lists layouts and faults", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  assert.match(stdout, /new-dataset2 +New_dataset2\/<task>\/data_collection_<time>\//);
  assert.match(stdout, /gap=0\.3:1 +no robot rows for a while \(seconds\)/);
  assert.ok(stdout.split("\n").every((line) => line.length <= 100), "lines of at most 100 columns");
  assert.match(stdout, /--raster <1\|2\|4\|5\|8\|10\|20\|40>/);
});

Deno.test("phantom interrupted keeps whole recordings only and ends with 130", async () => {
  const output = temporaryFolder();
  const child = start([
    ...["--output", output, "--layout", "oct", "--episodes", "500", ...SMALL],
  ]).spawn();
  const folder = join(output, "OCT_insertion");
  const captures = () => {
    try {
      return [...Deno.readDirSync(folder)].map(({ name }) => name);
    } catch {
      return [];
    }
  };
  while (!captures().includes("Captures2")) await new Promise((done) => setTimeout(done, 20));
  child.kill("SIGINT");
  const { code, stdout } = await child.output();
  assert.equal(code, 130);
  assert.equal(new TextDecoder().decode(stdout), "");
  const left = captures();
  assert.ok(left.length >= 2 && left.length < 500);
  for (const name of left) {
    assert.match(name, /^Captures\d+$/);
    assert.ok(Deno.statSync(join(folder, name, "truth.json")).isFile);
  }
});
