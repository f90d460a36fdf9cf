import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSafetensors } from "../../lib/formats/safetensors_writer.ts";
import { writeNpz } from "../../lib/formats/npz_writer.ts";
import { sparseNpy } from "./_sparse.ts";
import { temporaryFolder } from "../_temporary.ts";

const SCRIPT = new URL("../../scripts/inspect.ts", import.meta.url).pathname;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const folder = temporaryFolder();
const file = join(folder, "sensor_data_1.npz");
writeNpz(file, {
  timestamps: { data: new Float64Array([1, 2]) },
  forces: { data: new Float32Array([2.5, NaN]) },
});

Deno.test("inspect prints a table of arrays", async () => {
  const { code, stdout, stderr } = await run(file);
  assert.equal(code, 0);
  assert.match(stdout, /sensor_data_1\.npz: npz, /);
  assert.match(stdout, /^timestamps +float64 +2 +16 B$/m);
  assert.match(stdout, /^forces +float32 +2 +8 B$/m);
  assert.equal(stderr, "");
});

Deno.test("inspect --json prints one document with the promised fields", async () => {
  const { code, stdout } = await run(file, "--json", "--stats");
  assert.equal(code, 0);
  const { kind, path, bytes, tensors } = JSON.parse(stdout);
  assert.deepEqual([kind, path, bytes], ["npz", file, Deno.statSync(file).size]);
  assert.deepEqual(tensors[1], {
    name: "forces",
    dtype: "float32",
    shape: [2],
    bytes: 8,
    statistics: { count: 2, min: 2.5, max: 2.5, mean: 2.5, std: 0, nan: 1, infinite: 0 },
  });
});

Deno.test("inspect --keys prints names, one per line", async () => {
  const { code, stdout } = await run(file, "--keys");
  assert.deepEqual([code, stdout], [0, "timestamps\nforces\n"]);
});

Deno.test("inspect shows control characters of names instead of sending them to the terminal", async () => {
  const path = join(folder, "names.safetensors");
  writeSafetensors(path, {
    "a\x1b[31m\nb": { dtype: "float32", shape: [1], data: new Float32Array(1) },
  });
  const keys = await run(path, "--keys");
  assert.deepEqual([keys.code, keys.stdout], [0, "a\\x1b[31m\\x0ab\n"]);
  const table = await run(path);
  assert.match(table.stdout, /^a\\x1b\[31m\\x0ab +float32/m);
  assert.ok(!table.stdout.includes("\x1b"));
});

Deno.test("inspect shows the first of many arrays, so that the facts are on the same screen", async () => {
  const path = join(folder, "many.npz");
  const arrays = Array.from({ length: 41 }, (_, i) => [`a${i}`, { data: new Float32Array(2) }]);
  writeNpz(path, Object.fromEntries(arrays));
  const short = await run(path);
  assert.equal(short.stdout.match(/^a\d+ /gm)?.length, 20);
  assert.match(short.stdout, /… and 21 more, 41 in all with 328 B; --keys and --json show all/);
  assert.equal((await run(path, "--stats")).stdout.match(/^a\d+ /gm)?.length, 41);
  assert.equal((await run(path, "--keys")).stdout.trim().split("\n").length, 41);
});

Deno.test("inspect --stats stays in little memory", async () => {
  const path = join(folder, "large.npy");
  sparseNpy(path, [100_000, 1000]);
  const probe = `
    import { inspect } from ${JSON.stringify(new URL("../../lib/inspect/mod.ts", import.meta.url))};
    const before = Deno.memoryUsage().rss;
    let most = 0;
    await inspect(${JSON.stringify(path)}, {
      stats: true,
      onProgress: () => most = Math.max(most, Deno.memoryUsage().rss),
    });
    console.log(Math.round((most - before) / 1e6));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", probe],
    stderr: "inherit",
  }).output();
  const megabytes = Number(new TextDecoder().decode(stdout));
  assert.ok(megabytes < 60, `${megabytes} MB for an array of 400 MB`);
});

Deno.test("inspect ends with 1 for what is damaged, unknown or not there, and says so", async () => {
  const cut = join(folder, "cut.npz");
  Deno.writeFileSync(cut, Deno.readFileSync(file).subarray(0, 150));
  const notes = join(folder, "notes.txt");
  Deno.writeTextFileSync(notes, "hello");
  const cases: [path: string, message: RegExp][] = [
    [cut, /^error: .*cut\.npz at byte/],
    [notes, /^error: .*known kind[^]*\*\.npz/],
    [join(folder, "nowhere"), /^error: .*no such file or folder/],
  ];
  for (const [path, message] of cases) {
    const { code, stdout, stderr } = await run(path, "--json");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, message);
  }
});

Deno.test("inspect without a path, or with an unknown flag, is wrong usage", async () => {
  assert.equal((await run()).code, 2);
  const { code, stderr } = await run(file, "--stat");
  assert.equal(code, 2);
  assert.match(stderr, /did you mean --stats/);
});

Deno.test("inspect --help lists the kinds", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  for (const word of ["--keys", "--stats", "*.npz", "an episode container"]) {
    assert.ok(stdout.includes(word), word);
  }
});
