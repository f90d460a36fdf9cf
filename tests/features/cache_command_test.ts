import assert from "node:assert/strict";
import { EpisodeDataset } from "../../lib/datasets/mod.ts";
import { openEpisode, preprocess } from "../../lib/episodes/mod.ts";
import { DatasetFeatures, importedFeatures, pixel2048 } from "../../lib/features/mod.ts";
import { thumbnail } from "../../lib/phantom/mod.ts";
import sharp from "sharp";
import { temporaryFolder, temporaryPath } from "../_temporary.ts";

const recordings = new URL("../../data-fixtures/recordings", import.meta.url).pathname;

interface Document {
  readonly planned: number;
  readonly hit: number;
  readonly built: number;
  readonly failed: number;
  readonly quarantined: number;
  readonly bytes: number;
  readonly seconds: number;
}

async function run(
  action: string,
  args: readonly string[],
  env: Record<string, string> = {},
  format = ["--json"],
) {
  const script = new URL(`../../scripts/cache_${action}.ts`, import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, ...args, ...format],
    env: { NO_COLOR: "1", TF_CONFIG: "", ...env },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const isDocument = format.includes("--json") && text !== "";
  return {
    code,
    text,
    error: new TextDecoder().decode(stderr),
    document: (isDocument ? JSON.parse(text) : undefined) as Document,
  };
}

function counts({ planned, hit, built, failed, quarantined }: Document): number[] {
  return [planned, hit, built, failed, quarantined];
}

Deno.test("cache:plan, build, verify, stats and gc agree on what there is", async () => {
  const data = temporaryFolder(), home = temporaryFolder();
  await preprocess([`${recordings}/N*`], { output: data });
  const env = { TROCAR_CACHE: home };
  const flags = ["--data", data];
  const plan = await run("plan", flags, env);
  const { planned, bytes } = plan.document;
  assert(planned > 50);
  assert.deepEqual([plan.code, ...counts(plan.document)], [0, planned, 0, 0, 0, 0]);
  assert.equal(bytes, planned * (64 + 4 * 2048));
  const first = await run("build", [...flags, "--shard", "0/2"], env);
  const second = await run("build", [...flags, "--shard", "1/2"], env);
  assert.deepEqual([first.code, second.code], [0, 0]);
  assert.equal(first.document.built + second.document.built, planned);
  assert.equal(first.document.bytes + second.document.bytes, bytes);
  assert.deepEqual(counts((await run("plan", flags, env)).document), [planned, planned, 0, 0, 0]);
  const verify = await run("verify", flags, env);
  assert.deepEqual([verify.code, ...counts(verify.document)], [0, planned, planned, 0, 0, 0]);

  const shards = [...Deno.readDirSync(`${home}/features/shards`)]
    .filter(({ name }) => name.endsWith(".shard"));
  const shard = `${home}/features/shards/${shards[0]!.name}`;
  const contents = Deno.readFileSync(shard);
  contents[500]! ^= 1;
  Deno.writeFileSync(shard, contents);
  const damaged = await run("verify", flags, env);
  assert.deepEqual([damaged.code, ...counts(damaged.document)], [1, planned, planned - 1, 0, 0, 1]);
  assert.match(damaged.error, /1 of \d+ features are missing.*cache:build/);
  const mended = await run("build", flags, env);
  assert.deepEqual([mended.code, ...counts(mended.document)], [0, planned, planned - 1, 1, 0, 1]);
  const gc = await run("gc", flags, env);
  assert.deepEqual([gc.code, ...counts(gc.document)], [0, planned, planned, 0, 0, 1]);
  assert.equal(gc.document.bytes, 64 + 4 * 2048);
  const stats = await run("stats", flags, env);
  assert.deepEqual([stats.code, ...counts(stats.document)], [0, planned, planned, 0, 0, 0]);
  assert.equal((await run("verify", flags, env)).code, 0);
});

Deno.test("cache:build makes what the images of the episode's moments show", async () => {
  const data = temporaryFolder(), cache = temporaryFolder();
  const [outcome] = await preprocess([`${recordings}/N*/recv*`], { output: data });
  const built = await run("build", ["--data", data, "--cache", cache, "--reuse", "3"]);
  assert.equal(built.code, 0);
  using episode = openEpisode(outcome!.output!);
  const dataset = new EpisodeDataset([episode], { visionReuse: 3 });
  using features = await DatasetFeatures.open(dataset, pixel2048(), cache);
  const { values, viewMask } = await features.readBatch([5]);
  const { image } = dataset.readBatch([5]);
  assert.deepEqual([...viewMask], [1, 1, 1, 1, 1]);
  for (const [v, view] of ["View1", "View2", "View3", "View4", "View5"].entries()) {
    const path = image[dataset.views.indexOf(view)]!;
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    const found = values.subarray(384 * v, 384 * (v + 1));
    if (info.width === 128) assert.deepEqual(found, thumbnail(new Uint8Array(data)));
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length / 127.5 - 1;
    assert(Math.abs(found.reduce((sum, value) => sum + value, 0) / 384 - mean) < 1e-5);
  }
  assert.equal(values.indexOf(1, 1920), 1925); // Eye_trocar
});

Deno.test("cache commands name recordings that are not preprocessed, and the command that does it", async () => {
  const cache = temporaryFolder();
  const { code, error } = await run("plan", ["--data", recordings, "--cache", cache]);
  assert.equal(code, 1);
  assert.match(error, /recv_all_20251030_102640.*deno task preprocess --data/);
  const nothing = await run("build", ["--data", temporaryFolder(), "--cache", cache]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.error, /it holds no episode.*deno task preprocess/);
});

Deno.test("cache:build refuses wrong usage, and what is beyond the limit", async () => {
  const data = temporaryFolder(), cache = temporaryFolder();
  await preprocess([`${recordings}/N*/recv*`], { output: data });
  const flags = ["--data", data, "--cache", cache];
  for (
    const [wrong, message] of [
      [["--shard", "2/2"], /share should be i\/n/],
      [["--features", "pixel-2047"], /Did you mean "pixel-2048"/],
      [["--reus", "2"], /--reuse/],
      [
        ["--model", data],
        /--model, --random-weights and --adapter belong to --features qwen2\.5-vl-3b/,
      ],
    ] as const
  ) {
    const { code, error } = await run("build", [...flags, ...wrong]);
    assert.deepEqual([code, message.test(error)], [2, true], error);
  }
  const cluster = { worker: ["127.0.0.1:4001", "127.0.0.1:4002"] };
  const TF_CONFIG = JSON.stringify({ cluster, task: { type: "worker", index: 1 } });
  const shared = await run("build", [...flags, "--shard", "0/2"], { TF_CONFIG });
  assert.equal(shared.code, 2);
  assert.match(shared.error, /each of the 2 processes .* builds its part, current value is 0\/2/);
  const nothing = await run("build", []);
  assert.equal(nothing.code, 2);
  assert.equal(nothing.error.match(/--help/g)?.length, 1);
  const { code, error } = await run("build", [...flags, "--limit-gb", "0.00001"]);
  assert.equal(code, 1);
  assert.match(error, /the limit is 10\.0 kB.*cache:gc/);
  assert.equal((await run("build", flags)).code, 1); // the limit is kept
  assert.equal((await run("build", [...flags, "--limit-gb", "1"])).code, 0);
});

Deno.test("cache:build counts an image that is damaged as failed, makes the others, ends with 1", async () => {
  const data = temporaryFolder(), cache = temporaryFolder();
  const source = `${recordings}/New_dataset/Red_point`;
  await new Deno.Command("cp", { args: ["-r", source, data] }).output();
  const [outcome] = await preprocess([data]);
  const images = JSON.parse(Deno.readTextFileSync(`${outcome!.output}/images.json`));
  const { folder, files } = images.View1;
  const path = `${outcome!.output}/${folder}/${files[1]}`;
  Deno.writeFileSync(path, Deno.readFileSync(path).subarray(0, 300));
  const { code, document, error } = await run("build", ["--data", data, "--cache", cache]);
  assert.equal(code, 1);
  assert(document.failed > 0 && document.built > 0);
  assert.equal(document.planned, document.built + document.failed);
  assert.match(error, /step \d+: Cannot decode .*View1.*\.jpg/);
});

Deno.test("cache commands that read refuse a place without a cache, and make nothing there", async () => {
  const data = temporaryFolder(), typo = temporaryPath("typo");
  await preprocess([`${recordings}/N*/recv*`], { output: data });
  for (const action of ["stats", "verify", "gc"]) {
    for (const cache of [typo, data, `${data}/file`]) {
      Deno.writeTextFileSync(`${data}/file`, "");
      const { code, text, error } = await run(action, ["--data", data, "--cache", cache]);
      assert.deepEqual([code, text], [1, ""], `${action} ${cache}`);
      assert.match(error, /there is no cache there.*cache:build/);
    }
  }
  const plan = await run("plan", ["--data", data, "--cache", typo, "--no-estimate"]);
  assert.equal(plan.code, 0);
  assert.throws(() => Deno.statSync(typo), Deno.errors.NotFound);
  const names = [...Deno.readDirSync(data)].map(({ name }) => name);
  for (const [cache, found] of [[data, "a folder that holds file"], [`${data}/file`, "a file"]]) {
    const { code, error } = await run("build", ["--data", data, "--cache", cache!]);
    assert.equal(code, 1);
    assert(error.includes(`current value is ${found}. Name another one with --cache`), error);
  }
  assert.deepEqual([...Deno.readDirSync(data)].map(({ name }) => name), names);
});

Deno.test("cache:stats counts a step once, and says of which extractor the features are", async () => {
  const data = temporaryFolder(), cache = temporaryFolder();
  const [outcome] = await preprocess([`${recordings}/N*/recv*`], { output: data });
  using episode = openEpisode(outcome!.output!);
  const steps = episode.segment.length;
  const flags = [data, "--cache", cache]; // roots need no --data
  const views = ["--views", "View1", "View2"];
  for (const reuse of ["5", "1"]) {
    assert.equal((await run("build", [...flags, "--reuse", reuse, ...views])).code, 0);
  }
  const { document, error } = await run("stats", [...flags]);
  const [found] = (document as unknown as { extractors: Record<string, unknown>[] }).extractors;
  assert.deepEqual([found!.observations, found!.views], [steps, ["View1", "View2"]]);
  assert.equal(document.hit, 0);
  assert.match(error, /views View1 View2 View3 View4 View5: 0 there.*--views View1 View2/s);
  const { text } = await run("stats", [...flags, ...views], {}, []);
  assert.match(text, /features in 1 shard,/);
  assert.match(text, new RegExp(`: ${found!.features} there\\.\\n$`));
  assert.doesNotMatch(text, /built|failed/);
});

Deno.test("cache:build says which image is not there and what to do", async () => {
  const data = temporaryFolder(), cache = temporaryFolder();
  const source = `${recordings}/New_dataset/Red_point`;
  await new Deno.Command("cp", { args: ["-r", source, data] }).output();
  const [outcome] = await preprocess([data]);
  const images = JSON.parse(Deno.readTextFileSync(`${outcome!.output}/images.json`));
  const { folder, files } = images.View1;
  Deno.removeSync(`${outcome!.output}/${folder}/${files[1]}`);
  const { code, error } = await run("build", ["--data", data, "--cache", cache]);
  assert.equal(code, 1);
  assert.match(error, /Cannot read the image .*\.jpg: there is no such file\. Put .*preprocess/);
});

Deno.test("cache:build --help shows a mapping that --import takes", async () => {
  const { text } = await run("build", [], {}, ["--help"]);
  const path = temporaryPath("mapping.json");
  Deno.writeTextFileSync(path, text.slice(text.indexOf('{ "format"'), text.lastIndexOf("}") + 1));
  const { name, width, identity } = importedFeatures(path);
  assert.deepEqual([name, width, identity.views], ["imported", 2048, ["View1", "View2"]]);
});
